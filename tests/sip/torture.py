"""Messages that are odd but right, or wrong in one way each, after the descriptions in RFC 4475; and mutations of them.

Every message has a Call-ID and a branch of its own, so that none is taken for another sent again.
"""

import random
from collections.abc import Iterator

_SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"
_NASTY = (
    "\x00", "\r\n", "\r\n\r\n", "\t", " ", "%", "%00", "%n%s", "\\", '"', "<", ">", ";", ",", ":", "=", "@", "?", "&",
    "-1", "0", "4294967296", "99999999999999999999999", "\xff\xfe", "\u00e9", "A" * 300, ";" * 90, "(" * 60, "sip:",
    ";tag=", ";branch=", ";lr", "INVITE", "SIP/2.0", "Content-Length: 9\r\n", "Via: ", "[::1]", "127.0.0.1:99999",
)  # fmt: skip


def message(number: int, method: str = "INVITE", **lines: str) -> str:
    """A right request, but for the lines given: a header's name with _ for -, and its whole line, or start and body."""
    unique = f"torture{number}"
    headers = {
        "Via": f"Via: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK{unique}",
        "Max_Forwards": "Max-Forwards: 70",
        "From": f"From: <sip:+12025550142@127.0.0.1>;tag={unique}",
        "To": "To: <sip:hotline@127.0.0.1>",
        "Call_ID": f"Call-ID: {unique}",
        "CSeq": f"CSeq: 1 {method}",
        "Contact": "Contact: <sip:x@127.0.0.1:9>",
    }
    body = lines.pop("body", _SDP if method == "INVITE" else "")
    start = lines.pop("start", f"{method} sip:hotline@127.0.0.1 SIP/2.0")
    if body:
        headers["Content_Type"] = "Content-Type: application/sdp"
    headers["Content_Length"] = f"Content-Length: {len(body)}"
    headers.update(lines)
    return "\r\n".join([start, *(line for line in headers.values() if line), "", body])


_ODD: list[dict[str, str]] = [
    {
        "From": 'f: "J \\\\\\"" <sip:x@127.0.0.1> ; \r\n tag = 98',
        "To": "TO :\r\n sip:hotline@127.0.0.1 ;  tag2 = 1",
    },
    {"start": "!interesting-Method01_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/@127.0.0.1 SIP/2.0"},
    {
        "start": "INVITE sip:sips%3Auser%40example.com@127.0.0.1 SIP/2.0",
        "From": "From: <sip:I%20have%20spaces@x>;tag=1",
    },
    {"From": "From: <sip:%00%00@127.0.0.1>;tag=2", "To": "To: <sip:null-%00-null@127.0.0.1>"},
    {
        "To": "To: <sip:" + "a" * 1500 + "@127.0.0.1>",
        "From": "From: sip:" + "b" * 1200 + "@127.0.0.1;tag=" + "c" * 200,
    },
    {"Via": "Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK" + "d" * 900},
    {"Via": ",".join(["Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKx"] + ["SIP/2.0/UDP h;branch=z9hG4bKy"] * 60)},
    {"Via": "Via: SIP/2.0/UDP 127.0.0.1:9;;,;,,"},
    {"Via": "Via: SIP/9.7/UDP 127.0.0.1:9;branch=z9hG4bKv"},
    {"Contact": 'Contact: "" <>;,"Joe" <sip:joe@x>;;;;'},
    {"Contact": "Contact: *"},
    {"Content_Length": "Content-Length: -999"},
    {"Content_Length": "Content-Length: 9999"},
    {"CSeq": "CSeq: 36893488147419103232 INVITE", "Max_Forwards": "Max-Forwards: 300"},
    {"CSeq": "CSeq: 0 OPTIONS"},
    {"CSeq": "CSeq: INVITE 1"},
    {"CSeq": ""},
    {"Call_ID": ""},
    {"From": "", "To": ""},
    {"From": 'From: "unterminated <sip:x@127.0.0.1>;tag=3'},
    {"From": 'From: "Bell, Alexander" <sip:a.g.bell@127.0.0.1;tag=4'},
    {"To": "To: sip:hotline@127.0.0.1?Route=%3Csip:x%3E"},
    {"start": "INVITE <sip:hotline@127.0.0.1> SIP/2.0"},
    {"start": "INVITE  sip:hotline@127.0.0.1  SIP/2.0"},
    {"start": "INVITE sip:hotline@127.0.0.1; lr SIP/2.0"},
    {"start": "INVITE sip:hotline@127.0.0.1 SIP/2.0  "},
    {"start": "INVITE sip:hotline@127.0.0.1 SIP/7.0"},
    {"start": "INVITE nobodyKnowsThisScheme:totallyopaque SIP/2.0"},
    {"start": "INVITE soap.beep://192.0.2.103:3002 SIP/2.0"},
    {"start": "SIP/2.0 200 OK"},
    {"start": "SIP/2.0 4294967301 better not break the receiver"},
    {"start": "SIP/2.0 100 \u041f\u0440\u0438\u0432\u0435\u0442"},
    {"start": "SIP/2.0 200"},
    {"Require": "Require: nothingSupportsThis, nothingSupportsThisEither"},
    {"Content_Type": "Content-Type: application/unknown", "body": "<audio>\r\n <pcmu port='443'/>\r\n</audio>"},
    {"Date": "Date: Fri, 01 Jan 2010 16:00:00 EST"},
    {"Max_Forwards": "Max-Forwards: 0"},
    {"Authorization": 'Authorization: NoOneKnowsThisScheme opaque-data="here"'},
    {"Replaces": "Replaces: x;to-tag=1;from-tag=2"},
    {"body": _SDP.replace("m=audio 40000", "m=audio 99999999")},
    {"body": _SDP + "m=audio 40002 RTP/AVP 0\r\n" * 40},
    {"body": "v=0\r\n"},
    {"body": _SDP.replace("IN IP4 127.0.0.1", "IN IP6 ::ffff:127.0.0.1")},
    {"body": _SDP + "a=rtpmap:0 " + "x" * 900 + "/8000\r\na=fmtp:0 " + "y" * 900 + "\r\n"},
    {"body": _SDP.replace("RTP/AVP 0", "RTP/AVP " + " ".join(map(str, range(128))))},
]


def torture() -> list[str]:
    """One of each."""
    plain = [
        message(900 + place, method) for place, method in enumerate(["OPTIONS", "CANCEL", "ACK", "BYE", "REGISTER"])
    ]
    return [message(place, **lines) for place, lines in enumerate(_ODD)] + plain


def mutations(seed: int, count: int) -> Iterator[bytes]:
    """Messages changed at one to six places; the same for the same seed."""
    chance = random.Random(seed)
    for number in range(count):
        seeds = [message(10_000 + number, chance.choice(["INVITE", "OPTIONS", "BYE", "INFO", "CANCEL", "REFER"]))]
        text = chance.choice([*seeds, *seeds, *seeds, chance.choice(torture())])
        for _ in range(chance.randint(1, 6)):
            text = _mutated(chance, text)
        yield text.encode("latin-1", "replace")[:3900]


def _mutated(chance: random.Random, text: str) -> str:
    at = chance.randrange(len(text) + 1)
    until = min(len(text), at + chance.choice([1, 2, 5, 20, 80]))
    match chance.randrange(5):
        case 0:
            return text[:at] + text[until:]
        case 1:
            return text[:at] + chance.choice(_NASTY) + text[at:]
        case 2:
            return text[:at] + text[at:until] * chance.choice([2, 3, 30]) + text[until:]
        case 3:
            return (
                text[:at]
                + "".join(chr(ord(one) & 0xFF ^ 1 << chance.randrange(8)) for one in text[at:until])
                + text[until:]
            )
        case _:
            lines = text.split("\r\n")
            lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))
            return "\r\n".join(lines)
