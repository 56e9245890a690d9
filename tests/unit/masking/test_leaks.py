"""The oracle finds every spelling and nothing else."""

import base64
import gzip
import io
import json
import random
import sqlite3
import uuid
import zipfile
import zlib
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.leaks import CHUNK, LeakOracle
from masking.unpack import LARGEST

NUMBER, OTHER = "+12025550123", "+447700900123"
ORACLE = LeakOracle([NUMBER, OTHER])
DIGITS = NUMBER[1:]


def zipped(text: str) -> bytes:
    """A zip archive with one file of this text."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("log.txt", f"call {text} " * 9)
    return file.getvalue()


def kinds(blob: bytes, number: int = 0) -> set[str]:
    return {hit.spelling for hit in ORACLE.scan(blob) if hit.number == number}


@pytest.mark.parametrize(
    ("blob", "kind"),
    [
        (b"<sip:+12025550123@x>", "digits"),
        (b"x12025550123x", "digits"),
        (b"x2025550123x", "digits"),
        (b"0012025550123", "digits"),
        (b"912025550123", "digits"),
        (b"12025550123999", "digits"),
        (b"a25550123b", "digits"),
        (b"a5550123b", "digits"),
        (b"5550123", "digits"),
        (b"+1 202 555 0123", "separated"),
        (b"202-555-0123", "separated"),
        (b"202.555.0123", "separated"),
        (b"(202) 555-0123", "separated"),
        (b"2 0 2 5 5 5 0 1 2 3", "separated"),
        (b"555-0123", "separated"),
        ("202\u00a0555\u00a00123".encode(), "separated"),
        (quote("+1 202 555 0123").encode(), "separated"),
        (b"%35%35%35%30%31%32%33", "url"),
        ("１２０２５５５０１２３".encode(), "full-width"),
        ("１２０２５５５０１２３".encode("utf-16-le"), "full-width"),
        ("５５５ ０１２３".encode(), "full-width"),
        ("二〇二五五五〇一二三".encode(), "chinese"),
        ("伍伍伍零壹贰叁".encode(), "chinese"),
        ("五五五零幺二三".encode("utf-16-be"), "chinese"),
        (DIGITS[::-1].encode(), "reversed"),
        (b"3.2.1.0.5.5.5.2.0.2.1.e164.arpa", "reversed"),
        (b"3210555", "reversed"),
        (DIGITS.encode().hex().encode(), "hex"),
        (b"+1 202-555-0123".hex().upper().encode(), "hex"),
        (b"35 35 35 30 31 32 33", "hex"),
        (rb"\x35\x35\x35\x30\x31\x32\x33", "hex"),
        (DIGITS.encode("utf-16-le").hex().encode(), "hex"),
        (f"{int(DIGITS):x}".encode(), "hex integer"),
        (f"{int(DIGITS):X}".encode(), "hex integer"),
        (int(DIGITS).to_bytes(8), "integer"),
        (int(DIGITS).to_bytes(8, "little"), "integer"),
        (bytes.fromhex("012025550123"), "packed decimal"),
        (bytes.fromhex("0252551032"), "packed decimal"),
        (b"five five five oh one two three", "words"),
        (b"fivefivefiveohonetwothree", "words"),
        (b"twenty, twenty-five fifty-five oh one twenty three", "words"),
        (b"two oh two five fifty five oh twelve three", "words"),
        (b"five double five, and zero one twenty three", "words"),
        ("五五五洞幺二三".encode(), "chinese"),
        ("٥٥٥٠١٢٣".encode(), "other script"),
        ("۵۵۵ ۰۱۲۳".encode(), "other script"),
        ("५५५०१२३".encode(), "other script"),
        (json.dumps("五五五零一二三").encode(), "escaped"),
        (json.dumps("５５５０１２３").encode(), "escaped"),
        (rb"\u0035\u0035\u0035-\u0030\u0031\u0032\u0033", "escaped"),
        (b"&#53;&#53;&#53;&#48;&#x31;&#x32;&#X33;", "escaped"),
        (b"=35=35=35=30=31=32=33", "escaped"),
        (gzip.compress(b"call +1 202 555 0123"), "compressed separated"),
        (zlib.compress(b"call 2025550123 " * 9), "compressed digits"),
        (gzip.compress(zlib.compress(b"call five five five oh one two three")), "compressed words"),
        (zlib.compress(b"+12025550123 " + random.Random(5).randbytes(900))[:600], "compressed digits"),
        (zipped("+12025550123"), "compressed digits"),
        (b"two-oh-two, Triple Five, zero one two three.", "words"),
        (b"five%20five%20five%20zero%20one%20two%20three", "words"),
        (DIGITS.encode("utf-16-le"), "utf-16 digits"),
        (b"x" + DIGITS.encode("utf-16-be"), "utf-16 digits"),
        ("555-0123".encode("utf-16"), "utf-16 separated"),
        ("five five five oh one two three".encode("utf-16-le"), "utf-16 words"),
        (base64.b64encode(NUMBER.encode()).decode().encode("utf-16-le"), "utf-16 base64"),
    ],
)
def test_each_spelling_is_found(blob: bytes, kind: str) -> None:
    assert kind in kinds(b"\x00\xff some " + blob + b" text \xff")
    assert kind in kinds(blob)
    assert kinds(blob, number=1) == set()


@pytest.mark.parametrize("text", [NUMBER, DIGITS, "2025550123", "+1 202-555-0123", "(202) 555-0123", "202.555.0123"])
@pytest.mark.parametrize("before", ["", "a", "ab", "{?~"])
@pytest.mark.parametrize("after", ["", "z", "zz"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-16-le"])
def test_base64_is_found_at_every_alignment(text: str, before: str, after: str, codec: str) -> None:
    blob = f"{before}{text}{after}".encode(codec)
    assert "base64" in kinds(base64.b64encode(blob))
    assert kinds(base64.urlsafe_b64encode(blob)) & {"base64", "base64url"}


@pytest.mark.parametrize(
    "blob",
    [
        b"15550123",
        b"55501234",
        b"9925550123",
        b"1732392055501230",
        b"32105559",
        b"555012 3x",
        b"five five five oh one two",
        b"nurse1@127.0.0.1:5071",
        b"1764000000.55501234 2555012.3",
        b"2025-11-24T05:55:01.234567Z 2025-55-50",
        b"USD 25,550,123.45",
        b"3f2504e0-4f89-41d3-9a0c-0305e82c3301 20255501-4f89-41d3-9a0c-0305e82c3301",
        b"one to ten of twenty, fifty five oh one twenty",
        b"someone often phones no one",
    ],
)
def test_other_digits_around_a_short_form_are_another_number(blob: bytes) -> None:
    assert {kind for kind in kinds(blob) if kind not in {"separated"}} == set()


def test_ten_megabytes_of_noise_give_no_hit() -> None:
    noise = random.Random(7).randbytes(10_000_000)
    assert ORACLE.scan(noise) == ()


def test_two_megabytes_of_digits_hex_and_base64_give_no_hit() -> None:
    source = random.Random(11)
    digits = "\n".join(str(source.randrange(10**15, 10**16)) for _ in range(60_000)).encode()
    noise = source.randbytes(700_000)
    assert ORACLE.scan(digits) == ()
    assert ORACLE.scan(noise[:350_000].hex().encode()) == ()
    assert ORACLE.scan(base64.b64encode(noise)) == ()


@given(before=st.binary(max_size=40), after=st.binary(max_size=40))
def test_the_whole_number_is_found_in_any_surroundings(before: bytes, after: bytes) -> None:
    hits = ORACLE.scan(before + NUMBER.encode() + after)
    assert any(hit.spelling == "digits" and hit.offset == len(before) + 1 for hit in hits)


def test_hits_tell_number_and_place_but_never_digits() -> None:
    hits = ORACLE.scan(b"xx" + OTHER.encode(), where="memory")
    assert {(hit.number, hit.where) for hit in hits} == {(1, "memory")}
    assert min(hit.offset for hit in hits) == 3
    assert ORACLE.scan(repr(hits).encode()) == ()


@pytest.mark.parametrize("number", ["2025550123", "+", "+12025550123x", "", "+999123456789"])
def test_only_full_numbers_are_looked_for(number: str) -> None:
    with pytest.raises(ValueError, match="to look for") as refused:
        LeakOracle([number])
    assert not number.strip("+") or number not in str(refused.value)


def test_short_national_numbers_need_to_stand_alone_or_whole() -> None:
    oracle = LeakOracle(["+4722000012"])
    assert oracle.scan(b"22000012")
    assert oracle.scan(b"994722000012")
    assert not oracle.scan(b"9922000012")


def test_folders_files_and_names_are_searched(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "log").write_bytes(b"a" * 100 + NUMBER.encode())
    (tmp_path / f"rec-{DIGITS}.wav").write_bytes(b"")
    (tmp_path / "clean").write_bytes(b"nothing")
    hits = ORACLE.scan_folder(tmp_path)
    assert {(Path(hit.where).name, hit.offset) for hit in hits if hit.spelling == "digits"} == {
        ("log", 101),
        ("log", 102),
        ("rec-[number].wav", -1),
    }
    assert ORACLE.scan(repr(hits).replace(str(tmp_path), "").encode()) == ()
    assert ORACLE.scan_file(tmp_path / "clean") == ()


def test_a_spelling_across_the_edge_of_a_chunk_is_found_once(tmp_path: Path) -> None:
    path = tmp_path / "big"
    path.write_bytes(b"a" * (CHUNK - 5) + NUMBER.encode() + b"b" * 100)
    hits = [hit for hit in ORACLE.scan_file(path) if hit.spelling == "digits"]
    assert [hit.offset for hit in hits] == [CHUNK - 4, CHUNK - 3]


def test_a_compressed_log_is_read_to_its_end_and_a_damaged_one_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    filler = random.Random(3).randbytes(LARGEST + 100_000)
    path.write_bytes(gzip.compress(filler + NUMBER.encode() + b" end", 1))
    assert "compressed digits" in {hit.spelling for hit in ORACLE.scan_file(path)}
    path.write_bytes(gzip.compress(NUMBER.encode() + b" and " + filler[:5000])[:-2000])
    assert "compressed digits" in {hit.spelling for hit in ORACLE.scan_file(path)}


def test_a_package_that_unfolds_into_very_much_costs_little() -> None:
    bomb = zlib.compress(b"\0" * 200_000_000, 1)
    assert ORACLE.scan(bomb) == ()


def test_a_thousand_ids_and_times_and_prices_give_no_hit() -> None:
    source = random.Random(13)
    lines = [
        f"{uuid.UUID(int=source.getrandbits(128))} {1.7e9 + source.random() * 1e8:.6f} {source.randrange(10**6)}.99 EUR"
        for _ in range(1000)
    ]
    assert ORACLE.scan("\n".join(lines).encode()) == ()


def test_sqlite_is_read_with_its_log(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE t (a, b)")
        db.execute("INSERT INTO t VALUES (?, ?)", (NUMBER, int(OTHER)))
        hits = ORACLE.scan_file(path)
        assert {(hit.number, hit.spelling, Path(hit.where).name) for hit in hits} >= {
            (0, "digits", "x.db-wal"),
            (1, "integer", "x.db-wal"),
        }
