"""A recogniser that turns to the next engine where one fails, in the middle of an utterance too."""

from collections.abc import Callable

from asr_models.port import AsrUnavailable, Recogniser, RecogniserStream, Transcript


class FallbackRecogniser:
    """Engines in order of preference; each utterance starts again with the first. `on_failure` is told an engine's name
    each time it fails, so that nothing fails unseen."""

    def __init__(self, engines: tuple[Recogniser, ...], *, on_failure: Callable[[str], None]) -> None:
        self._engines, self._on_failure = engines, on_failure
        self._answering = engines[0].name if engines else "none"

    @property
    def name(self) -> str:
        """The engine of the latest utterance; before the first one, the preferred engine."""
        return self._answering

    def stream(self, hints: tuple[str, ...] = ()) -> "FallbackStream":
        """Start an utterance with the first engine that can. Raises AsrUnavailable where none can."""
        return FallbackStream(self, hints)

    def _open(self, index: int, hints: tuple[str, ...]) -> tuple[int, RecogniserStream]:
        for at in range(index, len(self._engines)):
            try:
                stream = self._engines[at].stream(hints)
            except AsrUnavailable:
                self._on_failure(self._engines[at].name)
            else:
                self._answering = self._engines[at].name
                return at, stream
        raise AsrUnavailable("no recogniser is left")


class FallbackStream:
    """One utterance. The audio is kept until its end, so that the next engine hears it from the start."""

    def __init__(self, owner: FallbackRecogniser, hints: tuple[str, ...]) -> None:
        self._owner, self._hints = owner, hints
        self._audio, self._closed = bytearray(), False
        self._index, self._stream = owner._open(0, hints)

    async def feed(self, pcm: bytes) -> Transcript | None:
        """Take audio, from whichever engine works. Raises AsrUnavailable where none is left."""
        self._audio += pcm
        try:
            return await self._stream.feed(pcm)
        except AsrUnavailable:
            return await self._replay()

    async def finish(self) -> Transcript:
        """The final transcript, from whichever engine works. Raises AsrUnavailable where none is left."""
        try:
            final = await self._stream.finish()
        except AsrUnavailable:
            await self._replay()
            return await self.finish()
        self._closed = True
        return final

    def close(self) -> None:
        """Give the utterance up."""
        self._closed = True
        self._stream.close()
        self._audio.clear()

    async def _replay(self) -> Transcript | None:
        """Turn to the next engine that takes all the audio so far; its partial transcript."""
        if self._closed:
            raise AsrUnavailable("the stream is closed")
        self._stream.close()
        self._owner._on_failure(self._owner._engines[self._index].name)
        self._index, self._stream = self._owner._open(self._index + 1, self._hints)
        try:
            return await self._stream.feed(bytes(self._audio))
        except AsrUnavailable:
            return await self._replay()
