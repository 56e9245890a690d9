"""The key ring: its file, its refusals, and what is sealed with it."""

import base64
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.keys import (
    FILE_NAME,
    KeyRefused,
    KeyRing,
    NotAuthentic,
    add_key,
    keys_from_environment,
    keys_from_folder,
    keys_from_text,
)

OLD, NEW = KeyRing({1: b"a" * 32}), KeyRing({1: b"a" * 32, 2: b"b" * 32})


def test_first_start_makes_a_private_file_that_stays(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    sealed = keys_from_folder(folder).sealer("x").seal(b"clear", b"here")
    assert (folder / FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]
    assert keys_from_folder(folder).sealer("x").open(sealed, b"here") == b"clear"


def test_two_first_starts_at_once_agree(tmp_path: Path) -> None:
    tags: list[bytes] = []
    barrier = threading.Barrier(8)

    def start() -> None:
        barrier.wait()
        tags.append(keys_from_folder(tmp_path).sealer("x").tag(b"same", b""))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tags) == 8
    assert len(set(tags)) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o620])
def test_a_file_that_others_can_touch_is_refused(tmp_path: Path, mode: int) -> None:
    keys_from_folder(tmp_path)
    (tmp_path / FILE_NAME).chmod(mode)
    with pytest.raises(KeyRefused, match="chmod 600"):
        keys_from_folder(tmp_path)


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("")
    with pytest.raises(KeyRefused, match="cannot be used"):
        keys_from_folder(tmp_path / "keys")


@pytest.mark.parametrize("text", ["", "nonsense", "1:c2hvcnQ=", "0:" + "A" * 44, f"1:{'A' * 43}= 1:{'A' * 43}="])
def test_text_that_is_no_key_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(KeyRefused) as refused:
        keys_from_text(text, "the test")
    assert "the test" in str(refused.value)
    assert not text or text not in str(refused.value)


def test_the_environment_is_asked_by_name() -> None:
    key = base64.b64encode(b"k" * 32).decode()
    from_variable = keys_from_environment("MASTER", {"MASTER": f"1:{key}"}).sealer("x")
    assert from_variable.tag(b"a", b"") == KeyRing({1: b"k" * 32}).sealer("x").tag(b"a", b"")
    with pytest.raises(KeyRefused, match="MASTER"):
        keys_from_environment("MASTER", {})


def test_the_ring_does_not_print_its_keys() -> None:
    assert "a" * 8 not in repr(OLD)


@given(clear=st.binary(max_size=200), context=st.binary(max_size=40))
def test_what_is_sealed_opens(clear: bytes, context: bytes) -> None:
    sealed = OLD.sealer("x").seal(clear, context)
    assert OLD.sealer("x").open(sealed, context) == clear
    assert not clear or len(clear) < 4 or clear not in sealed


@given(at=st.integers(min_value=0), flip=st.integers(1, 255))
def test_any_changed_byte_is_refused(at: int, flip: int) -> None:
    sealed = bytearray(OLD.sealer("x").seal(b"clear", b"here"))
    sealed[at % len(sealed)] ^= flip
    with pytest.raises(NotAuthentic):
        OLD.sealer("x").open(bytes(sealed), b"here")


@given(length=st.integers(0, 93))
def test_anything_cut_off_is_refused(length: int) -> None:
    sealed = OLD.sealer("x").seal(b"clear", b"here")
    assert len(sealed) == 94
    with pytest.raises(NotAuthentic):
        OLD.sealer("x").open(sealed[:length], b"here")


def test_contexts_labels_and_rings_are_apart() -> None:
    sealed = OLD.sealer("x").seal(b"clear", b"here")
    for sealer, context in [
        (OLD.sealer("x"), b"there"),
        (OLD.sealer("y"), b"here"),
        (KeyRing({1: b"z" * 32}).sealer("x"), b"here"),
    ]:
        with pytest.raises(NotAuthentic):
            sealer.open(sealed, context)


def test_a_rotated_ring_opens_the_old_and_keeps_its_tags() -> None:
    old, new = OLD.sealer("x"), NEW.sealer("x")
    assert new.open(old.seal(b"clear", b""), b"") == b"clear"
    assert new.tag(b"number", b"") == old.tag(b"number", b"")
    with pytest.raises(NotAuthentic):
        old.open(new.seal(b"clear", b""), b"")


def test_tags_keep_input_and_context_apart() -> None:
    sealer = OLD.sealer("x")
    assert sealer.tag(b"ab", b"c") != sealer.tag(b"b", b"ca")
    assert sealer.tag(b"ab", b"c") != OLD.sealer("y").tag(b"ab", b"c")


def test_a_key_that_is_added_seals_from_then_on_and_running_processes_find_it(tmp_path: Path) -> None:
    running = keys_from_folder(tmp_path / "keys").sealer("x")
    old = running.seal(b"old", b"c")
    assert add_key(tmp_path / "keys") == 2
    assert [path.name for path in (tmp_path / "keys").glob("master.keys*")] == [FILE_NAME]
    fresh = keys_from_folder(tmp_path / "keys").sealer("x")
    new = fresh.seal(b"new", b"c")
    assert (new[0], old[0]) == (2, 1)
    assert running.open(new, b"c") == b"new"
    assert fresh.tag(b"t", b"c") == running.tag(b"t", b"c") == running.tag_by(1, b"t", b"c")
    assert fresh.tag_by(2, b"t", b"c") == running.tag_by(2, b"t", b"c") != fresh.tag(b"t", b"c")
    wrapped = fresh.rewrap(old, b"c")
    assert (wrapped[0], fresh.open(wrapped, b"c")) == (2, b"old")
    for wrong in (old[:-1], b"", bytes([9]) + old[1:]):
        with pytest.raises(NotAuthentic):
            fresh.rewrap(wrong, b"c")
    with pytest.raises(KeyError):
        running.tag_by(3, b"t", b"c")
