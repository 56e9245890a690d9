"""Webhooks, hooks before calls and abuse limits, opened from the settings."""

from pathlib import Path

from config.settings import Settings, resolve
from masking.buckets import Rates
from masking.deliverer import Keep
from masking.desk import Desk
from masking.reach import Reach, open_reach
from records.keys import KeyRing


def reach_of(settings: Settings, desk: Desk, keys: KeyRing, *, taker: str, redis_url: str = "") -> Reach:
    """All of it on a desk. `taker`: name of this process; `redis_url`: "" for no limits. Raises MaskingUnavailable."""
    masking = settings.masking
    authorities = masking.webhook_authorities
    return open_reach(
        desk,
        keys.sealer,
        taker=taker,
        redis_url=redis_url,
        networks=masking.webhook_networks,
        authorities=resolve(Path(authorities)) if authorities else None,
        rates=rates(settings),
        keep=Keep(event_days=masking.event_days, record_days=masking.record_days),
    )


def rates(settings: Settings) -> Rates:
    """What the settings allow."""
    masking = settings.masking
    return Rates(
        caller_hour=masking.calls_per_caller_hour,
        pair_hour=masking.calls_per_pair_hour,
        number_minute=masking.calls_per_number_minute,
        stranger_hour=masking.stranger_calls_per_hour,
        stranger_number_minute=masking.stranger_calls_per_number_minute,
        source_minute=masking.stranger_calls_per_source_minute,
        scan_numbers=masking.scan_numbers,
    )
