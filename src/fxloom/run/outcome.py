"""What came of a task: one outcome a partition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fxloom.plan import Item, Task

Result = Literal["done", "refused", "failed"]


@dataclass(frozen=True)
class Outcome:
    """One partition: done, refused by its gates, or failed; ``why`` names the cause of the latter two."""

    table: str
    pair: str
    month: str
    result: Result
    rows: int = 0
    why: str = ""


def outcome(item: Item, result: Result, rows: int = 0, why: str = "") -> Outcome:
    return Outcome(item.table, item.pair, item.month, result, rows, why)


def all_failed(task: Task, why: str) -> list[Outcome]:
    """The outcome of a task that was lost as a whole."""
    return [outcome(item, "failed", why=why) for item in task.items]
