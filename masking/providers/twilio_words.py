"""TwiML documents: what Twilio is told to do with a call (twilio.com/docs/voice/twiml). Pure.

Every <Dial> names the caller id: without it Twilio shows the caller's own number (error 13214 where it is not allowed).
Nothing is recorded.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

SENTENCES = Path(__file__).parent / "spoken.toml"
RING_SECONDS = 30
CODE_SECONDS = 8
KEY_SECONDS = 8
LONGEST_CODE = 12
RINGS = frozenset({
    "at", "au", "be", "br", "ch", "cn", "de", "es", "fr", "in", "it", "jp", "mx", "nl", "nz", "pl", "se", "uk", "us",
})  # fmt: skip
"""Countries of our lists whose ringing tone Twilio knows."""
MOST_SECONDS = 14_400
"""Twilio's own limit of a call that <Dial> connects: four hours."""


class Spoken:
    """Makes documents in one language."""

    def __init__(self, language: str, *, emergency: str, hotline: str, ring: str = "US") -> None:
        """`language`: English where there is no file for it. `emergency`: its number. `hotline`: "sip:user@host" or a
        number with plus, where humans of ours answer; "" for none. `ring`: country whose tone callers hear, ISO 3166
        (twilio.com/docs/voice/twiml/dial, ringTone), never the other side's own."""
        table = tomllib.loads(SENTENCES.read_text(encoding="utf-8"))
        said: Mapping[str, str] = table.get(language, table["en"])
        self._said = {name: text.format(emergency=" ".join(emergency)) for name, text in said.items()}
        self._hotline = hotline
        tone = ring.lower().replace("gb", "uk")
        self._ring = tone if tone in RINGS else "us"

    def end(self, sentence: str) -> str:
        """Say it and hang up."""
        answer = VoiceResponse()
        self._say(answer, sentence)
        answer.hangup()
        return str(answer)

    def operator(self, sentence: str, shown: str) -> str:
        """Say it, then put the call through to a human of ours, who sees the virtual number."""
        if not self._hotline:
            return self.end("none")
        answer = VoiceResponse()
        self._say(answer, sentence)
        dial = Dial(caller_id=shown, timeout=60, time_limit=MOST_SECONDS, record="do-not-record")
        if self._hotline.startswith(("sip:", "sips:")):
            dial.sip(self._hotline)
        else:
            dial.number(self._hotline)
        answer.append(dial)
        self._say(answer, "none")
        return str(answer)

    def ask_code(self, sentence: str, action: str) -> str:
        """Ask for a code; whatever is keyed in, also nothing, goes to `action`."""
        answer = VoiceResponse()
        answer.append(self._gather(sentence, action, LONGEST_CODE, CODE_SECONDS, "#"))
        return str(answer)

    def connect(self, number: str, shown: str, seconds: float, *, whisper: str, action: str) -> str:
        """Call a number, which sees `shown`. `seconds`: longest duration. `whisper`: address that asks for key 1; "":
        not asked. `action`: told when it is over."""
        answer = VoiceResponse()
        longest = max(1, min(MOST_SECONDS, int(seconds)))
        dial = Dial(
            caller_id=shown, action=action, method="POST", timeout=RING_SECONDS, time_limit=longest,
            answer_on_bridge=True, ring_tone=self._ring, record="do-not-record",
        )  # fmt: skip
        if whisper:
            dial.number(number, url=whisper, method="POST")
        else:
            dial.number(number)
        answer.append(dial)
        return str(answer)

    def press(self, sentence: str, action: str) -> str:
        """Ask for one key; without one the leg ends: a voicemail box presses none."""
        answer = VoiceResponse()
        answer.append(self._gather(sentence, action, 1, KEY_SECONDS, ""))
        answer.hangup()
        return str(answer)

    def nothing(self) -> str:
        """Go on: after a whisper, both are joined."""
        return str(VoiceResponse())

    def hang_up(self) -> str:
        """End the leg."""
        answer = VoiceResponse()
        answer.hangup()
        return str(answer)

    def _say(self, answer: VoiceResponse, sentence: str) -> None:
        answer.say(self._said[sentence], language=self._said["voice"])

    def _gather(self, sentence: str, action: str, digits: int, seconds: int, end: str) -> Gather:
        gather = Gather(
            input="dtmf", action=action, method="POST", num_digits=digits, timeout=seconds, finish_on_key=end,
            action_on_empty_result=digits > 1,
        )  # fmt: skip
        gather.say(self._said[sentence], language=self._said["voice"])
        return gather
