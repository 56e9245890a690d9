"""Written words for the safety net, which knows spoken ones: small letters, no marks."""

import re
import unicodedata
from collections.abc import Callable

from dialogs.port import Heard, SafetyNet


def danger_in(net: SafetyNet, language: str) -> Callable[[str], bool]:
    """Whether a written text tells of a danger."""

    def danger(text: str) -> bool:
        return net.check(Heard(text=as_heard(text)), None, language) is not None

    return danger


def as_heard(text: str) -> str:
    """The words as a recogniser would have written them."""
    plain = unicodedata.normalize("NFKC", text).replace("\u2019", "'").lower()
    return " ".join(re.sub(r"[^\w\s']", " ", plain).split())
