"""One suite over every Recogniser: what the door promises, whoever stands behind it."""

import asyncio
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from asr_models import bundled, catalog, whisper_engine
from asr_models.errors import NotAModel
from asr_models.fallback import FallbackRecogniser
from asr_models.folder import missing
from asr_models.pool import DecodePool
from asr_models.port import AsrUnavailable, Recogniser, Transcript
from asr_models.scripted import Line, ScriptedRecogniser
from asr_models.second_look import SecondLook
from asr_models.vosk_engine import VoskRecogniser, load, load_now
from asr_models.wav import telephone
from asr_models.whisper_engine import WhisperRecogniser

SILENCE = bytes(8000)
FRAME = 320
YES_NO = ("yes", "no", "yes please", "no thank you")
WIDER = (*YES_NO, "yes i do", "no i don't", "i don't know", "not really")

Make = Callable[[str], Recogniser]

needs_whisper = pytest.mark.skipif(
    not whisper_engine.installed(), reason="the extra requirements/whisper.txt is not installed"
)


def say(text: str, voice: str = "slt") -> bytes:
    """A sentence as telephone audio, half a second of silence around it; nothing touches the disk."""
    if voice == "espeak":
        command = ["espeak-ng", "-v", "en-us", "--stdout", text]
    else:
        command = ["flite", "-voice", voice, "-o", "/dev/stdout", "-t", text]
    wav = subprocess.run(command, capture_output=True, check=True).stdout
    return SILENCE + telephone(wav, voice) + SILENCE


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled demo model, unpacked."""
    return bundled.unpack(catalog.read(), tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def pool() -> Iterator[DecodePool]:
    decoding = DecodePool(threads=2)
    yield decoding
    decoding.close()


@pytest.fixture(scope="session")
def vosk(model: Path, pool: DecodePool) -> VoskRecogniser:
    return load_now(model, pool)


@pytest.fixture(scope="session")
def whisper(pool: DecodePool, tmp_path_factory: pytest.TempPathFactory) -> WhisperRecogniser:
    """The packaged English model, heard again every half second so that short sentences have partials too."""
    path = whisper_engine.find("en-us", tmp_path_factory.mktemp("none"))
    assert path is not None
    return whisper_engine.load_now(path, pool, "en-us", every=0.5)


REAL = [
    pytest.param("vosk", marks=pytest.mark.asr),
    pytest.param("whisper", marks=[pytest.mark.asr, needs_whisper]),
]


@pytest.fixture(params=["scripted", "fallback", *REAL])
def make(request: pytest.FixtureRequest) -> Make:
    """Makes a recogniser that will hear one sentence."""
    if request.param in ("vosk", "whisper"):
        heard: Recogniser = request.getfixturevalue(request.param)
        return lambda text: heard
    if request.param == "fallback":
        return lambda text: FallbackRecogniser(
            (ScriptedRecogniser([Line(fails="feed")]), ScriptedRecogniser([text])), on_failure=lambda name: None
        )
    return lambda text: ScriptedRecogniser([text])


async def hear(recogniser: Recogniser, pcm: bytes, hints: tuple[str, ...] = (), step: int = FRAME) -> list[Transcript]:
    """All partials and the final."""
    stream = recogniser.stream(hints)
    told = [await stream.feed(pcm[start : start + step]) for start in range(0, len(pcm), step)]
    final = await stream.finish()
    stream.close()
    return [partial for partial in told if partial is not None] + [final]


def test_a_sentence_comes_as_partials_and_a_final_with_times(make: Make) -> None:
    text = "i have chest pain"
    pcm = say(text)
    recogniser = make(text)
    *partials, final = asyncio.run(hear(recogniser, pcm))
    assert recogniser.name
    assert final.final
    assert final.text == text == " ".join(word.text for word in final.words)
    assert 0.5 < final.confidence <= 1.0
    ends = [0.0, *(word.end for word in final.words)]
    assert all(before - 0.1 <= word.start < word.end for before, word in zip(ends, final.words, strict=False))
    assert ends[-1] <= len(pcm) / 16000
    assert partials
    assert not any(partial.final or partial.words for partial in partials)
    assert len({partial.text for partial in partials}) == len(partials)


def test_no_audio_is_an_empty_final(make: Make) -> None:
    (final,) = asyncio.run(hear(make(""), b""))
    assert (final.text, final.confidence, final.words, final.final) == ("", 0.0, (), True)


def test_an_ended_stream_says_so_and_may_be_closed_again(make: Make) -> None:
    async def story() -> None:
        stream = make("yes").stream()
        await stream.feed(SILENCE)
        await stream.finish()
        with pytest.raises(AsrUnavailable):
            await stream.feed(SILENCE)
        with pytest.raises(AsrUnavailable):
            await stream.finish()
        stream.close()
        stream.close()

    asyncio.run(story())


@pytest.mark.asr
@pytest.mark.parametrize("hints", [(), ("chest pain", "yes", "no")])
def test_partials_come_while_the_caller_speaks(vosk: VoskRecogniser, hints: tuple[str, ...]) -> None:
    spoken = say("i have chest pain")[8000:-8000]
    partials = asyncio.run(hear(vosk, SILENCE + spoken + bytes(4800), hints))[:-1]
    assert any("chest pain" in partial.text for partial in partials)


@pytest.mark.asr
def test_silence_is_nothing(vosk: VoskRecogniser) -> None:
    (final,) = asyncio.run(hear(vosk, bytes(160_000)))
    assert final.text == ""


@pytest.mark.asr
def test_pauses_do_not_cut_an_utterance_and_times_go_on(vosk: VoskRecogniser) -> None:
    first, second = say("no thank you"), say("yes please")
    pause = bytes(48_000)
    *partials, final = asyncio.run(hear(vosk, first + pause + second, YES_NO))
    assert final.text == "no thank you yes please"
    assert all(len(now.text) >= len(before.text) for before, now in pairwise(partials))
    assert final.words[3].start >= (len(first) + len(pause)) / 16000
    assert final.words[-1].end <= (len(first) + len(pause) + len(second)) / 16000


@pytest.mark.asr
@pytest.mark.parametrize("step", [2, 161, 320, 1601, 100_000])
def test_the_size_of_the_pieces_does_not_matter(vosk: VoskRecogniser, step: int) -> None:
    pcm = say("no thank you", "awb")[8000:-6000]
    assert asyncio.run(hear(vosk, pcm, YES_NO, step))[-1].text == "no thank you"


@pytest.mark.asr
@pytest.mark.parametrize("voice", ["slt", "rms", "awb", "espeak"])
@pytest.mark.parametrize("hints", [YES_NO, WIDER])
@pytest.mark.parametrize("text", YES_NO)
def test_expected_answers_are_heard(vosk: VoskRecogniser, text: str, hints: tuple[str, ...], voice: str) -> None:
    assert asyncio.run(hear(vosk, say(text, voice), hints))[-1].text == text


@pytest.mark.asr
@pytest.mark.parametrize("voice", ["slt", "rms", "awb", "espeak"])
@pytest.mark.parametrize("text", ["i took too many pills", "what do you mean", "since yesterday morning"])
def test_everything_else_is_unknown_never_a_plain_yes_or_no(vosk: VoskRecogniser, text: str, voice: str) -> None:
    heard = asyncio.run(hear(vosk, say(text, voice), YES_NO))[-1].text.split()
    assert heard.count("[unk]") * 2 >= len(heard) > 0


@pytest.mark.asr
@pytest.mark.parametrize("text", ["i have chest pain", "i can't breathe", "he is unconscious"])
def test_a_red_flag_in_the_grammar_is_heard_in_a_yes_no_question(vosk: VoskRecogniser, text: str) -> None:
    always = ("chest pain", "can't breathe", "unconscious")
    heard = asyncio.run(hear(vosk, say(text), (*YES_NO, *always)))
    assert any(flag in heard[-1].text for flag in always)
    assert any(flag in partial.text for partial in heard[:-1] for flag in always)


@pytest.mark.asr
def test_a_red_flag_outside_the_grammar_is_heard_at_the_second_look(vosk: VoskRecogniser) -> None:
    pcm = say("i have chest pain")
    first = asyncio.run(hear(vosk, pcm, YES_NO))[-1]
    failures: list[str] = []
    looked = asyncio.run(SecondLook(vosk, on_failure=failures.append).look(first, pcm))
    assert "chest" not in first.text
    assert "chest pain" in looked.chosen.text
    assert failures == []


@pytest.mark.asr
def test_free_speech_brings_other_readings_and_a_grammar_none(vosk: VoskRecogniser) -> None:
    pcm = say("my tooth has turned a funny colour") + bytes(24_000) + say("i have chest pain")
    free = asyncio.run(hear(vosk, pcm))[-1]
    assert len(free.alternatives) > 3
    assert len(set(free.alternatives)) == len(free.alternatives)
    assert free.text not in free.alternatives
    assert sum(other.endswith("chest pain") for other in free.alternatives) > 3, "the other segment stays as it is"
    assert all(0.0 <= word.confidence <= 1.0 for word in free.words)
    bound = asyncio.run(hear(vosk, say("no thank you"), YES_NO))[-1]
    assert bound.alternatives == ()


@pytest.mark.asr
def test_phrases_that_the_model_cannot_hear_are_dropped_silently(
    vosk: VoskRecogniser, capfd: pytest.CaptureFixture[str]
) -> None:
    before = vosk.dropped_phrases
    hints = ("yes", "no", "zzyzx road", "[unk]")
    assert asyncio.run(hear(vosk, say("yes"), hints))[-1].text == "yes"
    assert vosk.dropped_phrases == before + 1
    assert asyncio.run(hear(vosk, say("i have chest pain"), ("zzyzx",)))[-1].text == "i have chest pain"
    assert "".join(capfd.readouterr()) == ""


@pytest.mark.asr
def test_calls_share_one_model_without_mixing(vosk: VoskRecogniser) -> None:
    async def story() -> list[list[Transcript]]:
        return await asyncio.gather(*(hear(vosk, say(text), YES_NO) for text in YES_NO * 2))

    assert [heard[-1].text for heard in asyncio.run(story())] == list(YES_NO * 2)


@pytest.mark.asr
def test_an_utterance_given_up_in_the_middle_of_a_piece_can_be_finished(vosk: VoskRecogniser) -> None:
    async def story() -> Transcript:
        stream = vosk.stream()
        feeding = asyncio.create_task(stream.feed(say("i have chest pain") * 4))
        await asyncio.sleep(0)
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
        return await stream.finish()

    assert asyncio.run(story()).final


@pytest.mark.asr
def test_an_overloaded_pool_is_told_as_unavailable(model: Path) -> None:
    async def story() -> None:
        recogniser = await load(model, busy)
        with pytest.raises(AsrUnavailable, match="overloaded"):
            await asyncio.gather(*(hear(recogniser, SILENCE) for _ in range(3)))

    busy = DecodePool(threads=1, limit=0, executor=ThreadPoolExecutor(1))
    asyncio.run(story())
    busy.close()


@pytest.mark.asr
@pytest.mark.parametrize("name", ["am/final.mdl", "graph/HCLr.fst", "graph/Gr.fst", "conf/model.conf"])
def test_a_broken_model_is_refused_when_it_is_loaded(model: Path, tmp_path: Path, pool: DecodePool, name: str) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(model, broken)
    (broken / name).write_bytes((broken / name).read_bytes()[: (broken / name).stat().st_size // 3])
    with pytest.raises(AsrUnavailable, match="cannot load the model broken"):
        load_now(broken, pool)
    with pytest.raises(NotAModel):
        load_now(tmp_path, pool)


@pytest.mark.asr
def test_the_demo_model_is_unpacked_once_and_mended(model: Path, tmp_path: Path) -> None:
    books = catalog.read()
    path = bundled.unpack(books, tmp_path)
    stamp = (path / "am/final.mdl").stat().st_mtime_ns
    assert bundled.unpack(books, tmp_path) == path
    assert (path / "am/final.mdl").stat().st_mtime_ns == stamp
    (path / "graph/Gr.fst").unlink()
    assert not missing(bundled.unpack(books, tmp_path))
