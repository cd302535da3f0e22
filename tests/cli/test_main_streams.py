"""The command line with closed or limited output streams, and with an unsafe cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lakes import make_lake

posix = pytest.mark.skipif(os.name != "posix", reason="shell and permissions")


def run(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A shell command line that runs fxloom."""
    program = f"'{sys.executable}' -m fxloom"
    return subprocess.run(
        ["sh", "-c", command.replace("fxloom", program, 1)], capture_output=True, text=True, check=False,
        env=os.environ | environment,
    )  # fmt: skip


@posix
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&-"])
def test_closed_streams_do_not_abort_a_command(closed: str, tmp_path: Path) -> None:
    for command in ("fxloom catalogue --search liquidity", "fxloom catalogue --search liquidity --json"):
        ended = run(f"{command} {closed}")
        assert (ended.returncode, "Traceback" in ended.stderr) == (0, False), ended.stderr
    ended = run(f"fxloom audit --store '{tmp_path / 'nowhere'}' {closed}")
    assert (ended.returncode, "Traceback" in ended.stderr) == (1, False), ended.stderr


@posix
def test_unsupported_characters_are_escaped(tmp_path: Path) -> None:
    odd = tmp_path / "données ¥.csv"
    odd.write_text("nothing;of;use\n" * 5)
    ended = run(f"fxloom ingest --store '{tmp_path / 'lake'}' '{odd}'", LC_ALL="C", PYTHONIOENCODING="ascii")
    assert (ended.returncode, "Traceback" in ended.stderr) == (1, False)
    assert r"\xa5.csv: REFUSED" in ended.stdout


@posix
def test_an_unsafe_cache_stops_populate_and_verify_with_the_fix(tmp_path: Path) -> None:
    lake = make_lake(tmp_path, ("eurusd",))
    cache = tmp_path / "cache"
    cache.mkdir()
    cache.chmod(0o777)
    for command in ("populate --workers 1", "populate --workers 2", "verify --workers 1 --budget 5s"):
        ended = run(f"fxloom {command} --store '{lake.root}'", FXLOOM_CACHE=str(cache))
        assert ended.returncode == 1
        assert f"the cache folder {cache} is writable by others" in ended.stderr
        assert "Traceback" not in ended.stderr
    assert list(cache.iterdir()) == []
    assert lake.records() == []
