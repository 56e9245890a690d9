"""Voice that remembers: each prompt that may be kept is rendered once, for memory and disk; a caller's words and digits
are rendered anew and stay nowhere."""

import asyncio
import hashlib
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence
from weakref import WeakValueDictionary

from ivr.ports import Voice, VoiceError
from ivr.voices.store import Store

_log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with how many are done, of how many."""


async def warm(voice: Voice, texts: Sequence[str], progress: Progress | None = None) -> int:
    """Have the voice render fixed sentences before they are needed, one by one; how many failed."""
    failed = 0
    for done, text in enumerate(texts, 1):
        try:
            await voice.speak(text, keep=True)
        except VoiceError as error:
            failed += 1
            _log.warning("prompt %d of %d was not rendered: %s", done, len(texts), error)
        if progress is not None:
            progress(done, len(texts))
    return failed


async def wake(voice: Voice) -> None:
    """Have the engine loaded before the first caller waits for it: rendered sentences come from a cache and load
    nothing, so this is one that was never said."""
    try:
        await voice.speak(str(secrets.randbelow(10**9)), keep=False)
    except VoiceError as error:
        _log.warning("the voice was not loaded: %s", error)


class CachedVoice:
    """The same voice, remembered. Put it inside `FallbackVoice`, not around it: a prompt must be kept under the name
    of the voice that really spoke it."""

    def __init__(self, voice: Voice, store: Store | None = None, *, max_memory_bytes: int = 32_000_000) -> None:
        """Without a store only memory is used. A store that fails is given up for the prompt in hand only."""
        self._voice = voice
        self._store = store
        self._max_memory_bytes = max_memory_bytes
        self._memory: OrderedDict[str, bytes] = OrderedDict()
        self._memory_bytes = 0
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._store_failed = False

    @property
    def name(self) -> str:
        """The inner voice's."""
        return self._voice.name

    async def speak(self, text: str, *, keep: bool) -> bytes:
        """The text as 8 kHz mono s16le, rendered only where it is not remembered. Without `keep` nothing of it stays in
        this process: its sound may be the digits of a code. Raises VoiceError."""
        if not keep:
            return await self._voice.speak(text, keep=False)
        key = self._key(text)
        if (pcm := self._recall(key)) is not None:  # whoever is rendering the same anew must not be waited for
            return pcm
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:  # two calls that want the same sentence wait for one rendering
            pcm = self._recall(key)
            if pcm is None:
                pcm = await self._from_store(key)
            if pcm is None:
                pcm = await self._voice.speak(text, keep=True)
                await self._to_store(key, pcm)
            self._remember(key, pcm)
        return pcm

    def kept(self, text: str) -> bytes | None:
        """The sound of a text if it is in memory; waits for nothing."""
        return self._recall(self._key(text))

    async def warm(self, texts: Sequence[str], progress: Progress | None = None) -> int:
        """Render fixed sentences before they are needed; how many failed."""
        return await warm(self, texts, progress)

    def _key(self, text: str) -> str:
        return hashlib.sha256(f"{self.name}\0{text}".encode()).hexdigest()

    def _recall(self, key: str) -> bytes | None:
        if key in self._memory:
            self._memory.move_to_end(key)
        return self._memory.get(key)

    def _remember(self, key: str, pcm: bytes) -> None:
        self._memory_bytes += len(pcm) - len(self._memory.get(key, b""))
        self._memory[key] = pcm
        self._memory.move_to_end(key)
        while self._memory_bytes > self._max_memory_bytes:
            self._memory_bytes -= len(self._memory.popitem(last=False)[1])

    async def _from_store(self, key: str) -> bytes | None:
        if self._store is None:
            return None
        try:
            return await asyncio.to_thread(self._store.read, key)
        except OSError as error:
            self._warn(error)
            return None

    async def _to_store(self, key: str, pcm: bytes) -> None:
        if self._store is None:
            return
        try:
            await asyncio.to_thread(self._store.write, key, pcm)
        except OSError as error:
            self._warn(error)
        else:
            self._store_failed = False

    def _warn(self, error: OSError) -> None:
        """Once for a run of failures: a full disk must not fill the log as well."""
        if not self._store_failed:
            _log.warning("the cache of prompts works from memory only: %s", error.strerror or type(error).__name__)
        self._store_failed = True
