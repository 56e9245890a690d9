"""A call and the account it belongs to, as PJSIP sees them. The callbacks copy what they are given and post it;
they never act, because acting inside a callback can end the process (a final answer given inside onIncomingCall).
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import pjsua2 as pj

from ivr.lines import sip_text
from ivr.lines.sip_pace import Pace

_LOG = logging.getLogger(__name__)
_MOVED = 302
_REFUSED = (401, 403, 404, 407)


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """An INVITE came in."""

    call: "SipCall"
    """The call made for it."""
    message: str
    """The request's text, as it came."""
    source: str
    """Address and port that sent it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A call's state changed."""

    call: "SipCall"
    """The call."""
    state: int
    """The library's invite state."""
    status: int
    """Last SIP status of the dialog."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaChanged:
    """A call's media started, stopped or moved to another slot of the bridge."""

    call: "SipCall"
    """The call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """A key was pressed."""

    call: "SipCall"
    """The call."""
    digit: str
    """The key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaxWanted:
    """A new offer inside a call is of T.38."""

    call: "SipCall"
    """The call."""


Notice: TypeAlias = Came | Changed | MediaChanged | Pressed | FaxWanted
Post: TypeAlias = Callable[[Notice], None]


class SipCall(pj.Call):  # type: ignore[misc]  # the bindings carry no types
    """One call. Whoever makes it keeps it until it is disconnected: a call object that is collected earlier hangs
    up whatever call has its slot by then. Once `over` no method of the library may be called on it: the slot may be
    another call's before its notices are read."""

    def __init__(self, account: "SipAccount", post: Post, call_id: int = pj.PJSUA_INVALID_ID) -> None:
        super().__init__(account, call_id)
        self._post = post
        self.over = False
        self._redirected = False

    def let_go(self) -> None:
        """Prepare to be collected. The slot may have a new call by now, and destroying this object would hang that
        one up; then the library's half is left behind instead, a few hundred bytes."""
        owner = pj.Call.lookup(self.getId()) if self.getId() != pj.PJSUA_INVALID_ID else None
        if owner is not None and int(owner.this) != int(self.this):
            self.this.disown()

    def onCallState(self, prm: Any) -> None:  # noqa: N802  # the library's name, as all below
        info = self.getInfo()
        self.over = info.state == pj.PJSIP_INV_STATE_DISCONNECTED
        status = _MOVED if self._redirected else info.lastStatusCode
        self._post(Changed(call=self, state=info.state, status=status))

    def onCallMediaState(self, prm: Any) -> None:  # noqa: N802
        self._post(MediaChanged(call=self))

    def onDtmfDigit(self, prm: Any) -> None:  # noqa: N802
        if prm.method == pj.PJSUA_DTMF_METHOD_RFC2833 and prm.digit in sip_text.KEYS:
            self._post(Pressed(call=self, digit=prm.digit))

    def onCallTsxState(self, prm: Any) -> None:  # noqa: N802
        change = prm.e.body.tsxState
        transaction = change.tsx
        if transaction.method not in ("INFO", "INVITE") or transaction.role != pj.PJSIP_ROLE_UAS:
            return
        if transaction.state != pj.PJSIP_TSX_STATE_TRYING or change.type != pj.PJSIP_EVENT_RX_MSG:
            return
        message = change.src.rdata.wholeMsg
        if transaction.method == "INVITE":
            if sip_text.wants_fax(message):
                self._post(FaxWanted(call=self))
        elif (digit := sip_text.info_key(message)) is not None:
            self._post(Pressed(call=self, digit=digit))

    def onCallTransferRequest(self, prm: Any) -> None:  # noqa: N802
        # Left alone, the library accepts a REFER and dials whatever it names.
        prm.statusCode = pj.PJSIP_SC_FORBIDDEN

    def onCallReplaceRequest(self, prm: Any) -> None:  # noqa: N802
        prm.statusCode = pj.PJSIP_SC_FORBIDDEN

    def onCallRedirected(self, prm: Any) -> int:  # noqa: N802
        # The library ends such a call as if it had been cancelled.
        self._redirected = True
        return int(pj.PJSIP_REDIRECT_STOP)


class SipAccount(pj.Account):  # type: ignore[misc]  # the bindings carry no types
    """An identity of ours; this one registers nowhere."""

    def __init__(self, post: Post, pace: Pace) -> None:
        super().__init__()
        self._post = post
        self._pace = pace

    def rest(self) -> None:
        """A call began: wait where calls begin too fast. The one thing done inside a callback, because the library
        reads many requests in one go and asks nobody between them."""
        pause = self._pace.began(time.monotonic())
        if pause > 0:
            time.sleep(pause)

    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802
        call = SipCall(self, self._post, prm.callId)
        self._post(Came(call=call, message=prm.rdata.wholeMsg, source=prm.rdata.srcAddress))
        self.rest()

    def onIncomingSubscribe(self, prm: Any) -> None:  # noqa: N802
        prm.code = pj.PJSIP_SC_FORBIDDEN


class TrunkAccount(SipAccount):
    """An identity at a trunk. What comes of its registration is logged when it changes."""

    def __init__(self, post: Post, pace: Pace, name: str) -> None:
        super().__init__(post, pace)
        self._name = name
        self._last = 0

    def onRegState(self, prm: Any) -> None:  # noqa: N802
        if prm.code == self._last:
            return
        self._last = prm.code
        if 200 <= prm.code < 300:
            _LOG.info("trunk %s: registered", self._name)
        elif prm.code in _REFUSED:
            _LOG.error("trunk %s refuses our name or password (%d); mend it in the settings", self._name, prm.code)
        else:
            _LOG.warning("trunk %s: not registered (%d); it is tried again", self._name, prm.code)
