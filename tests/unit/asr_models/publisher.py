"""A publisher on loopback that can be cut off, change its files, and count what it is asked."""

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from asr_models.catalog import CatalogModel

MODEL_FILES = ("am/final.mdl", "conf/model.conf", "graph/HCLr.fst", "graph/Gr.fst", "graph/words.txt")


@dataclass(slots=True, kw_only=True)
class Publisher:
    """What the server does; tests change it while it runs."""

    base: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    cut_after: list[int] = field(default_factory=list)
    """Bytes of the body after which each next answer breaks off."""
    etag: str = '"v1"'
    ranges: list[str] = field(default_factory=list)
    """The Range header of every request; empty where there was none."""
    status: int = 0
    """Answer everything with this status where set."""


@contextmanager
def publisher() -> Iterator[Publisher]:
    state = Publisher()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, state)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.base = f"http://127.0.0.1:{server.server_address[1]}/models/"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(request: BaseHTTPRequestHandler, state: Publisher) -> None:
    wanted = request.headers.get("Range", "")
    state.ranges.append(wanted)
    body = state.files.get(request.path.rsplit("/", 1)[1])
    if state.status or body is None:
        request.send_error(state.status or 404)
        return
    start = 0
    if wanted and request.headers.get("If-Range") == state.etag:
        start = int(wanted.removeprefix("bytes=").rstrip("-"))
    if start >= len(body):
        request.send_error(416)
        return
    request.send_response(206 if start else 200)
    if start:
        request.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
    request.send_header("Content-Length", str(len(body) - start))
    if state.etag:
        request.send_header("ETag", state.etag)
    request.end_headers()
    end = start + state.cut_after.pop(0) if state.cut_after else len(body)
    request.wfile.write(body[start:end])
    request.close_connection = True


def model_zip(extra: dict[str, bytes] | None = None, files: tuple[str, ...] = MODEL_FILES) -> bytes:
    """A zip of a tiny model in one folder, stored without compression so that it has some length."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in files:
            archive.writestr(f"tiny/{name}", name.encode() * 1000)
        for name, data in (extra or {}).items():
            archive.writestr(name, data)
    return packed.getvalue()


def described(data: bytes, checksums: tuple[str, ...] | None = None) -> CatalogModel:
    """A catalog entry for an archive."""
    known = (f"sha256:{hashlib.sha256(data).hexdigest()}", f"md5:{hashlib.md5(data).hexdigest()}")
    return CatalogModel(
        id="tiny",
        language="en-us",
        file="tiny.zip",
        size=len(data),
        licence="Apache-2.0",
        checksums=known if checksums is None else checksums,
        source="",
        dynamic=True,
        note="",
    )
