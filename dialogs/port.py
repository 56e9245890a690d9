"""The door of `dialogs`: what was heard goes in, what to say and do next comes out.

Nothing here is spoken text. A `Prompt` names a sentence of prompts/<language>.toml; `Prompts` turns it into words.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class DialogueUnavailable(Exception):
    """The dialogue engine did not answer in time or answered nonsense; the keypad menu takes over."""


class Level(StrEnum):
    """Level of care, most urgent first."""

    EMERGENCY = "emergency"
    URGENT = "urgent"
    ROUTINE = "routine"
    SELF_CARE = "self_care"


class Expect(StrEnum):
    """The kind of answer that a question expects; it chooses grammar and end-pointing patience."""

    OPEN = "open"
    YES_NO = "yes_no"
    NUMBER = "number"
    DURATION = "duration"
    SEVERITY = "severity"
    CHOICE = "choice"
    KEYS = "keys"


class Command(StrEnum):
    """A word or key that works at any moment in any state."""

    HUMAN = "human"
    REPEAT = "repeat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One sentence to say, by name."""

    key: str
    """Name of the sentence in prompts/<language>.toml, for example "ask.age"."""
    values: Mapping[str, str] = field(default_factory=dict)
    """Words for the sentence's placeholders. A prompt with values is never cached on disk."""
    interruptible: bool = True
    """Whether the caller's voice may stop it (barge-in)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the caller is being asked, as far as the ears need to know it."""

    id: str
    """Stable name of the question, for example "age" or "chest_pain.breathless"."""
    expect: Expect
    """The kind of answer expected."""
    hints: tuple[str, ...] = ()
    """Words and phrases expected, lower case; empty means free speech."""
    danger: str | None = None
    """Red-flag rule that a "yes" to this question fires; None where a yes is harmless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One utterance of the caller, partial or final."""

    text: str
    """Recognised words, lower case; "[unk]" stands for a word outside the grammar."""
    confidence: float = 1.0
    """Mean word confidence, 0 to 1."""
    final: bool = True
    """False for a partial transcript, which may still change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedFlag:
    """A danger that the safety net recognised."""

    rule: str
    """Stable name of the rule, for example "chest_pain"."""
    words: str
    """The matched words: health data, for the encrypted journal only."""
    prompts: tuple[Prompt, ...]
    """What the caller is told at once, the emergency number first."""
    summary: Prompt
    """One sentence whispered to the agent."""
    department: str = "emergency"
    """Department that the danger belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TriageResult:
    """What the triage proposes: a draft until a clinician confirms it."""

    level: Level
    """Level of care."""
    department: str
    """Stable name of the department, for example "dermatology"."""
    complaint: str
    """Stable name of the main complaint."""
    reasons: tuple[str, ...]
    """Names of the rules that fired."""
    version: str
    """Version of the knowledge base that decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A human is wanted."""

    level: Level
    """Urgency of the request."""
    reason: str
    """Stable name of the reason: "red_flag:<rule>", "asked", "not_understood", "result"."""
    summary: tuple[Prompt, ...]
    """What the agent hears before accepting: one sentence, never a number or a name."""
    department: str = ""
    """Department wanted; empty where any agent will do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What happens next. No question and no handover means: say it and say goodbye."""

    say: tuple[Prompt, ...] = ()
    """Sentences, in order."""
    question: Question | None = None
    """What the last sentence asks, if anything."""
    handover: Handover | None = None
    """Set where a human is to be found after (for emergencies: while) the sentences are said."""
    result: TriageResult | None = None
    """Set once, when the triage has an outcome."""
    understood: bool = True
    """False where the last utterance could not be used: it counts as a no-match."""


class Dialogue(Protocol):
    """A conversation engine. Conversations are named by the call's id and share nothing."""

    async def start(self, call: str, language: str) -> Turn:
        """First turn of a conversation. Raises DialogueUnavailable."""
        ...

    async def hear(self, call: str, heard: Heard) -> Turn:
        """The caller said something to the last question. Raises DialogueUnavailable."""
        ...

    async def press(self, call: str, digit: str) -> Turn:
        """The caller pressed a key (0-9, *, #). Raises DialogueUnavailable."""
        ...

    async def end(self, call: str) -> None:
        """Forget the conversation; never raises."""
        ...


class SafetyNet(Protocol):
    """Deterministic red-flag rules: no network, no model, no state, under a millisecond."""

    def check(self, heard: Heard, question: Question | None, language: str) -> RedFlag | None:
        """The gravest danger in the words, or None. Called on every partial and every final."""
        ...

    def command(self, heard: Heard, language: str) -> Command | None:
        """A universal command in the words ("agent", "help", "repeat"), or None."""
        ...


class Prompts(Protocol):
    """Sentences by name."""

    def text(self, prompt: Prompt, language: str) -> str:
        """The words of a prompt. Raises KeyError for an unknown key or a missing value."""
        ...

    def fixed(self, language: str) -> tuple[str, ...]:
        """Every sentence without placeholders, to be rendered before the first call."""
        ...
