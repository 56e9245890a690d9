"""Tracker and lock store of Rasa over the hotline's private Redis (Unix socket).

Conversations are health data: they live in memory only (the hotline's Redis has persistence off), for at most
KEEP_SECONDS, and go when the call ends.
"""

import os
from typing import Any

import redis
from rasa.core.lock_store import RedisLockStore
from rasa.core.tracker_store import RedisTrackerStore

KEEP_SECONDS = 3600
SOCKET = "TRIAGELINE_REDIS_SOCKET"
SECONDS = 1.0


def connect(decode_responses: bool) -> redis.StrictRedis:
    """A client of the socket named by the environment. Raises KeyError without one: there is no fallback."""
    return redis.StrictRedis(
        unix_socket_path=os.environ[SOCKET],
        decode_responses=decode_responses,
        socket_timeout=SECONDS,
    )


class SocketTrackerStore(RedisTrackerStore):
    """Rasa's Redis tracker store on a Unix socket."""

    def __init__(self, domain: Any, event_broker: Any = None, **kwargs: Any) -> None:
        super().__init__(domain, event_broker=event_broker, record_exp=KEEP_SECONDS, key_prefix="triageline")
        self.red = connect(decode_responses=True)

    async def save(self, tracker: Any, timeout: Any = None) -> None:
        """Write the conversation as it is. The parent merges with what is stored, which only several servers without
        a common lock would need and which costs a tenth of a turn."""
        await self.stream_events(tracker)
        self.red.set(self.key_prefix + tracker.sender_id, self.serialise_tracker(tracker), ex=KEEP_SECONDS)


class SocketLockStore(RedisLockStore):
    """Rasa's Redis lock store on a Unix socket."""

    def __init__(self, endpoint_config: Any = None, **kwargs: Any) -> None:
        super().__init__(key_prefix="triageline", socket_timeout=SECONDS)
        self.red = connect(decode_responses=False)
