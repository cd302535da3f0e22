"""Runs calls in this process, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

R = TypeVar("R")


class SerialExecutor:
    """Runs each call immediately, in this process."""

    slots = 1
    lost: tuple[type[BaseException], ...] = ()
    local = True

    def submit(self, function: Callable[..., R], /, *args: Any) -> Future[R]:
        """A finished future whose ``result`` raises what ``function`` raised; Ctrl-C is raised immediately."""
        future: Future[R] = Future()
        try:
            future.set_result(function(*args))
        except Exception as error:  # noqa: BLE001 - raised again by ``result``
            future.set_exception(error)
        return future

    def close(self) -> None:
        """Nothing to stop."""
