"""The legs as the SIP thread sees them. Every method runs on that thread; what came of it is reported as events."""

import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import pjsua2 as pj

from ivr.lines import sip_text
from ivr.lines.sip_call import Came, Changed, FaxWanted, MediaChanged, Notice, Post, Pressed, SipCall
from ivr.lines.sip_causes import cause_of
from ivr.lines.sip_engine import Engine
from ivr.lines.sip_links import Links, SwitchLeg
from ivr.lines.sip_media import LegAudio
from ivr.lines.sip_settings import SipSettings
from ivr.lines.sip_silence import SilenceWatch
from ivr.ports import Cause, FaxAsked, KeyPressed, LegAnswered, LegArrived, LegGone, LegRinging, LineEvent

_RETRY_AFTER_S = "30"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A leg that arrived, with its audio."""

    event: LegArrived
    """For the worker."""
    audio: LegAudio
    """Shared with the event loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """The call slot of a leg is free again; later than LegGone where the far end is silent."""

    leg: str
    """The leg."""


Report: TypeAlias = LineEvent | Arrival | Freed


class Reports(Protocol):
    """The event loop's side, as the SIP thread and the clock thread may use it."""

    def report(self, report: Report) -> None:
        """Hand over; returns at once."""
        ...

    def wake(self) -> None:
        """Frames wait in some leg's ring."""
        ...

    def new_leg(self) -> tuple[str, LegAudio]:
        """A fresh name and fresh rings."""
        ...


class Switch:
    """Answers, dials, joins and ends legs."""

    def __init__(self, engine: Engine, settings: SipSettings, desk: Reports, post: Post) -> None:
        self._engine = engine
        self._settings = settings
        self._desk = desk
        self._post = post
        self._links = Links(desk.wake)
        self._silence = SilenceWatch(settings.silence_s)
        self._networks = tuple(ipaddress.ip_network(peer) for peer in settings.peers)
        self._trusted = tuple(ipaddress.ip_network(peer) for peer in settings.trusted)
        self._legs: dict[str, SwitchLeg] = {}
        self._by_call: dict[SipCall, SwitchLeg] = {}

    @property
    def busy(self) -> bool:
        """Whether any call is left."""
        return bool(self._legs)

    def notice(self, notice: Notice) -> None:
        """Act on what a callback posted."""
        if isinstance(notice, Came):
            self._came(notice)
            return
        leg = self._by_call.get(notice.call)
        match notice:
            case Changed() if leg is not None:
                self._changed(leg, notice)
            case MediaChanged() if leg is not None:
                self._links.refresh(leg)
            case FaxWanted() if leg is not None and not leg.gone:
                self._desk.report(FaxAsked(leg=leg.id))
            case Pressed() if leg is not None and leg.answered and not leg.gone:
                self._desk.report(KeyPressed(leg=leg.id, digit=notice.digit))

    def answer(self, leg_id: str) -> None:
        """200 OK; given up where no ACK follows."""
        leg = self._legs.get(leg_id)
        if leg is not None and not leg.accepted:
            leg.accepted = True
            leg.ring_by = None
            leg.ack_by = time.monotonic() + self._settings.ack_wait_s
            if not _order(leg, lambda: leg.call.answer(_status(200))):
                self._give_up(leg)

    def hang_up(self, leg_id: str, code: int = 0) -> None:
        """CANCEL, BYE or a final status, whichever fits."""
        leg = self._legs.get(leg_id)
        if leg is not None:
            order = _status(code)
            if code == 503:
                _add_header(order, "Retry-After", _RETRY_AFTER_S)
            _order(leg, lambda: leg.call.hangup(order))

    def dial(self, leg_id: str, audio: LegAudio, address: str, shown: str) -> None:
        """A new dialog that knows nothing of any other."""
        account, host = self._engine.caller(address)
        call = SipCall(account, self._post)
        leg = self._keep(leg_id, call, audio, incoming=False)
        order = _status(0)
        order.txOption.localUri = f'"{self._settings.display}" <sip:{shown}@{host}>'
        try:
            call.makeCall(address, order)
            self._engine.account.rest()
        except pj.Error:
            self._say_gone(leg, Cause.UNREACHABLE)
            self._forget(leg)

    def bridge(self, one_id: str, other_id: str) -> None:
        """Join two answered legs natively."""
        one, other = self._legs.get(one_id), self._legs.get(other_id)
        if one is not None and other is not None:
            self._links.join(one, other)

    def send_keys(self, leg_id: str, digits: str, *, info: bool) -> None:
        """Press keys towards the far end."""
        leg = self._legs.get(leg_id)
        if leg is not None and leg.answered:
            order = pj.CallSendDtmfParam()
            order.digits = digits
            order.method = pj.PJSUA_DTMF_METHOD_SIP_INFO if info else pj.PJSUA_DTMF_METHOD_RFC2833
            _order(leg, lambda: leg.call.sendDtmf(order))

    def tick(self) -> None:
        """Follow what is being said, and give up legs whose ACK never came, that ring for ever or that fell silent.
        Called a few hundred times a second."""
        now = time.monotonic()
        for leg in list(self._legs.values()):
            self._links.speak(leg)
            if leg.ack_by is not None and now > leg.ack_by:
                self._give_up(leg)
            elif leg.ring_by is not None and now > leg.ring_by:
                leg.ring_by = None
                self._give_up(leg, Cause.NO_ANSWER, 480)
        standing = (leg for leg in self._legs.values() if leg.answered and not leg.gone and not leg.call.over)
        for leg_id in self._silence.dead(((leg.id, leg.call) for leg in standing), now):
            self._give_up(self._legs[leg_id])

    def hang_up_all(self) -> None:
        """End every call."""
        for leg_id in list(self._legs):
            self.hang_up(leg_id)

    def drop(self) -> None:
        """Let every library object go, before the library itself goes."""
        for leg in list(self._legs.values()):
            self._forget(leg)
        self._links.drop()

    def _came(self, came: Came) -> None:
        facts = sip_text.read_invite(
            came.message, source=host_of(came.source), edge=bool(self._settings.proxy),
            trusted=_within(came.source, self._trusted),
        )  # fmt: skip
        leg_id, audio = self._desk.new_leg()
        leg = self._keep(leg_id, came.call, audio, incoming=True)
        if facts.replaces or not self._welcome(came.source):
            leg.gone = True
            self.hang_up(leg_id, 403)
            return
        leg.ring_by = time.monotonic() + self._settings.ring_wait_s
        _order(leg, lambda: came.call.answer(_status(180)))
        event = LegArrived(
            leg=leg_id, caller=facts.caller, dialled=facts.dialled, suspect=facts.suspect, source=facts.source
        )
        self._desk.report(Arrival(event=event, audio=audio))

    def _welcome(self, source: str) -> bool:
        return not self._networks or _within(source, self._networks)

    def _changed(self, leg: SwitchLeg, change: Changed) -> None:
        match change.state:
            case pj.PJSIP_INV_STATE_EARLY if not leg.incoming and not leg.rang:
                leg.rang = True
                self._desk.report(LegRinging(leg=leg.id))
            case pj.PJSIP_INV_STATE_CONFIRMED if not leg.answered:
                leg.answered = True
                leg.ack_by = None
                if not leg.gone:
                    self._desk.report(LegAnswered(leg=leg.id))
                    self._links.open(leg)
            case pj.PJSIP_INV_STATE_DISCONNECTED:
                self._say_gone(leg, cause_of(change.status, answered=leg.answered or leg.accepted))
                self._forget(leg)

    def _give_up(self, leg: SwitchLeg, cause: Cause = Cause.FAILED, code: int = 0) -> None:
        leg.ack_by = None
        self._say_gone(leg, cause)
        self.hang_up(leg.id, code)

    def _say_gone(self, leg: SwitchLeg, cause: Cause) -> None:
        if not leg.gone:
            leg.gone = True
            self._desk.report(LegGone(leg=leg.id, cause=cause))

    def _keep(self, leg_id: str, call: SipCall, audio: LegAudio, *, incoming: bool) -> SwitchLeg:
        leg = SwitchLeg(id=leg_id, call=call, audio=audio, incoming=incoming)
        self._legs[leg_id] = self._by_call[call] = leg
        return leg

    def _forget(self, leg: SwitchLeg) -> None:
        self._links.close(leg)
        self._silence.forget(leg.id)
        del self._legs[leg.id], self._by_call[leg.call]
        leg.call.let_go()
        self._desk.report(Freed(leg=leg.id))


def host_of(source: str) -> str:
    """The address in "address:port"."""
    return source.rpartition(":")[0].strip("[]")


def _within(source: str, networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]) -> bool:
    return bool(networks) and any(ipaddress.ip_address(host_of(source)) in network for network in networks)


def _status(code: int) -> Any:
    order = pj.CallOpParam(True)
    if hasattr(order.opt, "textCount"):  # newer libraries offer a stream of typed text (T.140) unless told not to
        order.opt.textCount = 0
    if code:
        order.statusCode = code
    return order


def _add_header(order: Any, name: str, value: str) -> None:
    header = pj.SipHeader()
    header.hName, header.hValue = name, value
    order.txOption.headers.append(header)


def _order(leg: SwitchLeg, action: Callable[[], None]) -> bool:
    """Run one call into the library on a live call; False where the call is over or the library refused. A refusal
    means that the call is just ending, of which the library tells by itself."""
    if leg.call.over or not leg.call.isActive():
        return False
    try:
        action()
    except pj.Error:
        return False
    return True
