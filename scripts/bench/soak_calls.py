"""What the callers and agents of the soak do, as scenarios for sipp. Keys go by SIP INFO, so no sound is needed."""

from collections.abc import Mapping

_HEAD = """Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: <sip:+12025550[field0]@[local_ip]>;tag=[pid]a[call_number]
"""
_INVITE = f"""<send retrans="500"><![CDATA[

    INVITE sip:hotline@[remote_ip]:[remote_port] SIP/2.0
    {_HEAD}    To: <sip:hotline@[remote_ip]>
    Call-ID: [call_id]
    CSeq: 1 INVITE
    Contact: <sip:caller@[local_ip]:[local_port]>
    Max-Forwards: 70
    Content-Type: application/sdp
    Content-Length: [len]

    v=0
    o=caller 1 1 IN IP[local_ip_type] [local_ip]
    s=-
    c=IN IP[media_ip_type] [media_ip]
    t=0 0
    m=audio [media_port] RTP/AVP 0
    a=rtpmap:0 PCMU/8000

  ]]></send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="200" rrs="true">
    <action><ereg regexp="sip:[^&gt;]*" search_in="hdr" header="Contact:" assign_to="target"/></action>
  </recv>
"""
"""The target is kept by hand: sipp's own [next_url] takes a display name along after the next answer."""


def _within(method: str, number: int, body: str = "", kind: str = "") -> str:
    retrans = "" if method == "ACK" else ' retrans="500"'
    typed = f"    Content-Type: {kind}\n" if kind else ""
    answer = "" if method == "ACK" else '  <recv response="200"/>\n'
    return f"""<send{retrans}><![CDATA[

    {method} [$target] SIP/2.0
    {_HEAD}    [last_To:]
    [routes]
    Call-ID: [call_id]
    CSeq: {number} {method}
    Max-Forwards: 70
{typed}    Content-Length: [len]

{body}
  ]]></send>
{answer}"""


def _key(digit: str, number: int) -> str:
    return _within("INFO", number, f"    Signal={digit}\n    Duration=160\n", "application/dtmf-relay")


def _pause(seconds: float) -> str:
    return f'<pause milliseconds="{round(seconds * 1000)}"/>\n'


def _scenario(*steps: str) -> str:
    body = "".join(steps)
    return f'<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="soak">\n  {body}</scenario>\n'


SCENARIOS: Mapping[str, str] = {
    "leaves in the greeting": _scenario(_INVITE, _within("ACK", 1), _pause(1.5), _within("BYE", 2)),
    "answers by keys": _scenario(
        _INVITE, _within("ACK", 1), _pause(0.8), _key("*", 2), _pause(1.2), _key("3", 3), _pause(1.0), _within("BYE", 4)
    ),
    "asks for a person": _scenario(
        _INVITE, _within("ACK", 1), _pause(0.8), _key("0", 2), _pause(2.8), _within("BYE", 3)
    ),
}
"""Callers by what they do."""

AGENT = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="agent">
  <recv request="INVITE" crlf="true" rrs="true"/>
  <send><![CDATA[

    SIP/2.0 180 Ringing
    [last_Via:]
    [last_From:]
    [last_To:];tag=[pid]b[call_number]
    [last_Call-ID:]
    [last_CSeq:]
    [last_Record-Route:]
    Contact: <sip:agent@[local_ip]:[local_port]>
    Content-Length: 0

  ]]></send>
  <send retrans="500"><![CDATA[

    SIP/2.0 200 OK
    [last_Via:]
    [last_From:]
    [last_To:];tag=[pid]b[call_number]
    [last_Call-ID:]
    [last_CSeq:]
    [last_Record-Route:]
    Contact: <sip:agent@[local_ip]:[local_port]>
    Content-Type: application/sdp
    Content-Length: [len]

    v=0
    o=agent 1 1 IN IP[local_ip_type] [local_ip]
    s=-
    c=IN IP[media_ip_type] [media_ip]
    t=0 0
    m=audio [media_port] RTP/AVP 0
    a=rtpmap:0 PCMU/8000

  ]]></send>
  <recv request="ACK" timeout="5000"/>
  <recv request="BYE" timeout="60000"/>
  <send><![CDATA[

    SIP/2.0 200 OK
    [last_Via:]
    [last_From:]
    [last_To:]
    [last_Call-ID:]
    [last_CSeq:]
    Content-Length: 0

  ]]></send>
</scenario>
"""
"""An agent's phone: picks up, hears the summary, and is left by the caller."""


def numbers() -> str:
    """Callers' numbers, of the range for examples, one a line as sipp reads them."""
    return "SEQUENTIAL\n" + "".join(f"{number};\n" for number in range(100, 200))
