"""Installing models from a publisher that misbehaves."""

import fcntl
import io
import json
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from asr_models import install
from asr_models.errors import (
    ModelBusy,
    NoDiskSpace,
    NoModelInside,
    NotAtPublisher,
    PublisherUnreachable,
    UnknownModel,
    UnsafeArchive,
    WrongChecksum,
)
from asr_models.folder import missing
from asr_models.unpack import unpack
from tests.unit.asr_models.publisher import Publisher, described, model_zip


def _quiet(had: int, total: int) -> None:
    """No progress wanted."""


def _leftovers(root: Path) -> set[str]:
    return {path.name for path in root.iterdir()} - {".lock"}


def test_a_model_is_installed_whole_and_once(server: Publisher, tmp_path: Path) -> None:
    data = model_zip()
    server.files["tiny.zip"] = data
    told: list[tuple[int, int]] = []
    path = install.install(described(data), tmp_path, server.base, lambda had, total: told.append((had, total)))
    assert not missing(path)
    assert told[-1] == (len(data), len(data))
    assert install.receipt(path)["id"] == "tiny"
    assert install.installed(tmp_path) == (path,)
    assert _leftovers(tmp_path) == {"tiny"}
    install.install(described(data), tmp_path, server.base, _quiet)
    assert len(server.ranges) == 1


def test_a_cut_connection_is_resumed_at_once(server: Publisher, tmp_path: Path) -> None:
    data = model_zip()
    server.files["tiny.zip"] = data
    server.cut_after = [10_000, 20_000]
    install.install(described(data), tmp_path, server.base, _quiet)
    assert server.ranges == ["", "bytes=10000-", "bytes=30000-"]


def test_what_was_fetched_is_kept_for_the_next_try(server: Publisher, tmp_path: Path) -> None:
    data = model_zip()
    server.files["tiny.zip"] = data
    server.cut_after = [10_000, 0, 0, 0]
    with pytest.raises(PublisherUnreachable, match="goes on from there"):
        install.install(described(data), tmp_path, server.base, _quiet)
    assert (tmp_path / "tiny.zip.part").stat().st_size == 10_000
    install.install(described(data), tmp_path, server.base, _quiet)
    assert server.ranges[-1] == "bytes=10000-"
    assert _leftovers(tmp_path) == {"tiny"}


def test_a_file_changed_meanwhile_is_fetched_anew(server: Publisher, tmp_path: Path) -> None:
    data, other = model_zip(), model_zip({"tiny/README": b"new"})
    server.files["tiny.zip"] = data
    server.cut_after = [10_000, 0, 0, 0]
    with pytest.raises(PublisherUnreachable):
        install.install(described(data), tmp_path, server.base, _quiet)
    server.files["tiny.zip"], server.etag = other, '"v2"'
    install.install(described(other), tmp_path, server.base, _quiet)
    assert (tmp_path / "tiny/README").read_bytes() == b"new"


def test_without_a_validator_the_download_begins_again(server: Publisher, tmp_path: Path) -> None:
    data = model_zip()
    server.files["tiny.zip"], server.etag, server.cut_after = data, "", [10_000]
    install.install(described(data), tmp_path, server.base, _quiet)
    assert server.ranges == ["", ""]


def test_a_part_longer_than_the_file_is_forgotten(server: Publisher, tmp_path: Path) -> None:
    data = model_zip()
    server.files["tiny.zip"] = data
    (tmp_path / "tiny.zip.part").write_bytes(data + b"more")
    (tmp_path / "tiny.zip.part.tag").write_text(server.etag)
    install.install(described(data), tmp_path, server.base, _quiet)
    assert server.ranges == [f"bytes={len(data) + 4}-", ""]


def test_a_wrong_checksum_deletes_the_file(server: Publisher, tmp_path: Path) -> None:
    data = model_zip()
    server.files["tiny.zip"] = model_zip({"tiny/extra": b"evil"})
    with pytest.raises(WrongChecksum, match="was deleted"):
        install.install(described(data), tmp_path, server.base, _quiet)
    assert _leftovers(tmp_path) == set()


def test_an_unknown_checksum_is_pinned_by_the_first_install(server: Publisher, tmp_path: Path) -> None:
    data = model_zip()
    server.files["tiny.zip"] = data
    model = described(data, checksums=())
    install.install(model, tmp_path, server.base, _quiet)
    install.remove("tiny", tmp_path)
    assert "tiny" in json.loads((tmp_path / install.PINS).read_text())
    server.files["tiny.zip"] = model_zip({"tiny/extra": b"changed"})
    with pytest.raises(WrongChecksum):
        install.install(model, tmp_path, server.base, _quiet)


def test_an_absent_file_names_the_host(server: Publisher, tmp_path: Path) -> None:
    with pytest.raises(NotAtPublisher, match=r"127\.0\.0\.1:\d+ answers that it has no file tiny\.zip\."):
        install.install(described(b"x"), tmp_path, server.base, _quiet)


def test_a_failing_server_names_every_way_out(server: Publisher, tmp_path: Path) -> None:
    server.status = 503
    with pytest.raises(PublisherUnreachable, match=r"127\.0\.0\.1.*mirror setting.*model path"):
        install.install(described(b"x"), tmp_path, server.base, _quiet)


def test_no_server_at_all(tmp_path: Path) -> None:
    with pytest.raises(PublisherUnreachable, match="cannot be reached"):
        install.install(described(b"x"), tmp_path, "http://127.0.0.1:9/", _quiet)


def test_a_server_that_never_stops_is_stopped(server: Publisher, tmp_path: Path) -> None:
    server.files["tiny.zip"] = model_zip()
    with pytest.raises(UnsafeArchive, match="far more"):
        install.install(described(b"short"), tmp_path, server.base, _quiet)
    assert _leftovers(tmp_path) == set()


@pytest.mark.parametrize("name", ["../evil", "/evil", "tiny/../../evil", "tiny\\..\\evil", "C:evil"])
def test_paths_outside_are_refused(server: Publisher, tmp_path: Path, name: str) -> None:
    data = model_zip({name: b"evil"})
    server.files["tiny.zip"] = data
    with pytest.raises(UnsafeArchive, match="outside"):
        install.install(described(data), tmp_path / "root", server.base, _quiet)
    assert _leftovers(tmp_path) == {"root"}
    assert _leftovers(tmp_path / "root") == set()


def test_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("tiny/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UnsafeArchive, match="links"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, kind: bytes) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        odd = tarfile.TarInfo("tiny/odd")
        odd.type, odd.linkname = kind, "../../etc/passwd"
        archive.addfile(odd)
    with pytest.raises(UnsafeArchive, match="links"):
        unpack(tmp_path / "a.tar.gz", tmp_path / "out")


def test_a_decompression_bomb_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tiny/big", bytes(50_000_000))
    with pytest.raises(UnsafeArchive, match="proportion"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


@pytest.mark.parametrize("data", [b"", b"not an archive", model_zip()[:5000]])
def test_garbage_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(UnsafeArchive):
        unpack(tmp_path / "a.zip", tmp_path / "out")


def test_a_truncated_tar_is_refused(tmp_path: Path) -> None:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as archive:
        info = tarfile.TarInfo("tiny/a")
        info.size = 100_000
        archive.addfile(info, io.BytesIO(bytes(range(256)) * 400))
    (tmp_path / "a.tar.gz").write_bytes(whole.getvalue()[:-200])
    with pytest.raises(UnsafeArchive):
        unpack(tmp_path / "a.tar.gz", tmp_path / "out")


def test_an_archive_of_something_else_is_not_installed(server: Publisher, tmp_path: Path) -> None:
    data = model_zip(files=("am/final.mdl", "README"))
    server.files["tiny.zip"] = data
    with pytest.raises(NoModelInside, match="conf/model.conf is missing"):
        install.install(described(data), tmp_path, server.base, _quiet)
    assert _leftovers(tmp_path) == set()


def test_too_little_disk_is_told_before_anything_is_fetched(server: Publisher, tmp_path: Path) -> None:
    huge = described(b"x", checksums=())
    huge = type(huge)(**{name: getattr(huge, name) for name in huge.__slots__} | {"size": 10**16})
    with pytest.raises(NoDiskSpace, match="MiB are free"):
        install.install(huge, tmp_path, server.base, _quiet)
    assert server.ranges == []


def test_two_installers_do_not_meet(server: Publisher, tmp_path: Path) -> None:
    with (tmp_path / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ModelBusy, match="try again"):
            install.install(described(b"x"), tmp_path, server.base, _quiet)
    assert server.ranges == []


@pytest.mark.parametrize("name", ["nothing", "../root", ".lock", "/etc", ""])
def test_only_an_installed_model_is_removed(tmp_path: Path, name: str) -> None:
    (tmp_path / "root").mkdir()
    with pytest.raises(UnknownModel):
        install.remove(name, tmp_path / "root")
    assert (tmp_path / "root").is_dir()
