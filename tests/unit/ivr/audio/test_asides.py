"""What stops a sentence of ours, and what only shows that somebody listens."""

import random

import numpy as np
import pytest

from ivr.audio.asides import answers, asides, is_aside, is_faint, is_murmur, is_noise, is_plain_aside, takes_turn
from ivr.audio.convert import to_pcm
from ivr.audio.format import frames
from ivr.audio.voicing import Voicing
from scripts.bench.turns_noises import noise
from tests.calls.people import speech


def voicing(pcm: bytes) -> Voicing:
    found = Voicing()
    for frame in frames(pcm):
        found.feed(frame)
    return found


VOICE = voicing(speech("okay yes"))


@pytest.mark.parametrize(
    "text", ["yeah", "mm hmm", "uh huh", "okay okay", "i see", "yes i see", "the", "", "[unk]", "uh", "all", "thank"]
)
def test_signs_of_listening(text: str) -> None:
    assert is_aside(text, "en-us")


@pytest.mark.parametrize("text", ["no", "stop", "help", "agent", "yeah but", "okay wait", "forty", "i can't"])
def test_turns(text: str) -> None:
    assert not is_aside(text, "en")
    assert takes_turn(text, VOICE, 1.2, "en")
    assert not takes_turn(text, VOICE, 0.9, "en"), "few words are waited for"
    assert takes_turn(f"{text} my head hurts", VOICE, 0.9, "en")


def test_a_language_without_a_list_knows_no_asides() -> None:
    assert not is_aside("yeah", "zz")
    assert not is_plain_aside("yeah", "zz")
    assert asides("zz") == ()


def test_a_plain_aside_is_whole_and_nothing_else() -> None:
    assert is_plain_aside("uh huh", "en")
    assert not any(is_plain_aside(text, "en") for text in ("", "uh", "the", "yeah [unk]", "i"))


def test_only_a_voice_that_lasts_takes_the_turn_without_words() -> None:
    assert not takes_turn("", VOICE, 0.8, "en")
    assert takes_turn("", VOICE, 1.2, "en")
    assert not takes_turn("yeah okay", VOICE, 1.0, "en")
    assert takes_turn("yeah okay", VOICE, 1.5, "en")


@pytest.mark.parametrize(
    ("text", "expect", "plain", "left", "expected"),
    [
        ("yes", "yes_no", True, 0.5, True),
        ("yes", "yes_no", True, 4.0, False),
        ("okay", "yes_no", None, 0.5, False),
        ("yes", "open", True, 0.5, False),
        ("right", "choice", None, 0.5, True),
        ("right", "choice", None, 4.0, False),
    ],
)
def test_a_yes_answers_a_question_that_is_nearly_out(
    text: str, expect: str, plain: bool | None, left: float, expected: bool
) -> None:
    phrases = ("left", "right") if expect == "choice" else ()
    assert answers(text, expect=expect, phrases=phrases, plain=plain, left=left) is expected


@pytest.mark.parametrize("kind", ["cough", "tap", "breath", "crackle", "clatter"])
def test_sounds_without_a_vowel_are_noise_whatever_was_heard(kind: str) -> None:
    dice = random.Random(7)
    for _ in range(5):
        samples = noise(kind, dice)
        assert is_noise("tight", voicing(to_pcm(samples)), samples.size / 8000)


@pytest.mark.parametrize("text", ["stop", "yes", "no", "it hurts"])
@pytest.mark.parametrize("voice", ["espeak", "slt"])
def test_words_have_vowels(text: str, voice: str) -> None:
    pcm = speech(text, voice)
    assert not is_noise(text, voicing(pcm), len(pcm) / 16000 - 0.1)


def test_a_whisper_of_several_words_is_believed() -> None:
    pcm = to_pcm(np.random.default_rng(1).standard_normal(8000) * 0.05)
    assert not is_noise("please help me now", voicing(pcm), 1.0)


def test_short_doubtful_words_do_not_stop_a_sentence_but_what_interrupts_does() -> None:
    assert is_faint("pee", "[unk]", seconds=0.4, left=5.0, language="en")
    assert not is_faint("stop", "[unk]", seconds=0.4, left=5.0, language="en")
    assert not is_faint("pee", "stop", seconds=0.4, left=5.0, language="en")
    assert not is_faint("pee", "[unk]", seconds=0.4, left=1.0, language="en")
    assert not is_faint("pee", "[unk]", seconds=0.9, left=5.0, language="en")


def test_two_coughs_in_a_row_are_noise_and_a_long_sentence_is_not() -> None:
    dice = random.Random(4)
    for _ in range(5):
        samples = noise("double cough", dice)
        assert is_noise("an ant", voicing(to_pcm(samples)), samples.size / 8000)
    pcm = speech("it started yesterday", "slt")
    assert not is_noise("it started yesterday", voicing(pcm), len(pcm) / 16000 - 0.1)


def test_a_hum_of_which_words_were_made_is_a_murmur() -> None:
    dice, heard = random.Random(4), []
    for _ in range(10):
        samples = noise("mm-hm", dice)
        seconds = samples.size / 8000
        sound = voicing(to_pcm(samples))
        heard.append(is_murmur("four", sound, seconds=seconds, left=5.0, language="en"))
        assert not is_murmur("four", sound, seconds=seconds, left=1.0, language="en"), "the question is out"
        assert not is_murmur("stop", sound, seconds=seconds, left=5.0, language="en")
        assert not is_murmur("four or five", sound, seconds=seconds, left=5.0, language="en")
    assert sum(heard) >= 8


@pytest.mark.parametrize("text", ["stop", "no", "it hurts", "my chest", "seven", "fever"])
def test_words_are_no_murmur(text: str) -> None:
    pcm = speech(text)
    assert not is_murmur("four", voicing(pcm), seconds=len(pcm) / 16000 - 0.1, left=5.0, language="en")
