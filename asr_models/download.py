"""Fetches one file over HTTP so that a broken connection costs only what was missing (RFC 9110, sections 13 and 14).

The beginning lies in NAME.part, and NAME.part.tag holds the server's validator. A later request asks for the rest with
Range and If-Range: where the file has changed meanwhile, the server sends all of it, and we begin again.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

import httpx

from asr_models.errors import NotAtPublisher, PublisherUnreachable, UnsafeArchive

Progress: TypeAlias = Callable[[int, int], None]
"""Told bytes had and bytes wanted (0 where the server does not say), at every piece that comes."""
IDLE_TRIES = 3
"""So many attempts in a row may bring nothing."""
TIMEOUT = httpx.Timeout(30.0, connect=10.0)


def fetch(url: str, target: Path, *, limit: int, progress: Progress) -> None:
    """Download to a file, going on from TARGET.part. Raises PublisherUnreachable (what was had is kept),
    NotAtPublisher, UnsafeArchive for more than `limit` bytes, OSError."""
    part = target.with_name(target.name + ".part")
    idle = 0
    with httpx.Client(timeout=TIMEOUT, follow_redirects=True, headers={"Accept-Encoding": "identity"}) as client:
        while True:
            had = _size(part)
            try:
                _attempt(client, url, part, limit, progress)
            except (httpx.TransportError, _Short) as error:
                idle = 0 if _size(part) > had else idle + 1
                if idle >= IDLE_TRIES:
                    raise _unreachable(url, part) from error
            else:
                break
    _tag(part).unlink(missing_ok=True)
    part.replace(target)


class _Short(Exception):
    """The server said less than it promised, or cannot serve now."""


def _attempt(client: httpx.Client, url: str, part: Path, limit: int, progress: Progress) -> None:
    with client.stream("GET", url, headers=_resume(part)) as answer:
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            _forget(part)
            raise _Short
        if answer.status_code in (404, 410, 403):
            raise NotAtPublisher(f"{_host(url)} answers that it has no file {part.name.removesuffix('.part')}.")
        if answer.status_code not in (200, 206):
            raise _Short
        start = _start(answer, part)
        length = int(answer.headers.get("content-length", 0))
        _tag(part).write_text(_validator(answer), encoding="utf-8")
        had = _append(answer, part, start, start + length, limit, progress)
    if length and had < start + length:
        raise _Short


def _append(answer: httpx.Response, part: Path, had: int, total: int, limit: int, progress: Progress) -> int:
    with part.open("r+b" if had else "wb") as out:
        out.seek(had)
        out.truncate()
        for piece in answer.iter_raw():
            had += len(piece)
            if had > limit:
                out.close()
                _forget(part)
                raise UnsafeArchive("The server sends far more than the model has, so what came was deleted.")
            out.write(piece)
            progress(had, total)
    return had


def _resume(part: Path) -> dict[str, str]:
    """Headers that ask for the rest; none where nothing is there, or nothing tells whether the file is the same."""
    validator = _tag(part).read_text(encoding="utf-8") if _tag(part).is_file() else ""
    if not _size(part) or not validator:
        return {}
    return {"Range": f"bytes={_size(part)}-", "If-Range": validator}


def _start(answer: httpx.Response, part: Path) -> int:
    """Where the body begins in the file. A range that does not continue ours is of no use."""
    if answer.status_code != httpx.codes.PARTIAL_CONTENT:
        return 0
    match = re.match(r"bytes (\d+)-", answer.headers.get("content-range", ""))
    if not match or int(match[1]) != _size(part):
        _forget(part)
        raise _Short
    return int(match[1])


def _validator(answer: httpx.Response) -> str:
    """A strong ETag, else the date of the last change: If-Range takes no weak ones."""
    tag = str(answer.headers.get("etag", ""))
    return tag if tag and not tag.startswith("W/") else str(answer.headers.get("last-modified", ""))


def _tag(part: Path) -> Path:
    return part.with_name(part.name + ".tag")


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _tag(part).unlink(missing_ok=True)


def _host(url: str) -> str:
    return urlsplit(url).netloc


def _unreachable(url: str, part: Path) -> PublisherUnreachable:
    kept = " what was fetched is kept and the next try goes on from there;" if _size(part) else ""
    return PublisherUnreachable(
        f"{_host(url)} cannot be reached or breaks off:{kept} set the mirror setting to a server that has "
        f"{part.name.removesuffix('.part')}, or unpack the model by hand and set the model path to its folder."
    )
