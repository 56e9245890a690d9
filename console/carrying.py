"""What the console carries besides the API: texts and Twilio, opened as the settings say."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import quote

from config.places import Places
from config.settings import Settings
from dialogs.red_flags import load_rule_books
from dialogs.safety_net import RuleSafetyNet
from dialogs.written import danger_in
from masking.buckets import Rates
from masking.carried import Carried, SipWay, TwilioAccount, Words, told_number
from masking.desk import Desk
from masking.limits_redis import RedisLimits
from masking.port import MaskingUnavailable
from masking.providers.twilio_account import lacking
from records.keys import KeyRing


@contextlib.asynccontextmanager
async def carrying(settings: Settings, where: Places, desk: Desk, keys: KeyRing) -> AsyncIterator[Carried]:
    """Texts and Twilio, running. Raises MaskingUnavailable with one sentence."""
    # People write more often than they call, and a patient's texts must not use up the calls.
    most = settings.masking.texts_per_pair_hour
    most_texts = replace(rates(settings), caller_hour=2 * most, pair_hour=most)
    sealer = keys.sealer("masking text limits")
    limits = RedisLimits(redis_url(where), sealer, most_texts, desk.diary, prefix="triageline:masking:text:")
    try:
        carried = Carried(
            desk, keys.sealer, _words(settings, where, desk), texts=settings.masking.texts, limits=limits,
            twilio=_twilio(settings), sip=_sip_way(settings, where),
        )  # fmt: skip
    except ValueError as wrong:
        raise MaskingUnavailable(f"texts cannot be carried, see masking.texts and masking.outbound: {wrong}") from wrong
    running: asyncio.Task[None] | None = None
    try:
        await carried.open()
        running = asyncio.create_task(carried.run())
        yield carried
    finally:
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        await carried.close()
        await limits.close()


def redis_url(where: Places) -> str:
    """The private Redis that `up` starts."""
    return f"unix://{quote(str(where.run / 'redis.sock'))}"


def rates(settings: Settings) -> Rates:
    """How many calls are too many."""
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


def _words(settings: Settings, where: Places, desk: Desk) -> Words:
    hotline = settings.hotline
    net = RuleSafetyNet(load_rule_books(where.root / "dialogs"))
    return Words(
        language=hotline.language, emergency=hotline.emergency_number, danger=danger_in(net, hotline.language),
        hotline=told_number(settings.masking.hotline_numbers, desk.region),
    )  # fmt: skip


def _twilio(settings: Settings) -> TwilioAccount | None:
    """Twilio, where its address is set. Raises MaskingUnavailable where the account is missing then, or the other way
    round what needs Twilio has none."""
    masking = settings.masking
    account, token = (os.environ.get(f"TWILIO_{name}", "") for name in ("ACCOUNT_SID", "AUTH_TOKEN"))
    used = "twilio" in {masking.texts, masking.provider}
    if lack := lacking(public=masking.twilio_public_url, used=used, account=account, token=token):
        raise MaskingUnavailable(lack)
    if not masking.twilio_public_url:
        return None
    return TwilioAccount(
        account=account, token=token, public=masking.twilio_public_url, hotline=masking.twilio_hotline,
        api=masking.twilio_api_url, wishes=masking.provider == "twilio",
    )  # fmt: skip


def _sip_way(settings: Settings, where: Places) -> SipWay | None:
    """The edge brings and takes texts. Raises MaskingUnavailable where there is none."""
    if settings.masking.texts != "sip":
        return None
    try:
        inner = int(json.loads((where.run / "edge.json").read_text(encoding="utf-8"))["inner"])
    except (OSError, ValueError, KeyError):
        raise MaskingUnavailable("texts by SIP go through the edge: set sip.edge = true and start it") from None
    outbound = settings.masking.outbound or settings.sip.outbound
    return SipWay(proxy=("127.0.0.1", inner), outbound=outbound, port=settings.masking.sip_texts_port)
