"""The edge as a part of the hotline: its files, its process, and who keeps it in step."""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from config.settings import ROOT, Settings, resolve
from ivr.bootstrap.places import Places
from ivr.edge import checks, render
from ivr.edge.digest import PhoneKey
from ivr.edge.keeper import Keeper, Known
from ivr.edge.render import Edge, Tls
from ivr.edge.rpc import EdgeError, Rpc
from ivr.edge.start import clear
from ivr.edge.trunks import load_trunks, network
from ivr.supervise import Part
from records import database as records_database
from records.keys import keys_from_folder
from records.phones_sql import SqlPhones
from records.store import Store
from routing.agents import load_agents

PROGRAM_FOLDERS = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"
MODULES = ("/usr/lib/*/kamailio/modules", "/usr/lib/kamailio/modules", "/usr/local/lib*/kamailio/modules")
ORDER = 5
"""Started before the workers: they find it when they begin."""
STOP_SECONDS = 5
_LOOK_SECONDS = 0.1


def program() -> str:
    """The proxy's program. Raises EdgeError."""
    found = shutil.which("kamailio", path=f"{os.environ.get('PATH', '')}:{PROGRAM_FOLDERS}")
    if found is None:
        raise EdgeError(
            "Kamailio is missing, which takes all calls for the workers: run scripts/setup, or set sip.edge = false"
        )
    return found


def modules() -> str:
    """Folder of the proxy's modules. Raises EdgeError."""
    for pattern in MODULES:
        for folder in sorted(Path("/").glob(pattern.lstrip("/"))):
            if (folder / "jsonrpcs.so").exists():
                return str(folder)
    raise EdgeError("Kamailio's modules were not found: run scripts/setup, or set sip.edge = false")


def described(settings: Settings, where: Places) -> Edge:
    """The edge of these settings. Free ports are chosen once and written down for the workers. Raises EdgeError."""
    sip = settings.sip
    chosen = json.loads(_file(where).read_text(encoding="utf-8")) if _file(where).exists() else {}
    edge = Edge(
        bind=sip.bind,
        port=sip.port or int(chosen.get("port", 0)),
        inner=int(chosen.get("inner", 0)),
        tcp=sip.tcp,
        tls=_tls(settings),
        md5=sip.digest_md5,
        srtp_required=sip.srtp == "require",
        texts=settings.masking.sip_texts_port if settings.masking.texts == "sip" else 0,
        rules=where.root / "deploy/kamailio",
        run=where.run,
    )
    checks.check(edge)
    return edge


def _tls(settings: Settings) -> Tls | None:
    sip = settings.sip
    if not sip.tls_port:
        return None
    if not (sip.tls_certificate and sip.tls_key):
        raise EdgeError("sip.tls_port is set without sip.tls_certificate and sip.tls_key: name both PEM files")
    return Tls(
        port=sip.tls_port,
        certificate=resolve(Path(sip.tls_certificate)),
        key=resolve(Path(sip.tls_key)),
        authorities=resolve(Path(sip.tls_ca)) if sip.tls_ca else None,
        demand=sip.tls_require_client_certificate,
    )


def _file(where: Places) -> Path:
    return where.run / "edge.json"


def prepare_edge(settings: Settings, where: Places) -> Edge:
    """Choose ports and write the generated files; before any part starts. Raises EdgeError."""
    program(), modules()
    where.run.mkdir(parents=True, exist_ok=True, mode=0o700)
    port, inner = _free(settings.sip.bind, settings.sip.port), _free("127.0.0.1", 0)
    _write(_file(where), json.dumps({"bind": settings.sip.bind, "port": port, "inner": inner}))
    edge = described(settings, where)
    check_called(settings, where, edge)
    _write(where.run / "edge.cfg", render.main_file(edge))
    if edge.tls:
        _write(where.run / "edge.tls", render.tls_file(edge.tls))
    return edge


def check_called(settings: Settings, where: Places, edge: Edge) -> None:
    """Whether everybody whom we call can be called as the settings want it. Raises EdgeError, AgentsRefused."""
    checks.check_trunks(edge, load_trunks(where.trunks))
    checks.check_phones(edge, {one.id: one.address for one in load_agents(where.agents).agents if one.address})


def _write(file: Path, text: str) -> None:
    part = file.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.chmod(0o600)
    part.replace(file)


def _free(address: str, port: int) -> int:
    """A port that is free for UDP and TCP; the given one where it is not 0."""
    if port:
        return port
    while True:
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as udp, closing(socket.socket()) as tcp:
            udp.bind((address, 0))
            found = int(udp.getsockname()[1])
            try:
                tcp.bind((address, found))
            except OSError:
                continue
            return found


def edge_part(edge: Edge) -> Part:
    """The proxy's process."""
    argv = (sys.executable, "-m", "ivr.edge.start", *render.command(edge, program(), modules()))
    return Part(name="edge", argv=argv, order=ORDER, stop_seconds=STOP_SECONDS, folder=str(ROOT))


def clear_edge(settings: Settings, where: Places) -> None:
    """End what a killed proxy left behind and nobody started again; after all parts have ended."""
    if settings.sip.edge:
        clear(render.command(described(settings, where), program(), modules()))


def known_peers(settings: Settings) -> tuple[str, ...]:
    """Networks that may call without registration. Raises EdgeError."""
    try:
        return tuple(network(one) for one in settings.sip.peers)
    except ValueError:
        raise EdgeError('sip.peers holds something that is no IPv4 address or network such as "192.0.2.0/24"') from None


def known(settings: Settings, where: Places) -> Known:
    """Peers, trunks and fixed phones. Raises EdgeError, AgentsRefused."""
    agents = load_agents(where.agents).agents
    return Known(
        peers=known_peers(settings),
        trunks=load_trunks(where.trunks),
        desks=tuple(one.address for one in agents if one.address),
    )


async def keep_edge(
    settings: Settings,
    where: Places,
    tell: Callable[[str], None],
    watched: Callable[[Keeper], None] = lambda keeper: None,
) -> None:
    """Keep the proxy in step until cancelled; returns at once where there is none. `watched` is given the keeper."""
    if not settings.sip.edge:
        return
    ring = keys_from_folder(where.keys)
    registering = {one.id for one in load_agents(where.agents).agents if not one.address}
    store = Store(await asyncio.to_thread(records_database.prepare, where.database))
    stored = SqlPhones(store, ring)

    async def keys() -> Mapping[str, PhoneKey]:
        found = await stored.all() if registering else ()
        return {one.agent: PhoneKey(sha256=one.sha256, md5=one.md5) for one in found if one.agent in registering}

    try:
        keeper = Keeper(described(settings, where), known(settings, where), keys, tell)
        watched(keeper)
        await keeper.run()
    finally:
        await asyncio.to_thread(store.close)


async def await_edge(settings: Settings, where: Places, port: int) -> None:
    """Returns when the proxy knows the worker that takes SIP at this port; at once where there is no proxy."""
    if not settings.sip.edge:
        return
    rpc = Rpc(described(settings, where).socket)
    while True:
        with contextlib.suppress(EdgeError):
            await rpc.call("htable.get", "edge", "fed")
            await rpc.call("htable.get", "workers", f"127.0.0.1:{port}")
            return
        await asyncio.sleep(_LOOK_SECONDS)
