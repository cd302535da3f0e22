"""The kernel decorator: strict arithmetic, and the private parts of numba it depends on.

If one of these tests fails after an update of numba, ``kernels/kernel_cache.py`` and ``kernels/jit.py`` are the modules
to change.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest
from numba.core import caching, compiler, serialize

from fxloom.bars.bars import Floats
from fxloom.kernels.jit import jit
from fxloom.kernels.kernel_cache import KernelCache

AT = f"numba {numba.__version__} has changed what the kernel cache depends on: "


def compiled(function: Callable[..., Any]) -> Any:
    """A kernel outside the kernel modules, which is not cached on disk."""
    dispatcher: Any = jit(function)
    dispatcher._cache = caching.NullCache()
    return dispatcher


def test_division_by_zero_does_not_raise() -> None:
    quotient = compiled(lambda a, b: a / b)
    assert quotient(1.0, 0.0) == np.inf
    assert np.isnan(quotient(0.0, 0.0))


def test_sums_are_not_reordered() -> None:
    """With fast-math the small terms would be added in vector lanes, before the large one absorbs them."""

    def summed(values: Floats) -> float:
        total = 0.0
        for value in values:
            total += value
        return total

    assert compiled(summed)(np.array([1e16, *[1.0] * 64, -1e16])) == 0.0


def test_kernels_are_dispatchers_with_our_cache_and_release_the_lock() -> None:
    dispatcher: Any = jit(lambda x: x)
    assert dispatcher.targetoptions["nogil"] is True
    assert not dispatcher.targetoptions.get("fastmath")
    assert isinstance(dispatcher._cache, KernelCache), AT + "Dispatcher._cache"


def test_a_dispatcher_asks_its_cache_before_compiling_and_hands_it_the_result() -> None:
    calls = []

    class Spy(KernelCache):
        def load_overload(self, sig: Any, target_context: Any) -> Any:
            calls.append(("load", sig))
            assert callable(target_context.refresh), AT + "target_context.refresh()"
            assert target_context.codegen().magic_tuple(), AT + "codegen.magic_tuple()"

        def save_overload(self, sig: Any, data: Any) -> None:
            calls.append(("save", sig))
            assert data.library.has_dynamic_globals is False, AT + "CodeLibrary.has_dynamic_globals"
            assert list(data.lifted) == [], AT + "CompileResult.lifted"
            assert data.codegen.magic_tuple(), AT + "CompileResult.codegen"
            assert isinstance(serialize.dumps(data._reduce()), bytes), AT + "CompileResult._reduce()"  # type: ignore[no-untyped-call]

    dispatcher: Any = numba.njit(lambda x: x + 1)
    assert isinstance(dispatcher._cache, caching.NullCache), AT + "Dispatcher._cache is a NullCache without caching"
    dispatcher._cache = Spy(test_sums_are_not_reordered)
    assert dispatcher(2) == 3
    assert [what for what, _ in calls] == ["load", "save"], AT + "load_overload(sig, context), save_overload(sig, data)"
    assert calls[0][1] == calls[1][1] == (numba.int64,)


@pytest.mark.parametrize(
    ("owner", "name", "parameters"),
    [
        (caching.NullCache, "load_overload", ["self", "sig", "target_context"]),
        (caching.NullCache, "save_overload", ["self", "sig", "cres"]),
        (compiler.CompileResult, "_reduce", ["self"]),
        (compiler.CompileResult, "_rebuild", None),
        (serialize, "dumps", ["obj"]),
    ],
)
def test_what_the_cache_overrides_and_calls_is_there(owner: Any, name: str, parameters: list[str] | None) -> None:
    member = getattr(owner, name, None)
    assert callable(member), f"{AT}{owner.__name__}.{name}"
    if parameters is not None:
        assert list(inspect.signature(member).parameters) == parameters, f"{AT}{owner.__name__}.{name}"
