# Size: one list of thirty headers
"""A number, wherever SIP has room for one: thirty headers, a description of sound, a signed token."""

import base64
import json


def headers(number: str) -> str:
    """Thirty headers that carry it."""
    digits = number[1:]
    uri = f"<sip:{number}@127.0.0.1>"
    token = ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "ES256", "ppt": "shaken"}, {"orig": {"tn": digits}, "dest": {"tn": [digits]}, "iat": 1})
    )
    found = {
        "P-Asserted-Identity": f'"{number}" {uri}',
        "P-Preferred-Identity": uri,
        "Remote-Party-ID": f'"{digits}" {uri};party=calling;privacy=off',
        "P-Called-Party-ID": uri,
        "P-Charge-Info": uri,
        "P-Charging-Vector": f"icid-value={digits}",
        "P-Associated-URI": uri,
        "Diversion": f"{uri};reason=unconditional",
        "History-Info": f"{uri};index=1",
        "Referred-By": uri,
        "Reply-To": uri,
        "In-Reply-To": f"{digits}@127.0.0.1",
        "Call-Info": f"<http://127.0.0.1/{digits}.vcf>;purpose=card",
        "Alert-Info": f"<http://127.0.0.1/{digits}.wav>",
        "Error-Info": f"<sip:{digits}@127.0.0.1>",
        "Subject": f"call of {number}",
        "Organization": f"house of {digits}",
        "User-to-User": f"{digits};encoding=hex",
        "Geolocation": f"<sip:{digits}@127.0.0.1>",
        "Session-ID": f"0000000000000000000{digits}ab",
        "Reason": f'SIP;cause=200;text="{digits}"',
        "Warning": f'399 host "{digits}"',
        "Identity": f"{token}.c2lnbmF0dXJl;info=<https://127.0.0.1/{digits}.pem>;alg=ES256;ppt=shaken",
        "User-Agent": f"phone of {digits}",
        "Server": f"server of {digits}",
        "X-Caller": number,
        "X-Original-From": digits,
        "P-Access-Network-Info": f"3GPP-UTRAN-TDD;utran-cell-id-3gpp={digits}",
        "Accept-Contact": f'*;+sip.instance="{digits}"',
        "Priority": digits,
        "Path": f"<sip:{digits}@127.0.0.1;lr>",
    }
    return "".join(f"{name}: {text}\r\n" for name, text in found.items())


def described(sdp: str, number: str) -> str:
    """A description of sound with the number in every text that it has."""
    digits = number[1:]
    return sdp.replace("o=- 1 1", f"o={digits} 1 1").replace(
        "s=-", f"s=call of {number}\r\ni={digits}\r\nu=http://127.0.0.1/{digits}\r\ne={digits}@example.org\r\np={number}"
    ) + (
        f"a=ssrc:1234 cname:{digits}@127.0.0.1\r\n"
        f"a=candidate:1 1 UDP 2130706431 127.0.0.1 9 typ host username-{digits}\r\n"
    )  # fmt: skip
