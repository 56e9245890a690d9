"""What the application is made of: doors of the rooms, and plain functions. Everything optional may be absent."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from fastapi import APIRouter

from masking.port import (
    Bindings,
    Deliveries,
    Diary,
    Exchange,
    Front,
    Hooks,
    Numbers,
    PhoneNumber,
    Tasks,
    Tokens,
    Wishes,
)


class Vault(Protocol):
    """Real numbers, for those who may see or destroy them."""

    async def reveal(self, party: str, *, reason: str, actor: str) -> PhoneNumber:
        """The number; audited first. Raises KeyError, ValueError, MaskingUnavailable."""
        ...

    async def erase(self, party: str, *, reason: str, actor: str) -> None:
        """Destroy it; audited first. Raises KeyError, ValueError, MaskingUnavailable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that routes may use."""

    front: Front
    """Requests in text form."""
    vault: Vault
    """Real numbers."""
    bindings: Bindings
    """Who may call whom."""
    numbers: Numbers
    """Virtual numbers."""
    exchange: Exchange
    """What calls lead to."""
    tokens: Tokens
    """Who may use the API."""
    hide_key: Callable[[str, str], str]
    """Owner and idempotency key to what is kept of it: never the key itself."""
    tasks: Tasks | None = None
    """Whom doctors should call."""
    wishes: Wishes | None = None
    """Click-to-calls."""
    diary: Diary | None = None
    """Call records."""
    hooks: Hooks | None = None
    """Owners' web addresses."""
    deliveries: Deliveries | None = None
    """What they were told."""
    more: tuple[APIRouter, ...] = field(default=())
    """Further routers, mounted as they are: carriers' webhooks, subscriptions. What lies below /v1 needs a token; what
    lies elsewhere must prove by itself who asks."""
    operator: str = "hotline"
    """The owner that may reveal and erase any party; others only those of their bindings."""
    clock: Callable[[], float] = time.time
    """Seconds since the epoch."""
