"""The progress of the commands that write a store."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from fxloom.cli import main, show
from tests.lakes import write_market


class Recorded(show.Progress):
    """A bar that records what it would draw."""

    drawn: list[tuple[str, int]] = []  # noqa: RUF012 - of all bars of a test

    def expect(self, total: int) -> None:
        self.drawn.append(("of", total))

    def advance(self, by: int = 1) -> None:
        self.drawn.append(("by", by))

    def close(self) -> None:
        self.drawn.append(("closed", 0))


def test_ingest_shows_a_bar_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_market(tmp_path / "files", ("eurusd", "usdjpy"), dt.date(2024, 1, 7), dt.date(2024, 1, 20))
    monkeypatch.setattr(Recorded, "drawn", [])
    monkeypatch.setattr(show.Screen, "start_progress", lambda _, what, total: Recorded(what, total))
    assert main(["ingest", "--store", str(tmp_path / "lake"), "--workers", "2", str(folder)]) == 0
    assert Recorded.drawn == [("of", 2), ("by", 0), ("of", 2), ("by", 1), ("of", 2), ("by", 1), ("closed", 0)]


def test_one_file_needs_no_bar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_market(tmp_path / "files", ("eurusd",), dt.date(2024, 1, 7), dt.date(2024, 1, 20))
    monkeypatch.setattr(show.Screen, "start_progress", lambda *_: pytest.fail("a bar was drawn"))
    assert main(["ingest", "--store", str(tmp_path / "lake"), str(folder / "eurusd.parquet")]) == 0


@pytest.mark.parametrize("workers", ["0", "-1", "two"])
def test_an_invalid_number_of_workers_is_refused(workers: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["ingest", f"--workers={workers}", "file.csv"])
    assert f"invalid number '{workers}', expected 1 or more" in capsys.readouterr().err
