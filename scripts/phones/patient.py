"""A simulated patient on a real SIP phone: waits for the question, understands it, answers it.

`python -m scripts.phones.patient --call sip:hotline@127.0.0.1:5060 --person routine`; writes JSON lines to stdout.
"""

import argparse
import asyncio
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dialogs.prompts import TomlPrompts, load_sentences
from ivr.audio import wav
from ivr.audio.convert import normalise, to_pcm, to_samples
from ivr.audio.format import RATE
from ivr.lines.sip_settings import SipSettings
from ivr.ports import AudioHeard, KeyPressed, LegAnswered, LegGone, LegRinging, LineError, PlayEnded, Voice, VoiceError
from ivr.voices.choose import choose
from scripts.phones.listening import Listener, Piece, best_match, clauses
from scripts.phones.phone import Phone, ears, report

HERE = Path(__file__).parent
PROMPTS = HERE.parent.parent / "dialogs/prompts"
ANSWERED = ("ask.", "menu.")
HELLO = "agent.hello"
UNCLEAR = "ask.?"
MUFFLED_HZ = 420
UNCLEAR_SECONDS = 1.0
NURSE = "hello this is the nurse how can i help you"
REPLY = "thank you please help me"
PATIENCE_SECONDS = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Something to say or to press."""

    text: str
    """Words, for the report."""
    pcm: bytes = b""
    """The words as audio."""
    keys: str = ""
    """Keys instead of words."""


class Patient:
    """Answers by the person's list; a real person's recordings instead where there are any."""

    def __init__(self, person: dict[str, Any], voice: Voice, recordings: list[Path]) -> None:
        self._person = person
        self._voice = voice
        self._recordings = recordings
        self._by_name = {path.stem: path for path in recordings}

    async def answer(self, key: str) -> Line | None:
        """What to say to a question; None to say nothing."""
        if self._recordings and not key.startswith("agent."):
            return self._recorded(key)
        text = self._person["answers"].get(key, self._person["otherwise"] if key.startswith("ask.") else "")
        if key == HELLO:
            text = REPLY
        if text.startswith("keys:"):
            return Line(text=f"(presses {text[5:]})", keys=text[5:])
        if not text:
            return None
        pcm = await self._voice.speak(text, keep=False)
        muffled = self._person.get("muffled") and key != HELLO
        return Line(text=f"(muffled) {text}", pcm=muffle(pcm)) if muffled else Line(text=text, pcm=pcm)

    def _recorded(self, key: str) -> Line | None:
        """By the question's name (age.wav), else the next file in order."""
        path = self._by_name.get(key.partition(".")[2]) or self._by_name.get("otherwise")
        path = path or (self._by_name.get("no") if key == UNCLEAR else None)
        if path is None and not set(self._by_name) & SENTENCE_NAMES:
            path = self._recordings.pop(0) if self._recordings else None
        if path is None:
            return None
        said = path.with_suffix(".txt")
        text = said.read_text(encoding="utf-8").strip() if said.exists() else f"(recording {path.name})"
        return Line(text=text, pcm=wav.load(path))


SENTENCE_NAMES = {key.partition(".")[2] for key in load_sentences(PROMPTS)["en"] if key.startswith(ANSWERED)}


def muffle(pcm: bytes) -> bytes:
    """The voice without anything above 420 Hz: one hears that somebody speaks, but no word."""
    samples = to_samples(pcm)
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(len(samples), 1 / RATE) > MUFFLED_HZ] = 0
    return to_pcm(normalise(np.fft.irfft(spectrum, len(samples))))


class Conversation:
    """One call of the patient."""

    def __init__(
        self, phone: Phone, patient: Patient, listener: Listener, sentences: dict[str, str], voice: str
    ) -> None:
        self._phone = phone
        self._patient = patient
        self._listener = listener
        self._sentences = sentences
        self._nurse = 0
        self._asked = False
        self._voice = voice
        self._quiet_since = time.monotonic()
        self._lines: dict[int, Line] = {}
        self._hanging_up = 0.0

    async def live(self) -> None:
        """Until the call is over."""
        while True:
            at, event = await self._phone.events.get()
            match event:
                case LegRinging() | LegAnswered():
                    report(type(event).__name__)
                    if isinstance(event, LegAnswered):
                        self._phone.background()
                case AudioHeard():
                    await self._hear(event.pcm, at)
                case PlayEnded() if event.play in self._lines:
                    report("said_end", play=event.play, complete=event.complete)
                case KeyPressed():
                    report("key", digit=event.digit)
                case LegGone():
                    report("gone", cause=event.cause.value)
                    return

    async def _hear(self, pcm: bytes, at: float) -> None:
        before = self._listener.start
        piece = await self._listener.frame(pcm, at)
        if self._listener.start and not before:
            report("voice", start=self._listener.start)
        if self._hanging_up and at > self._hanging_up and not self._phone.talking:
            await self._phone.line.hang_up(self._phone.leg)
            self._hanging_up = 0.0
        if piece is not None and not self._phone.talking:
            await self._react(piece)

    def _understand(self, piece: Piece) -> str:
        """A question first, also a badly heard one; then anything else, well heard; else a guess."""
        heard = (piece.text, piece.guided)
        questions = {key: text for key, text in self._sentences.items() if key.startswith((*ANSWERED, "agent."))}
        return (
            best_match(heard, questions, 0.7)
            or best_match(heard, self._sentences, 0.7)
            or best_match(heard, questions)
            or self._guess(piece)
        )

    def _guess(self, piece: Piece) -> str:
        """A question that was not understood: taken as some question, as people do on a bad line; not so what the
        hotline says when no more questions come."""
        return UNCLEAR if piece.end - piece.start > UNCLEAR_SECONDS and self._asked else ""

    async def _react(self, piece: Piece) -> None:
        key = self._understand(piece)
        report("heard", start=piece.start, end=piece.end, text=piece.text, key=key)
        if key == HELLO:
            self._nurse += 1
            if self._nurse == 2:
                self._hanging_up = time.monotonic() + 0.5
                return
        self._asked = key.startswith(ANSWERED)
        line = await self._patient.answer(key) if key else None
        if line is None:
            return
        if line.keys:
            report("said", play=-1, text=line.text, key=key)
            self._phone.line.send_keys(self._phone.leg, line.keys)
            return
        play = self._phone.say(line.pcm)
        self._lines[play] = line
        report("said", play=play, text=line.text, key=key, seconds=len(line.pcm) / 16000, voice=self._voice)


def fixed(sentence: str) -> bool:
    """Whether it needs only what every sentence may use."""
    return "{" not in sentence.replace("{emergency}", "").replace("{hotline}", "")


async def main_async(args: argparse.Namespace) -> int:
    """Call, talk, hang up. Exit 2 for bad input."""
    people = tomllib.loads((HERE / "people.toml").read_text(encoding="utf-8"))
    voice = choose(args.voice)
    recordings = sorted(args.wav.glob("*.wav")) if args.wav else []
    phone = Phone(SipSettings(port=args.port, tx_drop_pct=args.loss, rtp_ports=(24000, 27998)), args.noise)
    common = {"emergency": " ".join(args.emergency), "hotline": "the medical hotline"}
    prompts = TomlPrompts(PROMPTS, common)
    sentences = {
        key: prompts._filled(text, common)
        for key, text in load_sentences(PROMPTS)["en"].items()
        if fixed(text)
    }
    sentences[HELLO] = NURSE
    everything = [prompts._filled(text, common) for text in load_sentences(PROMPTS)["en"].values() if fixed(text)]
    listener = Listener(await ears(args.models), clauses([*everything, NURSE]))
    await phone.line.start(lambda arrival: None)
    try:
        report("dialling")
        phone.leg = await phone.line.dial(args.call, args.shown, phone.sink)
        async with asyncio.timeout(args.seconds):
            patient = Patient(people[args.person], voice, recordings)
            await Conversation(phone, patient, listener, sentences, "" if args.wav else args.voice).live()
    except TimeoutError:
        report("gone", cause="patient gave up")
        await phone.line.hang_up(phone.leg)
        await asyncio.sleep(0.3)
    finally:
        await phone.line.close()
    return 0


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--call", required=True)
    parser.add_argument("--person", default="emergency")
    parser.add_argument("--shown", default="+12025550143")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--voice", default="piper")
    parser.add_argument("--noise", type=float)
    parser.add_argument("--loss", type=int, default=0)
    parser.add_argument("--wav", type=Path)
    parser.add_argument("--models", type=Path, default=Path("var/models"))
    parser.add_argument("--emergency", default="911")
    parser.add_argument("--seconds", type=float, default=180)
    try:
        return asyncio.run(main_async(parser.parse_args()))
    except (LineError, VoiceError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
