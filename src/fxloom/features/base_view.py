"""What views of one pair and of the panel share: a start, a domain, and series common to several tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, NamedTuple, Protocol, Self, TypeVar

from fxloom.bars.bars import Flags
from fxloom.features.domain import Domain
from fxloom.features.missing import Reason
from fxloom.features.shared_work import SharedWork

T = TypeVar("T")


class Frame(Protocol):
    """The bars of a task, and what has been computed from them."""

    work: SharedWork


FrameT = TypeVar("FrameT", bound=Frame)


class MissingRows(NamedTuple):
    """Rows without a value and why: ``where`` is over the view's rows, (n) or (pairs, n)."""

    reason: Reason
    where: Flags
    columns: tuple[str, ...]


class BaseView(Generic[FrameT]):
    """One domain of a frame from a start on.

    ``first`` is the position in the view's arrays of the first row to store; the rows before it are lookback. Arrays
    are shared between families: never write to them.
    """

    def __init__(self, frame: FrameT, domain: Domain, start: int, first: int) -> None:
        self.frame = frame
        self.domain = domain
        self.start = start
        self.first = first - start
        self.missing: list[MissingRows] = []

    def shared(self, series: Callable[..., T], *args: Any) -> T:
        """``series(view, *args)``, computed once for all tables of the task that use it.

        ``series`` is a module-level function with finite windows that returns an array, or a tuple of arrays, with
        time on the last axis. Near the start, the result may come from a longer history than this view's.
        """
        return self.frame.work.arrays((series, self.domain.name, args), self.start, lambda: series(self, *args))

    def shared_by_domains(self, series: Callable[..., T], *args: Any) -> T:
        """Like ``shared``, for a series that is the same in both domains."""
        return self.frame.work.arrays((series, "both", args), self.start, lambda: series(self, *args))

    def in_domain(self, domain: Domain) -> Self:
        """The same bars in the other domain."""
        return type(self)(self.frame, domain, self.start, self.first + self.start)

    def miss(self, reason: Reason, where: Flags, columns: Iterable[str]) -> None:
        """Report why ``columns`` (names without suffix) have no value at ``where``, (n) or (pairs, n)."""
        self.missing.append(MissingRows(reason, where, tuple(columns)))
