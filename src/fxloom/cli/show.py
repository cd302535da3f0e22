"""Shows results: tables on a terminal, plain lines elsewhere, JSON on request."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

from fxloom.cli.cells import text_of


class Screen:
    """Where a command writes; with ``as_json``, standard output is one JSON document and nothing else."""

    def __init__(self, as_json: bool = False) -> None:
        self.as_json = as_json
        self.tty = sys.stdout.isatty() and not as_json

    def say(self, text: str = "") -> None:
        """Print a line, unless the output is JSON."""
        if not self.as_json:
            print(text, flush=True)

    def result(self, value: Any) -> None:
        """Print the command's result, if the output is JSON. NaN and infinities, which JSON lacks, are null."""
        if self.as_json:
            json.dump(_plain(value), sys.stdout, indent=2, allow_nan=False)
            print(flush=True)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Print rows under headings: as a table on a terminal, otherwise as tab-separated lines."""
        if self.as_json:
            return
        if not self.tty:
            for row in [columns, *rows]:
                print("\t".join(text_of(cell) for cell in row))
            return
        from rich.console import Console

        from fxloom.cli.tables import fitted

        console = Console()
        console.print(fitted(columns, rows, console.width))

    def start_progress(self, what: str, total: int) -> Progress:
        """A progress bar with rate and time left on a terminal, nothing elsewhere; the caller closes it."""
        if not self.tty:
            return Progress()
        from rich import progress as bars

        columns = (
            bars.TextColumn("{task.description}"),
            bars.BarColumn(),
            bars.MofNCompleteColumn(),
            bars.TextColumn("{task.fields[rate]}"),
            bars.TimeRemainingColumn(),
        )
        shown = bars.Progress(*columns, transient=True)
        shown.start()
        return Progress(shown, shown.add_task(what, total=total, rate=""))


class Progress:
    """A progress bar, or nothing without a terminal."""

    def __init__(self, shown: Any = None, task: Any = None) -> None:
        self.shown, self.task = shown, task

    def expect(self, total: int) -> None:
        """Set the total, if it was not known at the start."""
        if self.shown is not None:
            self.shown.update(self.task, total=total)

    def advance(self, by: int = 1) -> None:
        """Count ``by`` more items as done."""
        if self.shown is not None:
            speed = self.shown.tasks[self.task].speed or 0.0
            self.shown.update(self.task, advance=by, rate=f"{speed:.1f}/s" if speed else "")

    def close(self) -> None:
        """Remove the bar from the terminal."""
        if self.shown is not None:
            self.shown.stop()


def _plain(value: Any) -> Any:
    """``value`` in the types of JSON."""
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)
