"""Processor time of competitors that take turns, so that other load on the machine affects all of them alike."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from typing import Any

BUDGET = 2.0  # seconds after which a competitor is not called again


def processor_seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """The processor time of one call, and its result."""
    gc.collect()
    begin = time.process_time()
    result = work()
    return time.process_time() - begin, result


def best_in_turns(competitors: Mapping[str, Callable[[], Any]], rounds: int) -> tuple[dict[str, float], dict[str, Any]]:
    """The fewest processor seconds of each competitor over ``rounds`` turns, and its last result."""
    spent: dict[str, list[float]] = {name: [] for name in competitors}
    results: dict[str, Any] = {}
    for _ in range(rounds):
        for name, work in competitors.items():
            if sum(spent[name]) < BUDGET:
                seconds, results[name] = processor_seconds(work)
                spent[name].append(seconds)
    return {name: min(times) for name, times in spent.items()}, results
