"""Orders to the running Kamailio: JSON-RPC 2.0 over a Unix datagram socket (its module jsonrpcs)."""

import asyncio
import itertools
import json
import socket
from pathlib import Path
from typing import Any, TypeAlias

Parameter: TypeAlias = str | int
_LARGEST = 1 << 18
_NUMBERS = itertools.count(1)


class EdgeError(Exception):
    """The edge cannot be set up or does not answer; one sentence for the operator."""


class EdgeRefused(EdgeError):
    """Kamailio answered an order with an error."""


class Rpc:
    """One client; every order has a socket of its own, so a Kamailio that was restarted is just reached again."""

    def __init__(self, path: Path, *, seconds: float = 1.0) -> None:
        """`path`: the socket that Kamailio made. `seconds`: longest wait for an answer."""
        self._path = path
        self._seconds = seconds

    async def call(self, method: str, *parameters: Parameter) -> Any:
        """Carry out one order; its result. Raises EdgeError where nobody answers, EdgeRefused where Kamailio does not
        want it. The texts name the order but not its parameters: those may be secret."""
        number = next(_NUMBERS)
        order = {"jsonrpc": "2.0", "method": method, "params": list(parameters), "id": number}
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
            one.setblocking(False)
            one.bind("")  # an abstract address: nothing to clean up
            try:
                async with asyncio.timeout(self._seconds):
                    one.connect(str(self._path))
                    loop = asyncio.get_running_loop()
                    await loop.sock_sendall(one, json.dumps(order).encode())
                    return _result(method, number, await loop.sock_recv(one, _LARGEST))
            except (OSError, TimeoutError):
                raise EdgeError(f"the edge does not answer ({method})") from None


def _result(method: str, number: int, raw: bytes) -> Any:
    try:
        answer = json.loads(raw, strict=False)
    except ValueError:
        raise EdgeError(f"the edge answered {method} with something that is not JSON") from None
    if not isinstance(answer, dict) or answer.get("id") != number:
        raise EdgeError(f"the edge answered {method} with something else")
    if "error" in answer:
        code = answer["error"].get("code", 0) if isinstance(answer["error"], dict) else 0
        raise EdgeRefused(f"the edge refused {method} ({code})")
    return answer.get("result")
