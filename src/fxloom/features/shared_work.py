"""Series that several tables of a task need, computed once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class _Series:
    start: int  # the clock position at which the arrays begin
    value: Any


class SharedWork:
    """Results that the views of one frame share, by a key that says what they are.

    ``arrays`` keeps arrays with time on the last axis, from the longest history so far; ``result`` keeps anything
    else. Results are not copied: never write to them.

    >>> import numpy as np
    >>> work = SharedWork()
    >>> work.arrays("squares", 2, lambda: np.arange(2, 6) ** 2)
    array([ 4,  9, 16, 25])
    >>> work.arrays("squares", 4, lambda: 1 / 0)  # known from position 2 on
    array([16, 25])
    """

    def __init__(self) -> None:
        self._series: dict[Hashable, _Series] = {}
        self._single: dict[Hashable, Any] = {}

    def arrays(self, key: Hashable, start: int, make: Callable[[], T]) -> T:
        """The series ``key`` from clock position ``start`` on; ``make`` computes it unless it is known from there on.

        ``make`` returns an array, or a (named) tuple of arrays, whose last axis begins at ``start``.
        """
        known = self._series.get(key)
        if known is None or known.start > start:
            known = self._series[key] = _Series(start, make())
        return cast(T, _without_first(known.value, start - known.start))

    def result(self, key: Hashable, make: Callable[[], T]) -> T:
        """The result ``key``, which does not depend on where a view begins."""
        if key not in self._single:
            self._single[key] = make()
        return cast(T, self._single[key])

    def clear(self) -> None:
        """Forget everything."""
        self._series.clear()
        self._single.clear()


def _without_first(value: Any, bars: int) -> Any:
    """``value`` (an array, or a tuple of arrays) without its first ``bars``."""
    if isinstance(value, tuple):
        parts = [_without_first(part, bars) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value if bars == 0 else value[..., bars:]
