"""Archives and compressed files: every member is read or reported, and decompression is limited."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from fxloom.sources import Ignored, ReadOptions, Refused, SourceFile, read
from tests.sources.formats.market import PRICES, TIMES, ohlc
from tests.sources.vendor_files import accepted, assert_bars, refused

TEXT = "\n".join(
    ["ts_utc,open,high,low,close", *(f"{t:%Y-%m-%d %H:%M},{ohlc(p)}" for t, p in zip(TIMES, PRICES, strict=True))]
).encode()
Packing = Callable[[bytes], bytes]


def arrow(codec: str) -> Packing:
    def packed(data: bytes) -> bytes:
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, codec) as stream:
            stream.write(data)
        return bytes(sink.getvalue())

    return packed


PACKED: dict[str, Packing] = {
    "gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": arrow("zstd"), "lz4": arrow("lz4"),
}  # fmt: skip


def tarred(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            about = tarfile.TarInfo(name)
            about.size = len(data)
            archive.addfile(about, io.BytesIO(data))
    return out.getvalue()


@pytest.mark.parametrize("kind", PACKED)
def test_a_compressed_file(kind: str, tmp_path: Path) -> None:
    (tmp_path / f"EURUSD.csv.{kind}").write_bytes(PACKED[kind](TEXT))
    assert_bars(accepted(tmp_path / f"EURUSD.csv.{kind}").bars, TIMES, PRICES)


@pytest.mark.parametrize("kind", PACKED)
@pytest.mark.parametrize("spoil", [lambda data: data[:-12], lambda data: data[:40] + b"\xff" * 30 + data[70:]])
def test_a_corrupt_compressed_file_is_refused(kind: str, spoil: Packing, tmp_path: Path) -> None:
    (tmp_path / "EURUSD.csv").write_bytes(spoil(PACKED[kind](TEXT)))
    outcome = next(iter(read(tmp_path / "EURUSD.csv")))
    assert isinstance(outcome, Refused) or kind == "lz4"  # whose frames carry a checksum only on request


@pytest.mark.parametrize("kind", ["", *PACKED])
def test_a_tar_of_several_files(kind: str, tmp_path: Path) -> None:
    data = tarred({"m1/EURUSD.csv": TEXT, "m1/EURGBP/day.csv": TEXT, "README.md": b"hello", "m1/.hidden": b"x"})
    (tmp_path / f"prices.tar.{kind}").write_bytes(PACKED[kind](data) if kind else data)
    found = list(read(tmp_path / f"prices.tar.{kind}"))
    files = [file for file in found if isinstance(file, SourceFile)]
    assert [file.pair for file in files] == ["eurusd", "eurgbp"]
    for file in files:
        assert_bars(file.bars, TIMES, PRICES)
    assert [file.reason for file in found if isinstance(file, Ignored)] == ["a document, not data", "a hidden file"]
    assert files[1].name.endswith("/m1/EURGBP/day.csv")


def test_a_truncated_tar_keeps_its_whole_members(tmp_path: Path) -> None:
    data = gzip.compress(tarred({"EURUSD.csv": TEXT, "EURGBP.csv": TEXT * 3}))
    (tmp_path / "prices.tar.gz").write_bytes(data[:-200])
    kinds = [type(file) for file in read(tmp_path / "prices.tar.gz")]
    assert kinds[-1] is Refused
    assert Ignored not in kinds


def test_links_in_a_tar_are_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        about = tarfile.TarInfo("EURUSD.csv")
        about.type, about.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(about)
    (tmp_path / "prices.tar").write_bytes(out.getvalue())
    assert "a link" in refused(tmp_path / "prices.tar").reason


def test_a_compressed_file_in_a_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "prices.zip", "w") as archive:
        archive.writestr("EURUSD.csv.gz", gzip.compress(TEXT))
        archive.writestr("notes.tar", tarred({"x.csv": TEXT}))
    file, nested = read(tmp_path / "prices.zip")
    assert isinstance(file, SourceFile)
    assert_bars(file.bars, TIMES, PRICES)
    assert isinstance(nested, Refused)
    assert nested.reason == "an archive inside an archive"


@pytest.mark.parametrize("kind", PACKED)
def test_oversized_content_is_refused(kind: str, tmp_path: Path) -> None:
    zeros = b"0" * (20 << 20)
    (tmp_path / "EURUSD.csv").write_bytes(PACKED[kind](zeros))
    (tmp_path / "EURUSD.tar").write_bytes(PACKED[kind](tarred({"EURUSD.csv": zeros})))
    for name in ("EURUSD.csv", "EURUSD.tar"):
        outcome = list(read(tmp_path / name, ReadOptions(zone="utc")))[-1]
        assert isinstance(outcome, Refused)
        # lz4 compresses at most 255 to 1: its zeros are within the limit, and not a table.
        assert "bomb" in outcome.reason or kind == "lz4"


def test_an_empty_tar_and_a_locked_zip(tmp_path: Path) -> None:
    (tmp_path / "empty.tar").write_bytes(tarred({"folder/.keep": b"x"}))
    assert [type(file) for file in read(tmp_path / "empty.tar")] == [Ignored]
    # A zip of one stored file flagged as encrypted.
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("EURUSD.csv", TEXT)
    data = bytearray(out.getvalue())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(bytes(data))
    assert refused(tmp_path / "locked.zip").reason == "protected by a password"


def test_archives_inside_archives(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("EURUSD.csv", TEXT)
    (tmp_path / "outer.tar").write_bytes(tarred({"inner.zip": inner.getvalue()}))
    (tmp_path / "outer.csv.gz").write_bytes(gzip.compress(inner.getvalue()))
    assert refused(tmp_path / "outer.tar").reason == "an archive inside an archive"
    assert "archive" in refused(tmp_path / "outer.csv.gz").reason


def test_an_open_document_spreadsheet(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "EURUSD.ods", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", "<office/>")
    assert "OpenDocument" in refused(tmp_path / "EURUSD.ods").reason


def test_a_tar_with_no_files_and_a_corrupt_one(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        folder = tarfile.TarInfo("m1")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
    (tmp_path / "empty.tar").write_bytes(out.getvalue())
    assert refused(tmp_path / "empty.tar").reason == "an empty tar"
    data = bytearray(tarred({"EURUSD.csv": TEXT, "EURGBP.csv": TEXT}))
    second = data.index(b"EURGBP")
    data[second : second + 300] = b"\xff" * 300
    (tmp_path / "damaged.tar").write_bytes(bytes(data))
    first, refusal = read(tmp_path / "damaged.tar")
    assert isinstance(first, SourceFile)
    assert isinstance(refusal, Refused)
    assert "corrupt or truncated" in refusal.reason


def test_a_sparse_file_in_a_tar_is_refused(tmp_path: Path) -> None:
    """A sparse member of terabytes takes a few bytes in the tar, which a limit on the packed size would miss."""
    about = tarfile.TarInfo("EURUSD.csv")
    about.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(1 << 42)}
    content = b"1\n0\n1\n".ljust(512, b"\0") + b"x"
    about.size = len(content)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(about, io.BytesIO(content))
    (tmp_path / "sparse.tar").write_bytes(out.getvalue())
    assert "sparse" in refused(tmp_path / "sparse.tar").reason
