"""A simulated agent on a real SIP phone: lets it ring, listens to the whispered summary, takes the call, talks.

`python -m scripts.phones.agent --port 5071`; writes JSON lines to stdout until its standard input closes.
"""

import argparse
import asyncio
import sys
import time
from pathlib import Path

from ivr.lines.sip_settings import SipSettings
from ivr.ports import AudioHeard, LegArrived, LegGone, LineError, VoiceError
from ivr.voices.choose import choose
from scripts.phones.listening import Listener
from scripts.phones.patient import NURSE
from scripts.phones.phone import Phone, ears, report

RING_SECONDS = 1.0
BRIDGE_SECONDS = 1.0
AGAIN_SECONDS = 5.0


class Agent:
    """One agent, one call at a time."""

    def __init__(self, phone: Phone, listener: Listener, hello: bytes, takes: bool) -> None:
        self._phone = phone
        self._listener = listener
        self._hello = hello
        self._takes = takes
        self._accepted = 0.0
        self._next_hello = 0.0

    def arrived(self, arrival: LegArrived) -> None:
        """The phone rings."""
        report("ringing", caller=arrival.caller.reveal() if arrival.caller else "", dialled=arrival.dialled)
        self._phone.leg = arrival.leg
        self._task = asyncio.create_task(self._take(arrival.leg))

    async def _take(self, leg: str) -> None:
        if not self._takes:
            return
        await asyncio.sleep(RING_SECONDS)
        self._accepted = self._next_hello = 0.0
        try:
            await self._phone.line.answer(leg, self._phone.sink)
        except LineError:
            return
        report("answered")

    async def live(self) -> None:
        """Until told to stop."""
        while True:
            at, event = await self._phone.events.get()
            if isinstance(event, AudioHeard):
                await self._hear(event.pcm, at)
            elif isinstance(event, LegGone):
                report("gone", cause=event.cause.value)

    async def _hear(self, pcm: bytes, at: float) -> None:
        piece = await self._listener.frame(pcm, at)
        if piece is not None:
            report("heard", start=piece.start, end=piece.end, text=piece.text)
            if not self._accepted and piece.end - piece.start > 1.0:
                self._accepted = time.monotonic()
                self._next_hello = self._accepted + BRIDGE_SECONDS
                report("accepts")
                self._phone.line.send_keys(self._phone.leg, "1")
        if self._accepted and at >= self._next_hello and not self._phone.talking:
            self._next_hello = at + AGAIN_SECONDS
            play = self._phone.say(self._hello)
            report("said", play=play, text=NURSE, seconds=len(self._hello) / 16000)


async def main_async(args: argparse.Namespace) -> int:
    """Wait for calls."""
    hello = await choose(args.voice).speak(NURSE, keep=False)
    phone = Phone(SipSettings(port=args.port, rtp_ports=(28000, 31998)), None)
    agent = Agent(phone, Listener(await ears(args.models)), hello, args.takes == "yes")
    await phone.line.start(agent.arrived)
    report("ready", port=phone.line.port)
    living = asyncio.create_task(agent.live())
    try:
        await asyncio.to_thread(sys.stdin.read)
    finally:
        living.cancel()
        await phone.line.close()
    return 0


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--voice", default="espeak:en-us")
    parser.add_argument("--takes", choices=("yes", "no"), default="yes")
    parser.add_argument("--models", type=Path, default=Path("var/models"))
    try:
        return asyncio.run(main_async(parser.parse_args()))
    except (LineError, VoiceError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
