"""Posts to addresses that others chose: only where it is allowed, to the address that was checked, for a bounded time.

An address of a hospital's own network, or of this machine, would let whoever sets a hook talk to what is behind the
firewall (server-side request forgery, OWASP). So the name is resolved here, every address is looked at, and the
connection goes to that address and no other; redirects are not followed.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from masking.port import MaskingRefused, Wrong

LONGEST_URL = 500
LONGEST_ANSWER = 4096
"""Bytes of an answer that are read."""
LOOKUPS = 4
"""Names resolved at once."""
NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""IPv6 addresses that stand for IPv4 ones (RFC 6052)."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]


class PostFailed(Exception):
    """No answer. `code`: "refused_address", "no_address", "timeout", "connection", "too_long"."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the address did not answer: {code}")
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    """HTTP status."""
    body: bytes
    """Its text; b"" where it was not wanted."""


class Poster:
    """POST requests, one connection each."""

    def __init__(
        self,
        *,
        networks: Sequence[str] = (),
        context: ssl.SSLContext | None = None,
        resolve: Resolver | None = None,
    ) -> None:
        """`networks`: private ones (CIDR) in which addresses may lie, and may be plain http. `context`: whom to trust;
        None: the usual authorities. `resolve`: name and port to addresses; None: the system's. Raises ValueError."""
        self._networks = tuple(ipaddress.ip_network(one) for one in networks)
        self._lookups = ThreadPoolExecutor(max_workers=LOOKUPS, thread_name_prefix="hook-names")
        self._resolve = resolve or self._system
        # Connections are not kept: another host at the same address must not inherit one whose certificate was checked
        # for somebody else.
        self._client = httpx.AsyncClient(
            verify=context or ssl.create_default_context(),
            trust_env=False,
            follow_redirects=False,
            timeout=None,  # asyncio.timeout bounds the whole
            limits=httpx.Limits(max_keepalive_connections=0, max_connections=64),
        )

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float, read: bool = False
    ) -> Answer:
        """Everything within `seconds`, names included. Raises PostFailed."""
        try:
            async with asyncio.timeout(seconds):
                return await self._post(url, body, headers, read)
        except TimeoutError:
            raise PostFailed("timeout") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
            # Without the cause: its text may hold the address, and with it a secret of the owner's.
            raise PostFailed("connection") from None

    async def close(self) -> None:
        """Give connections and threads back."""
        await self._client.aclose()
        self._lookups.shutdown(wait=False, cancel_futures=True)

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str], read: bool) -> Answer:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        address = await self._checked(parts.scheme, host, port)
        literal = f"[{address}]" if address.version == 6 else str(address)
        target = f"{parts.scheme}://{literal}:{port}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")
        named = {"Host": parts.netloc, "Content-Type": "application/json", "User-Agent": "Triageline", **headers}
        named["Accept-Encoding"] = "identity"  # a short answer could unfold into a very long one
        async with self._client.stream(
            "POST", target, content=body, headers=named, extensions={"sni_hostname": host}
        ) as answer:
            return Answer(status=answer.status_code, body=await _bounded(answer) if read else b"")

    async def _checked(self, scheme: str, host: str, port: int) -> Address:
        """The first address of a host, if all of them are allowed: one bad one among good ones is a trick."""
        found = [ipaddress.ip_address(one.partition("%")[0]) for one in await self._resolve(host, port)]
        if not found:
            raise PostFailed("no_address")
        if not all(allowed(one, self._networks, plain=scheme != "https") for one in found):
            raise PostFailed("refused_address")
        return found[0]

    async def _system(self, host: str, port: int) -> Sequence[str]:
        # Threads of its own: a name server that hangs must not keep others waiting.
        look = asyncio.get_running_loop().run_in_executor(
            self._lookups, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return [str(entry[4][0]) for entry in await look]


def allowed(address: Address, networks: Sequence[Network], *, plain: bool = False) -> bool:
    """Whether to connect to it. `plain`: without encryption, which is for named networks only."""
    inner = _inner(address)
    if any(inner in network for network in networks if network.version == inner.version):
        return True
    return not plain and inner.is_global and not inner.is_multicast and not inner.is_reserved


def check_url(url: str) -> None:
    """Raises MaskingRefused for what cannot be a hook's address. Where it leads is looked at with every request."""
    for at_fault, message in _mistakes(url):
        if at_fault:
            raise MaskingRefused(Wrong.FIELD, "url", message)


def _mistakes(url: str) -> list[tuple[bool, str]]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return [(True, "this is no web address")]
    odd = not url.isascii() or not url.isprintable() or " " in url
    return [
        (len(url) > LONGEST_URL, f"a web address has at most {LONGEST_URL} characters"),
        (odd or not parts.hostname or port == 0, "this is no web address"),
        (parts.scheme not in {"https", "http"}, "the address must begin with https://"),
        ("@" in parts.netloc, "put no user or password into the address: requests are signed"),
        (bool(parts.fragment), "the address must not have a #part"),
    ]


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address in NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


async def _bounded(answer: httpx.Response) -> bytes:
    found = b""
    async for piece in answer.aiter_raw():
        found += piece
        if len(found) > LONGEST_ANSWER:
            raise PostFailed("too_long")
    return found
