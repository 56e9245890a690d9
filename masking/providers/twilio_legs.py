"""What we write into the addresses that Twilio calls back, and what its answers mean. Pure.

Twilio signs addresses with their query, so what stands there cannot be changed by others; ids only, no real number.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from urllib.parse import urlencode

from masking.parties import letters
from masking.port import CallRecord, LegEnd, Verdict
from masking.providers.twilio_gate import Malformed

PROVIDER = "twilio"
VOICE, CODE, WHISPER, CLICK, STATUS = (f"/twilio/voice{end}" for end in ("", "/code", "/whisper", "/click", "/status"))
FAILED_STIR = "TN-Validation-Failed"
"""Beginning of StirVerstat where the caller id was forged (twilio.com/docs/voice/trusted-calling-with-shakenstir)."""
ENDS: Mapping[str, LegEnd] = {
    "busy": LegEnd.BUSY,
    "no-answer": LegEnd.NO_ANSWER,
    "failed": LegEnd.UNREACHABLE,
    "canceled": LegEnd.ABANDONED,
}
"""DialCallStatus and CallStatus of calls that nobody took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Legs:
    """A call between webhooks."""

    call: str
    """Opaque id."""
    number: str
    """Virtual number that was dialled; of a click-to-call: that the doctor sees."""
    caller: str = ""
    """Party id; "" for withheld and forged ones."""
    at: str = "0"
    """When it began: whole seconds since the epoch."""
    binding: str = ""
    """Id or ""."""
    owner: str = ""
    """Owner of the binding."""
    callee: str = ""
    """Party id."""
    shown: str = ""
    """Virtual number that the callee sees."""
    seconds: str = "0"
    """Longest duration."""
    coded: str = ""
    """"1" where a code let the caller in."""
    wish: str = ""
    """Id of a click-to-call; ""."""

    def address(self, public: str, path: str, **more: str) -> str:
        """Where Twilio goes on with it."""
        given = {name: value for name, value in asdict(self).items() if value} | more
        return f"{public}{path}?{urlencode(given)}"

    def with_verdict(self, verdict: Verdict) -> "Legs":
        """After the look-up."""
        return Legs(
            call=self.call, number=self.number, caller=self.caller, at=self.at, wish=self.wish,
            binding=verdict.binding, owner=verdict.owner, callee=verdict.callee, shown=verdict.shown,
            seconds=str(int(verdict.seconds)), coded="1" if verdict.by_code else "",
        )  # fmt: skip


def legs_of(query: Mapping[str, str]) -> Legs:
    """Back from an address. Raises Malformed."""
    known = {field.name for field in fields(Legs)}
    given = {name: value for name, value in query.items() if name in known}
    counts = all(given.get(name, "0").isdecimal() for name in ("at", "seconds"))
    if not {"call", "number"} <= given.keys() or not counts:
        raise Malformed("the address is none of ours")
    return Legs(**given)


def call_id(sid: str) -> str:
    """Our id of a call of Twilio's: the same for the same, in letters."""
    return "call-" + letters(int(hashlib.sha256(sid.encode()).hexdigest()[:20], 16))


def forged(verstat: str) -> bool:
    """Whether the network found the caller id to be false. No verdict is no proof of either."""
    return verstat.startswith(FAILED_STIR)


def ended(fields: Mapping[str, str], legs: Legs, *, confirmed: bool) -> LegEnd:
    """Why the second leg is over, from the parameters of <Dial>'s action."""
    status = fields.get("DialCallStatus", "")
    if status in ENDS:
        return ENDS[status]
    if status not in {"completed", "answered"}:
        return LegEnd.FAILED
    if not confirmed:
        return LegEnd.NOT_CONFIRMED
    lasted = int(fields.get("DialCallDuration") or 0) if (fields.get("DialCallDuration") or "0").isdecimal() else 0
    return LegEnd.TIME_UP if 0 < int(legs.seconds) <= lasted else LegEnd.COMPLETED


def records(
    legs: Legs, fields: Mapping[str, str], end: LegEnd, now: float, *, joined: bool
) -> tuple[CallRecord, CallRecord]:
    """Both legs, when the second is over: the second first, for the first one's record ends the call."""
    gone = fields.get("CallStatus") in {"completed", "canceled"}
    lasted = fields.get("DialCallDuration") or "0"
    answered = now - float(lasted) if joined and lasted.isdecimal() else None
    ours = end in {LegEnd.TIME_UP, LegEnd.NOT_CONFIRMED, LegEnd.KILLED}
    by = "us" if ours else "caller" if gone else "callee"
    first = end if joined or not gone or end is LegEnd.KILLED else LegEnd.ABANDONED
    second = record(legs, "b", end, now, party=legs.callee, number=legs.shown, answered=answered, by=by)
    return second, record(legs, "a", first, now, party=legs.caller, number=legs.number, answered=answered, by=by)


def record(
    legs: Legs, leg: str, end: LegEnd, now: float, *, party: str, number: str, answered: float | None = None,
    by: str = "us",
) -> CallRecord:  # fmt: skip
    """Record of one leg."""
    return CallRecord(
        call=legs.call, leg=leg, owner=legs.owner, binding=legs.binding, party=party, number=number,
        provider=PROVIDER, started=min(float(legs.at), now), answered=answered, ended=now, end=end, released_by=by,
        by_code=bool(legs.coded),
    )  # fmt: skip
