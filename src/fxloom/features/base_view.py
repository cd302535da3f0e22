"""What views of one pair and of many have in common: a start, a domain, and work shared between tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, Self, TypeVar

from fxloom.bars.bars import Flags
from fxloom.features.domain import Domain

T = TypeVar("T")


class Frame(Protocol):
    """The bars of a task, with a memory for what was computed from them: (from which start on, the result)."""

    memo: dict[Any, tuple[int, Any]]


FrameT = TypeVar("FrameT", bound=Frame)


class BaseView(Generic[FrameT]):
    """One domain of a frame from a start on.

    ``first`` is the position in the view's arrays of the first row that will be stored: what lies before it is
    lookback. Arrays are shared between families: read them, never write into them.
    """

    def __init__(self, frame: FrameT, domain: Domain, start: int, first: int) -> None:
        self.frame = frame
        self.domain = domain
        self.start = start
        self.first = first - start
        self.missing: list[tuple[str, Flags, tuple[str, ...]]] = []

    def shared(self, node: Callable[..., T], *args: Any) -> T:
        """``node(view, *args)``, computed once for all tables of the task that ask for it.

        ``node`` is a module-level function of finite windows that returns an array, or a tuple of arrays, with
        time on the last axis. What it holds near the start may come from a longer history than this view's.
        """
        return self._remembered((node, self.domain.name, args), node, args)

    def shared_by_domains(self, node: Callable[..., T], *args: Any) -> T:
        """As ``shared``, for a node that is the same in both domains."""
        return self._remembered((node, "both", args), node, args)

    def _remembered(self, key: Any, node: Callable[..., T], args: tuple[Any, ...]) -> T:
        known = self.frame.memo.get(key)
        if known is None or known[0] > self.start:
            known = (self.start, node(self, *args))
            self.frame.memo[key] = known
        return _from(known[1], self.start - known[0])  # type: ignore[no-any-return]

    def in_domain(self, domain: Domain) -> Self:
        """The same bars in the other domain."""
        return type(self)(self.frame, domain, self.start, self.first + self.start)

    def miss(self, reason: str, where: Flags, columns: Iterable[str]) -> None:
        """Record why ``columns`` (names without suffix) have no value at ``where``: "failed fit", "absent" ..."""
        self.missing.append((reason, where, tuple(columns)))


def _from(value: Any, offset: int) -> Any:
    """``value`` (an array, or a tuple of arrays) without the first ``offset`` bars."""
    if isinstance(value, tuple):
        parts = [_from(part, offset) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value if offset == 0 else value[..., offset:]
