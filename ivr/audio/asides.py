"""Is a voice over a sentence of ours a turn, or a sign of listening? Pure; words are data in `hints`.

"Mm-hm", "yeah", "okay", a cough or a door say: go on. Everything else says: stop. Whatever has a word in it that is
not known as a sign of listening is a turn, so that "no", "stop" or "help" need no list.
"""

from ivr.audio.hints import LANGUAGES, UNKNOWN, Words
from ivr.audio.voicing import Voicing

OUT_SECONDS = 1.5
"""A question of which less is left counts as asked: its last words are often talked over."""
ASIDE_SECONDS = 0.36
"""Silence that ends a sign of listening."""

_WORDS_SECONDS = 0.8  # of voice: in less, words are made of a cough, and a whole answer ends by itself
_FEW_WORDS_SECONDS = 1.2  # so few are waited for: we are silent meanwhile, and only at the end they are surely heard
_FEW_WORDS = 3
_WORDLESS_SECONDS = 1.0
_FAINT_SECONDS = 0.6
_LONG_SECONDS = 1.3  # "yeah okay mm-hm" lasts
_VOWEL_SECONDS = 0.1  # least voiced sound of a word that stands alone
_VOWEL_SHARE = 0.2  # and of a short word: "stop"
_SPOKEN_SECONDS = 0.5
_SPOKEN_SHARE = 0.42  # of a longer sound of few words: synthetic speech has 0.49 at least, two coughs 0.4 at most
_WORDS_OF_COUGHS = 2
_HUM_SECONDS = 0.34  # two syllables
_HUM_SHARE = 0.65  # voiced nearly from end to end
_WORDS_OF_HUM = 2
_WORDS_OF_NOISE = 3  # more words than these are believed without a voice: somebody may have to whisper


def is_aside(text: str, language: str) -> bool:
    """Whether the words are signs of listening alone, or none at all; the beginning of one counts, as partials have
    it. False where the language has no list."""
    words = _words(language)
    said = [word for word in text.lower().split() if word != UNKNOWN]
    return bool(words.asides) and _only(said, words.asides | words.meaningless, begun=True)


def is_plain_aside(text: str, language: str) -> bool:
    """Whether the words are whole signs of listening and nothing else."""
    said = text.lower().split()
    return bool(said) and _only(said, _words(language).asides, begun=False)


def is_noise(text: str, sound: Voicing, seconds: float) -> bool:
    """Whether a sound of so many seconds has no vowel in it, whatever words a recogniser made of it."""
    words = len(text.split())
    share = _SPOKEN_SHARE if seconds >= _SPOKEN_SECONDS and words <= _WORDS_OF_COUGHS else _VOWEL_SHARE
    return words <= _WORDS_OF_NOISE and sound.seconds < max(_VOWEL_SECONDS, share * seconds)


def is_murmur(text: str, sound: Voicing, *, seconds: float, left: float, language: str) -> bool:
    """Whether a short sound in the middle of our sentence is a hum with closed lips, of which doubtful words were
    made; never where they interrupt."""
    voiced = seconds >= _HUM_SECONDS and sound.seconds >= _HUM_SHARE * seconds
    few = len(text.split()) <= _WORDS_OF_HUM and text not in _words(language).counters
    return left > OUT_SECONDS and few and voiced and sound.hums


def asides(language: str) -> tuple[str, ...]:
    """Signs of listening, for a grammar, and what must not be mistaken for one."""
    words = _words(language)
    return (*sorted(words.asides), *words.counters)


def worth_a_look(seconds: float, plain: bool | None) -> bool:
    """Whether a voice of this length, heard as something else, may have been a sign of listening all the same: alone
    and in free speech, recognisers mishear them. A plain no is believed."""
    return plain is not False and seconds <= _FEW_WORDS_SECONDS


def is_faint(text: str, other: str, *, seconds: float, left: float, language: str) -> bool:
    """Whether a sound in the middle of our sentence is so short that doubtful words do not stop it: neither `text`,
    heard freely, nor `other`, heard with the grammar of `asides`, is something that interrupts."""
    if left <= OUT_SECONDS or seconds > _FAINT_SECONDS or len(text.split()) > _WORDS_OF_NOISE:
        return False
    return text not in _words(language).counters and not set(other.split()) - {UNKNOWN, *_asides_words(language)}


def _asides_words(language: str) -> set[str]:
    words = _words(language)
    return {word for phrase in words.asides for word in phrase.split()} | words.meaningless


def takes_turn(text: str, sound: Voicing, seconds: float, language: str) -> bool:
    """Whether a sound that has lasted so long, heard as this so far, is more than a sign of listening."""
    if not text:
        return seconds >= _WORDLESS_SECONDS
    if is_aside(text, language) or is_noise(text, sound, seconds):
        return seconds >= _LONG_SECONDS
    return seconds >= (_FEW_WORDS_SECONDS if len(text.split()) <= _FEW_WORDS else _WORDS_SECONDS)


def answers(text: str, *, expect: str, phrases: tuple[str, ...], plain: bool | None, left: float) -> bool:
    """Whether words that could be a sign of listening answer the question: it is (nearly) out, and they are one of
    its answers. `plain` says that they are a plain yes or no, `left` how many seconds of the question are not out."""
    return left <= OUT_SECONDS and (text in phrases or (expect == "yes_no" and plain is not None))


def _words(language: str) -> Words:
    return LANGUAGES.get(language.split("-")[0].lower(), Words())


def _only(said: list[str], phrases: frozenset[str], *, begun: bool) -> bool:
    """Whether the words are phrases of the set, one after the other; the last may be only `begun`."""
    if not said:
        return True
    if begun and any(phrase.startswith(" ".join(said) + " ") for phrase in phrases):
        return True
    return any(
        " ".join(said[:count]) in phrases and _only(said[count:], phrases, begun=begun)
        for count in range(min(4, len(said)), 0, -1)
    )
