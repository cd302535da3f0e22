"""The cache folder: private, refused if another user could write to it, and never required."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fxloom.system import cache
from fxloom.system.cache import UnsafeCacheError, cache_root, read_private, usable, write_private

posix = pytest.mark.skipif(os.name != "posix", reason="permissions of files")
as_root = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs root, to act as other users")


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Let each test look up the folder anew."""
    cache_root.cache_clear()
    cache.report_once.cache_clear()
    yield
    cache_root.cache_clear()
    cache.report_once.cache_clear()


@posix
def test_the_folder_and_its_parents_are_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FXLOOM_CACHE", str(tmp_path / "a" / "b"))
    before = os.umask(0)
    try:
        root = cache_root()
        assert root == tmp_path / "a" / "b"
        write_private(root / "code", b"machine")
    finally:
        os.umask(before)
    modes = [path.stat().st_mode & 0o777 for path in (tmp_path / "a", root, root / "code")]
    assert modes == [0o700, 0o700, 0o600]
    assert read_private(root / "code") == b"machine"


@posix
@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_folder_that_others_may_write_to_is_refused(
    mode: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(mode)
    monkeypatch.setenv("FXLOOM_CACHE", str(tmp_path))
    with pytest.raises(UnsafeCacheError, match=r"writable by others.*chmod go-w"):
        cache_root()


@posix
def test_a_link_is_refused_wherever_it_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.setenv("FXLOOM_CACHE", str(tmp_path / "link"))
    with pytest.raises(UnsafeCacheError, match="is a link"):
        cache_root()
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    with pytest.raises(UnsafeCacheError, match="is a link"):
        usable(tmp_path / "nowhere")


@as_root
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    os.chown(tmp_path, 4711, -1)
    with pytest.raises(UnsafeCacheError, match=r"another user \(uid 4711\)"):
        usable(tmp_path)


@as_root
def test_a_file_of_another_user_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "code").write_bytes(b"planted")
    os.chown(tmp_path / "code", 4711, -1)
    with pytest.raises(UnsafeCacheError, match="another user"):
        read_private(tmp_path / "code")


@posix
def test_a_link_is_neither_read_nor_written_through(tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"letters")
    (tmp_path / "code").symlink_to(tmp_path / "victim")
    with pytest.raises(UnsafeCacheError, match="is a link"):
        read_private(tmp_path / "code")
    write_private(tmp_path / "code", b"machine")
    assert (tmp_path / "victim").read_bytes() == b"letters"
    assert read_private(tmp_path / "code") == b"machine"


def test_without_a_home_nothing_is_cached_and_one_warning_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("FXLOOM_CACHE", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_, **__: Path("~/.cache/fxloom"))
    with caplog.at_level(logging.WARNING):
        assert cache_root() is None
        assert cache_root() is None
    assert [r.getMessage() for r in caplog.records] == [
        "fxloom: there is no home folder for compiled kernels: kernels are compiled in memory; "
        "set FXLOOM_CACHE to a folder of your own to compile only once"
    ]


def test_a_folder_that_cannot_be_created_is_not_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FXLOOM_CACHE", str(tmp_path / "file" / "cache"))
    assert cache_root() is None
    assert "cannot be used" in caplog.text


ANOTHER_USER = """
import ctypes, os, struct
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(8, 1, 0, 0, 0) == 0  # keep what root may do ...
os.setgid(4711); os.setuid(4711)
read = struct.pack("Ii", 0x20080522, 0), struct.pack("6I", 4, 4, 0, 0, 0, 0)
assert libc.capset(*read) == 0  # ... but of that only to read, as Python may lie in a folder of root's
"""
COMPUTE = """
import datetime as dt, fxloom
from fxloom.bars.synthetic import synthetic_market
bars = synthetic_market(dt.date(2024, 1, 1), dt.date(2024, 1, 9), ('eurusd',))['eurusd']
tables = fxloom.compute(bars, pair='eurusd', tables=['bollinger_rate'], baseline='first close')
print(tables['bollinger_rate'].height == len(bars))
"""


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs root, to become another user")
@pytest.mark.parametrize("named", [False, True])
@pytest.mark.slow
def test_a_user_without_an_entry_and_without_a_home_computes_features(named: bool, tmp_path: Path) -> None:
    """As in many containers: a user id without a name, and no writable folder."""
    environment = {k: v for k, v in os.environ.items() if k not in ("HOME", "FXLOOM_CACHE", "XDG_CACHE_HOME")}
    if named:
        environment["FXLOOM_CACHE"] = str(tmp_path / "cache")
    run = subprocess.run(
        [sys.executable, "-c", ANOTHER_USER + COMPUTE], capture_output=True, text=True, check=False, env=environment,
        cwd=tmp_path,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert run.stdout == "True\n"
    assert run.stderr.count("kernels are compiled in memory") == 1
