"""Words that are meant for the relay itself, and what the relay says. Pure.

The words are those that carriers in North America demand (CTIA Messaging Principles) and their Chinese counterparts.
"YES" is left out of those that begin again: patients answer questions with it.
"""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

SENTENCES = Path(__file__).parent / "sentences.toml"


class Word(StrEnum):
    """What a sender wants of the relay."""

    STOP = "stop"
    START = "start"
    HELP = "help"


WORDS: Mapping[Word, frozenset[str]] = {
    Word.STOP: frozenset({
        "stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt out", "arret",
        "td", "退订", "退訂", "取消订阅", "停止",
    }),
    Word.START: frozenset({"start", "unstop", "restart", "恢复", "恢復", "订阅", "訂閱"}),
    Word.HELP: frozenset({"help", "info", "帮助", "幫助"}),
}  # fmt: skip


class Say(StrEnum):
    """Names of the sentences."""

    STOPPED = "stopped"
    STARTED = "started"
    HELP = "help"
    EMERGENCY = "emergency"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    OTHER_STOPPED = "other_stopped"
    MEDIA = "media"
    GROUP = "group"
    INCOMPLETE = "incomplete"
    TOO_LONG = "too_long"
    LIMITED = "limited"
    UNDELIVERED = "undelivered"


def word(body: str) -> Word | None:
    """The wish of a text that is nothing but one of the words, however it is written."""
    plain = unicodedata.normalize("NFKD", body).casefold()
    letters = "".join(char for char in plain if not unicodedata.combining(char))
    bare = re.sub(r"[\s_\-]+", " ", re.sub(r"[^\w\s\-]", "", letters)).strip()
    return next((wish for wish, several in WORDS.items() if bare in several), None)


def sentences(language: str, *, emergency: str, hotline: str = "") -> dict[Say, str]:
    """All sentences of a language, English where it has none. `emergency`: its number; `hotline`: where to call, "" if
    that is not to be said. Raises ValueError naming what is missing in the file."""
    table = tomllib.loads(SENTENCES.read_text(encoding="utf-8"))
    chosen = table.get(language, table["en"])
    if missing := set(Say) - chosen.keys():
        raise ValueError(f"{SENTENCES.name}: {language}: there is no sentence {', '.join(sorted(missing))}")
    values = {"emergency": emergency, "hotline": f" {hotline}" if hotline else ""}
    return {name: chosen[name].format(**values) for name in Say}
