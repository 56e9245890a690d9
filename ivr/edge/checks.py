"""What cannot work, said in one sentence before anything starts. Pure, but for a look whether files are there."""

import ipaddress
from collections.abc import Iterable, Mapping

from ivr.edge.plan import way
from ivr.edge.render import Edge
from ivr.edge.rpc import EdgeError
from ivr.edge.trunks import Trunk


def check(edge: Edge) -> None:
    """Refuse what would make a proxy that cannot be reached, or files that it cannot read. Raises EdgeError."""
    address = _ipv4(edge.bind)
    if address is None or address.is_unspecified:
        raise EdgeError(
            "sip.bind must be one IPv4 address of this machine, not all of them: phones are told to answer there"
        )
    if edge.tls is None:
        if edge.srtp_required and not address.is_loopback:
            raise EdgeError(
                'sip.srtp = "require" needs sip.tls_port: the keys of the sound stand in the signalling, which anybody '
                'on the way can read without TLS; set sip.tls_port, or sip.srtp = "offer"'
            )
        return
    for name, file in (("tls_certificate", edge.tls.certificate), ("tls_key", edge.tls.key)):
        if not file.is_file():
            raise EdgeError(f"sip.{name} names {file}, which is not there: give a PEM file, or set sip.tls_port = 0")
    if edge.tls.authorities is not None and not edge.tls.authorities.is_file():
        raise EdgeError(
            f"sip.tls_ca names {edge.tls.authorities}, which is not there: give a PEM file, or leave it out"
        )
    if edge.tls.demand and edge.tls.authorities is None:
        raise EdgeError("sip.tls_require_client_certificate needs sip.tls_ca: the authority that signs the clients")


def check_trunks(edge: Edge, trunks: Iterable[Trunk]) -> None:
    """A trunk by TLS needs TLS, and an authority of its own: with the machine's whole list any web site's certificate
    would do. A trunk without TLS gets no keys. Raises EdgeError."""
    for one in trunks:
        if one.tls:
            _check_called(edge, f'trunk "{one.id}" wants TLS')
        elif edge.srtp_required and not _here(one.networks):
            raise EdgeError(
                f'trunk "{one.id}" has no TLS, and sip.srtp = "require" gives no keys to an open way: set tls = true '
                'for it, or sip.srtp = "offer"'
            )


def check_phones(edge: Edge, desks: Mapping[str, str]) -> None:
    """The same for agents' phones that have a fixed address, by agent. Raises EdgeError."""
    for agent, address in desks.items():
        place, target = way(address)
        if target.endswith("tls"):
            _check_called(edge, f"the phone of agent {agent} wants TLS (sips:)")
        elif edge.srtp_required and not _here((place.rpartition(":")[0],)):
            raise EdgeError(
                f'the phone of agent {agent} has an address without TLS, and sip.srtp = "require" gives no keys to an '
                'open way: write sips: for sip:, let the phone register by TLS, or set sip.srtp = "offer"'
            )


def _check_called(edge: Edge, who: str) -> None:
    if edge.tls is None or edge.tls.authorities is None:
        raise EdgeError(f"{who}: set sip.tls_port, and sip.tls_ca to who signed its certificate")


def _here(networks: Iterable[str]) -> bool:
    """Whether all of them are this machine's own, where nobody else can read."""
    try:
        return all(ipaddress.IPv4Network(one).is_loopback for one in networks)
    except ValueError:
        return False


def _ipv4(text: str) -> ipaddress.IPv4Address | None:
    try:
        return ipaddress.IPv4Address(text)
    except ValueError:
        return None
