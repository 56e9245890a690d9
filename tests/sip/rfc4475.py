# Size: one list of forty-nine messages, each a few lines.
"""Messages of our own that are odd or wrong in the ways that RFC 4475 lists, and what that RFC says becomes of each.

Its text is informational and mostly says "should"; `demanded` marks what RFC 3261 itself leaves no choice about.
"""

from collections.abc import Callable
from dataclasses import dataclass

SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"
TAKEN = "taken"
"""The call reached the call machine, whatever that said."""
SILENCE = "silence"
"""No final answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One message."""

    section: str
    """Of RFC 4475."""
    name: str
    """As the RFC calls its own message of this kind."""
    what: str
    """What is odd about it."""
    expected: tuple[str, ...]
    """Outcomes that the RFC names: status codes, "4xx", TAKEN or SILENCE."""
    demanded: bool
    """Whether RFC 3261 leaves no other choice."""
    build: Callable[[int], str]
    """The message for a socket at this port of 127.0.0.1."""


CASES: list[Case] = []


def _case(section: str, name: str, what: str, *expected: str, demanded: bool = True) -> Callable[
    [Callable[[int], str]], Callable[[int], str]
]:  # fmt: skip
    def keep(build: Callable[[int], str]) -> Callable[[int], str]:
        CASES.append(Case(section=section, name=name, what=what, expected=expected, demanded=demanded, build=build))
        return build

    return keep


def request(port: int, name: str, method: str = "INVITE", **lines: str) -> str:
    """A right request, but for the lines given: a header's name with _ for -, and its whole line; `start`, `body`."""
    body = lines.pop("body", SDP if method == "INVITE" else "")
    start = lines.pop("start", f"{method} sip:hotline@127.0.0.1 SIP/2.0")
    headers = {
        "Via": f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{name}{port}",
        "Max_Forwards": "Max-Forwards: 70",
        "From": f"From: <sip:caller@127.0.0.1>;tag={name}",
        "To": "To: <sip:hotline@127.0.0.1>",
        "Call_ID": f"Call-ID: {name}.{port}",
        "CSeq": f"CSeq: 1 {method}",
        "Contact": f"Contact: <sip:caller@127.0.0.1:{port}>",
        "Content_Type": "Content-Type: application/sdp" if body else "",
        "Content_Length": f"Content-Length: {len(body)}",
    }
    headers.update(lines)
    return "\r\n".join([start, *(line for line in headers.values() if line), "", body])


def response(port: int, name: str, start: str, **lines: str) -> str:
    """An answer to nothing."""
    return request(port, name, "OPTIONS", start=start, **lines)


# 3.1.1 right, though it hurts ----------------------------------------------------------------------------------------


@_case("3.1.1.1", "wsinv", "folded lines, odd spaces, compact and mixed-case names", TAKEN)
def _wsinv(port: int) -> str:
    return "\r\n".join([
        "INVITE sip:hotline@127.0.0.1;unknown-param SIP/2.0",
        "TO :\r\n sip:hotline@127.0.0.1 ;   tag2 = 1",
        'from   : "A \\\\ strange \\" name" <sip:caller@127.0.0.1>\r\n  ;\r\n  tag = 98asjd8',
        "MaX-fOrWaRdS: 0068", f"i: wsinv.{port}@odd.test", "cseq: 0009\r\n  INVITE",
        f"v: SIP  / 2.0  / UDP\r\n   127.0.0.1:{port} ; branch = z9hG4bKwsinv{port}",
        "s :", "NewFangledHeader:   some value\r\n  that goes on", "UnknownHeader: \"a\"; b, c",
        "c: application/sdp",
        f'm:"Quoted \\"string\\"" <sip:caller@127.0.0.1:{port}> ; new = one ;\r\n  two ; q = 0.33',
        f"l: {len(SDP)}", "", SDP,
    ])  # fmt: skip


@_case("3.1.1.2", "intmeth", "an unknown method out of every allowed character", "405", "501")
def _intmeth(port: int) -> str:
    method = "!odd-Method01_*+`.%really'~"
    return request(
        port, "intmeth", method, start=f"{method} sip:1_odd.user~(to-be!sure)&it+$/;?:@127.0.0.1 SIP/2.0",
        To='To: "BEL:\\\x07 NUL:\\\x00" <sip:1_odd.user~(to-be!sure)&it+$/;?:@127.0.0.1>', Extra="X.*+-_`%'~!: *<:;>",
    )  # fmt: skip


@_case("3.1.1.3", "esc01", "escaped characters in addresses", TAKEN)
def _esc01(port: int) -> str:
    return request(
        port, "esc01", start="INVITE sip:sips%3Auser%40test.example@127.0.0.1 SIP/2.0",
        From="From: <sip:I%20have%20spaces@127.0.0.1>;tag=esc01",
        Contact=f"Contact: <sip:cal%6Cer@127.0.0.1:{port};%6C%72;n%61me=v%61lue%25%34%31>",
    )  # fmt: skip


@_case("3.1.1.4", "escnull", "escaped NUL in addresses of a registration", "401", "403", "404", "405")
def _escnull(port: int) -> str:
    return request(
        port, "escnull", "REGISTER", start="REGISTER sip:127.0.0.1 SIP/2.0", To="To: sip:null-%00-null@127.0.0.1",
        From="From: sip:null-%00-null@127.0.0.1;tag=escnull", Contact="Contact: <sip:%00@127.0.0.1>",
    )  # fmt: skip


@_case("3.1.1.5", "esc02", "a per cent sign that escapes nothing: not a REGISTER", "405", "501")
def _esc02(port: int) -> str:
    return request(port, "esc02", "RE%47IST%45R", start="RE%47IST%45R sip:127.0.0.1 SIP/2.0")


@_case("3.1.1.6", "lwsdisp", "no space between a name and its address", "200")
def _lwsdisp(port: int) -> str:
    return request(port, "lwsdisp", "OPTIONS", From="From: caller<sip:caller@127.0.0.1>;tag=lwsdisp")


@_case("3.1.1.7", "longreq", "long values everywhere", TAKEN)
def _longreq(port: int) -> str:
    long = "very" * 12 + "long"
    return request(
        port, "longreq", To=f'To: "{long} {long}" <sip:hotline@127.0.0.1;unknown{long}=v{long};{long}>',
        From=f"F: sip:caller@127.0.0.1;tag=1{'2' * 60};unknown{long}=x{long}",
        Call_ID=f"Call-ID: longreq.{port}{long * 2}", Extra=f"Unknown{long}: value{long}, {long};also={long}",
        Via="\r\n".join([f"v: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKlong{port}{'x' * 60}"]
                        + [f"Via: SIP/2.0/TCP far{n}.example;branch=z9hG4bK{long}{n}" for n in range(10)]),
    )  # fmt: skip


@_case("3.1.1.8", "dblreq", "another request after the end of this one in the same packet", "401", "403", "405")
def _dblreq(port: int) -> str:
    second = request(port, "dblreq2", start="INVITE sip:second@127.0.0.1 SIP/2.0")
    return request(port, "dblreq", "REGISTER", start="REGISTER sip:127.0.0.1 SIP/2.0") + second


@_case("3.1.1.9", "semiuri", "parameters in the user part", "200", "404")
def _semiuri(port: int) -> str:
    return request(port, "semiuri", "OPTIONS", start="OPTIONS sip:user;par=u%40test.example@127.0.0.1 SIP/2.0")


@_case("3.1.1.10", "transports", "Via with every transport, unknown ones too", "200")
def _transports(port: int) -> str:
    more = ",".join(f"SIP/2.0/{kind} far.example;branch=z9hG4bK{kind}" for kind in ("SCTP", "TLS", "UNKNOWN", "TCP"))
    return request(
        port, "transports", "OPTIONS", Via=f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKudp{port},{more}"
    )


@_case("3.1.1.11", "mpart01", "MESSAGE with a body of several parts, binary ones too", "405", "415", "200")
def _mpart01(port: int) -> str:
    parts = ("text/plain\r\n\r\nhello", "x/y\r\n\r\n\x00\x01\x7f")
    body = "".join(f"--edge\r\nContent-Type: {part}\r\n" for part in parts) + "--edge--"
    return request(port, "mpart01", "MESSAGE", body=body, Content_Type="Content-Type: multipart/mixed;boundary=edge")


@_case("3.1.1.12", "unreason", "an answer whose reason is in another script", SILENCE)
def _unreason(port: int) -> str:
    return response(port, "unreason", "SIP/2.0 200 = 2**3 * 5**2 \u043d\u043e \u0441\u0442\u043e")


@_case("3.1.1.13", "noreason", "an answer without a reason", SILENCE)
def _noreason(port: int) -> str:
    return response(port, "noreason", "SIP/2.0 100 ")


# 3.1.2 wrong ---------------------------------------------------------------------------------------------------------


@_case("3.1.2.1", "badinv01", "commas and semicolons that separate nothing", "400")
def _badinv01(port: int) -> str:
    return request(
        port, "badinv01", Via=f"Via: SIP/2.0/UDP 127.0.0.1:{port};;,;,,", Contact='Contact: "Joe" <sip:joe@x>;;;;'
    )


@_case("3.1.2.2", "clerr", "Content-Length longer than the packet", "400")
def _clerr(port: int) -> str:
    return request(port, "clerr", Content_Length="Content-Length: 9999")


@_case("3.1.2.3", "ncl", "negative Content-Length", "400")
def _ncl(port: int) -> str:
    return request(port, "ncl", Content_Length="Content-Length: -999")


@_case("3.1.2.4", "scalar02", "numbers beyond their range in a request", "400")
def _scalar02(port: int) -> str:
    return request(
        port, "scalar02", "REGISTER", start="REGISTER sip:127.0.0.1 SIP/2.0",
        CSeq="CSeq: 36893488147419103232 REGISTER", Max_Forwards="Max-Forwards: 300",
        Expires="Expires: 10000000000000000000000000",
        Contact="Contact: <sip:caller@127.0.0.1>;expires=280297596632815",
    )  # fmt: skip


@_case("3.1.2.5", "scalarlg", "numbers beyond their range in an answer", SILENCE)
def _scalarlg(port: int) -> str:
    return response(port, "scalarlg", "SIP/2.0 503 Service Unavailable", CSeq="CSeq: 9292394834772304023312 OPTIONS",
                    Retry="Retry-After: 949302838503028349304023988")  # fmt: skip


@_case("3.1.2.6", "quotbal", "a quotation mark without its second", "400")
def _quotbal(port: int) -> str:
    return request(port, "quotbal", To='To: "Mr. Caller <sip:hotline@127.0.0.1>')


@_case("3.1.2.7", "ltgtruri", "angle brackets around the request's address", "400", TAKEN, demanded=False)
def _ltgtruri(port: int) -> str:
    return request(port, "ltgtruri", start="INVITE <sip:hotline@127.0.0.1> SIP/2.0")


@_case("3.1.2.8", "lwsruri", "spaces within the request's address", "400")
def _lwsruri(port: int) -> str:
    return request(port, "lwsruri", start="INVITE sip:hotline@127.0.0.1; lr SIP/2.0")


@_case("3.1.2.9", "lwsstart", "two spaces between the parts of the first line", "400", TAKEN, demanded=False)
def _lwsstart(port: int) -> str:
    return request(port, "lwsstart", start="INVITE  sip:hotline@127.0.0.1  SIP/2.0")


@_case("3.1.2.10", "trws", "spaces at the end of the first line", "400", "200", demanded=False)
def _trws(port: int) -> str:
    return request(port, "trws", "OPTIONS", start="OPTIONS sip:hotline@127.0.0.1 SIP/2.0  ")


@_case("3.1.2.11", "escruri", "headers in the request's address", "400", TAKEN, demanded=False)
def _escruri(port: int) -> str:
    return request(port, "escruri", start="INVITE sip:hotline@127.0.0.1?Route=%3Csip:x.example%3E SIP/2.0")


@_case("3.1.2.12", "baddate", "a time zone that is not GMT", "400", TAKEN, demanded=False)
def _baddate(port: int) -> str:
    return request(port, "baddate", Date="Date: Fri, 01 Jan 2010 16:00:00 EST")


@_case("3.1.2.13", "regbadct", "headers in an address without brackets", "4xx")
def _regbadct(port: int) -> str:
    return request(port, "regbadct", "REGISTER", start="REGISTER sip:127.0.0.1 SIP/2.0",
                   Contact="Contact: sip:caller@127.0.0.1?Route=%3Csip:x.example%3E")  # fmt: skip


@_case("3.1.2.14", "badaspec", "spaces within the brackets of an address", "400", "200", demanded=False)
def _badaspec(port: int) -> str:
    return request(port, "badaspec", "OPTIONS", To='To: "A. Person" < sip:hotline@127.0.0.1 >')


@_case("3.1.2.15", "baddn", "a name with a comma and no quotation marks", "400", "200", demanded=False)
def _baddn(port: int) -> str:
    return request(port, "baddn", "OPTIONS", From="From: Person, Another <sip:caller@127.0.0.1>;tag=baddn")


@_case("3.1.2.16", "badvers", "SIP/7.0", "505")
def _badvers(port: int) -> str:
    return request(port, "badvers", "OPTIONS", start="OPTIONS sip:hotline@127.0.0.1 SIP/7.0",
                   Via=f"Via: SIP/7.0/UDP 127.0.0.1:{port};branch=z9hG4bKbadvers{port}")  # fmt: skip


@_case("3.1.2.17", "mismatch01", "two methods, both known", "400")
def _mismatch01(port: int) -> str:
    return request(port, "mismatch01", "OPTIONS", CSeq="CSeq: 8 INVITE")


@_case("3.1.2.18", "mismatch02", "two methods, one unknown", "400", "501")
def _mismatch02(port: int) -> str:
    return request(port, "mismatch02", "NEWMETHOD", CSeq="CSeq: 8 INVITE")


@_case("3.1.2.19", "bigcode", "an answer with a status beyond all numbers", SILENCE)
def _bigcode(port: int) -> str:
    return response(port, "bigcode", "SIP/2.0 4294967301 better not")


# 3.2 to 3.4 transactions, applications, the old standard -------------------------------------------------------------


@_case("3.2.1", "badbranch", "a branch that names no transaction", "200")
def _badbranch(port: int) -> str:
    return request(port, "badbranch", "OPTIONS", Via=f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK")


@_case("3.3.1", "insuf", "no From, To, Call-ID", "400")
def _insuf(port: int) -> str:
    return request(port, "insuf", From="", To="", Call_ID="")


@_case("3.3.2", "unkscm", "an address of an unknown scheme", "416")
def _unkscm(port: int) -> str:
    return request(port, "unkscm", "OPTIONS", start="OPTIONS unheardofscheme:opaque SIP/2.0")


@_case("3.3.3", "novelsc", "an address of a scheme that SIP does not use", "416")
def _novelsc(port: int) -> str:
    return request(port, "novelsc", "OPTIONS", start="OPTIONS soap.beep://127.0.0.1:3002 SIP/2.0")


@_case("3.3.4", "unksm2", "unknown schemes in To and Contact of a registration", "4xx")
def _unksm2(port: int) -> str:
    return request(port, "unksm2", "REGISTER", start="REGISTER sip:127.0.0.1 SIP/2.0",
                   To="To: isbn:2983792873", Contact="Contact: <name:A_Person>")  # fmt: skip


@_case("3.3.5", "bext01", "demands that nobody knows", "420")
def _bext01(port: int) -> str:
    return request(port, "bext01", "OPTIONS", Require="Require: nobodyKnowsThis, norThis",
                   Proxy="Proxy-Require: noProxyKnowsThis, norThis")  # fmt: skip


@_case("3.3.6", "invut", "a call with a body of an unknown kind", "415")
def _invut(port: int) -> str:
    return request(port, "invut", body="<audio><pcmu/></audio>", Content_Type="Content-Type: application/unheard-of")


@_case("3.3.7", "regaut01", "a proof of an unknown kind", "401", "403", "405")
def _regaut01(port: int) -> str:
    return request(port, "regaut01", "REGISTER", start="REGISTER sip:127.0.0.1 SIP/2.0",
                   Authorization="Authorization: UnheardOf opaque-data=here")  # fmt: skip


@_case("3.3.8", "multi01", "headers twice that may stand once", "400")
def _multi01(port: int) -> str:
    return request(port, "multi01", CSeq="CSeq: 5 INVITE\r\nCSeq: 59 INVITE",
                   To="To: <sip:a@127.0.0.1>\r\nTo: <sip:b@127.0.0.1>",
                   Call_ID=f"Call-ID: multi01.{port}\r\nCall-ID: multi02.{port}")  # fmt: skip


@_case("3.3.9", "mcl01", "two different Content-Lengths", "400")
def _mcl01(port: int) -> str:
    return request(port, "mcl01", "OPTIONS", body="xxxxx", Content_Length="Content-Length: 13\r\nContent-Length: 5")


@_case("3.3.10", "bcast", "an answer for everybody in the network", SILENCE)
def _bcast(port: int) -> str:
    return response(
        port, "bcast", "SIP/2.0 200 OK",
        Via=f"Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKb{port}\r\nVia: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bKc",
    )  # fmt: skip


@_case("3.3.11", "zeromf", "no forwarding left", "200", "483")
def _zeromf(port: int) -> str:
    return request(port, "zeromf", "OPTIONS", Max_Forwards="Max-Forwards: 0")


@_case("3.3.12", "cparam01", "a parameter after a Contact's brackets", "200", "401", "403", "405")
def _cparam01(port: int) -> str:
    return request(port, "cparam01", "REGISTER", start="REGISTER sip:127.0.0.1 SIP/2.0",
                   Contact="Contact: <sip:+12025550142@127.0.0.1>;unknownparam")  # fmt: skip


@_case("3.3.13", "cparam02", "a parameter within a Contact's brackets", "200", "401", "403", "405")
def _cparam02(port: int) -> str:
    return request(port, "cparam02", "REGISTER", start="REGISTER sip:127.0.0.1 SIP/2.0",
                   Contact="Contact: <sip:+12025550142@127.0.0.1;unknownparam>")  # fmt: skip


@_case("3.3.14", "regescrt", "headers within a Contact's brackets", "200", "401", "403", "405")
def _regescrt(port: int) -> str:
    return request(port, "regescrt", "REGISTER", start="REGISTER sip:127.0.0.1 SIP/2.0",
                   Contact="Contact: <sip:caller@127.0.0.1?Route=%3Csip:x.example%3E>")  # fmt: skip


@_case("3.3.15", "sdp01", "a call that takes no SDP for an answer", "406", "488", demanded=False)
def _sdp01(port: int) -> str:
    return request(port, "sdp01", Accept="Accept: text/unheard-of")


@_case("3.4.1", "inv2543", "a call by RFC 2543: no branch, no tag", TAKEN)
def _inv2543(port: int) -> str:
    return request(port, "inv2543", Via=f"Via: SIP/2.0/UDP 127.0.0.1:{port}", From="From: <sip:caller@127.0.0.1>",
                   Max_Forwards="", Contact=f"Contact: <sip:caller@127.0.0.1:{port}>")  # fmt: skip


UNREAD = "the proxy's reader cannot make enough of it to answer, and drops it"
EDGE_DIFFERS = {
    "wsinv": "the proxy's reader takes no CSeq whose method stands on the next line; no phone is known to send one",
    "intmeth": "the proxy's reader does not take every character that may stand in a header's name",
    "badinv01": UNREAD,
    "ncl": UNREAD,
    "quotbal": UNREAD,
    "lwsruri": UNREAD,
    "lwsstart": UNREAD,
    "badvers": UNREAD,
    "insuf": UNREAD,
    "multi01": UNREAD,
    "mcl01": UNREAD,
    "bext01": "nobody is turned away for what is asked of proxies; what a call requires of us a worker refuses (420)",
    "sdp01": "Accept is not looked at: such a caller hangs up on an answer that it cannot read",
}
"""Where the edge does otherwise, and why that may be so."""
DROPPED = "PJSIP drops what it cannot read"
WORKER_DIFFERS = {
    "intmeth": DROPPED,
    "badinv01": DROPPED,
    "ncl": DROPPED,
    "scalar02": DROPPED,
    "quotbal": DROPPED,
    "ltgtruri": DROPPED,
    "lwsruri": DROPPED,
    "regbadct": DROPPED,
    "badvers": DROPPED,
    "insuf": DROPPED,
    "unkscm": DROPPED,
    "novelsc": DROPPED,
    "regaut01": DROPPED,
    "mismatch01": "OPTIONS is answered without a look at CSeq",
    "bext01": "OPTIONS is answered without a look at what it requires",
    "multi01": "the first of two counts",
    "sdp01": "Accept is not looked at",
}
"""The same of a worker alone, which only this machine reaches where the edge is in front."""


def as_expected(case: Case, outcome: str) -> bool:
    """Whether the RFC names this outcome."""
    return outcome in case.expected or ("4xx" in case.expected and outcome.startswith("4"))


def table(edge: dict[str, str], worker: dict[str, str]) -> str:
    """What came of every message, as a page."""
    rows = [
        "| section | message | what is odd | RFC 4475 | edge | worker alone |",
        "|---|---|---|---|---|---|",
    ]
    for case in CASES:
        said = ", ".join(case.expected) + ("" if case.demanded else " (either is right)")
        found = (_marked(case, edge[case.name]), _marked(case, worker[case.name]))
        rows.append(f"| {case.section} | {case.name} | {case.what} | {said} | {found[0]} | {found[1]} |")
    right = [sum(as_expected(case, found[case.name]) for case in CASES) for found in (edge, worker)]
    return "\n".join([
        "# Torture messages", "",
        f"{len(CASES)} messages of our own, each odd or wrong in one of the ways that RFC 4475 lists.",
        f"{right[0]} at the edge and {right[1]} at a worker alone ended as that RFC says.",
        "*Taken*: the call reached the call machine. *Silence*: no final answer. Strangers get none of these answers.",
        "Written by `python -m tests.edge.test_rfc4475`; a test compares.", "", *rows, "",
        "Where the edge does otherwise (*):", "", *_reasons(EDGE_DIFFERS), "",
        "Where a worker alone does otherwise (behind the edge only this machine reaches it):", "",
        *_reasons(WORKER_DIFFERS), "",
    ])  # fmt: skip


def _marked(case: Case, outcome: str) -> str:
    return outcome if as_expected(case, outcome) else f"{outcome} *"


def _reasons(differs: dict[str, str]) -> list[str]:
    by_reason: dict[str, list[str]] = {}
    for name, reason in differs.items():
        by_reason.setdefault(reason, []).append(name)
    return [f"- {', '.join(names)}: {reason}." for reason, names in by_reason.items()]
