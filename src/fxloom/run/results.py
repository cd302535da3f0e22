"""The results of a task, one per partition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fxloom.engine.partitions import PartitionKey
from fxloom.engine.plan import Task

Result = Literal["done", "refused", "failed"]


@dataclass(frozen=True)
class PartitionResult:
    """One partition: done, refused by its gates, or failed; ``why`` names the cause of the latter two."""

    key: PartitionKey
    result: Result
    rows: int = 0
    why: str = ""


def all_failed(task: Task, why: str) -> list[PartitionResult]:
    """The results of a task that failed as a whole."""
    return [PartitionResult(partition.key, "failed", why=why) for partition in task.partitions]
