"""Machine code of kernels on disk: a checked file per kernel and signature, in place of numba's own cache.

numba's cache trusts what it finds: a truncated index breaks every later run, a flipped bit runs as code, and only the
kernel's own file is checked, not the files of the kernels that it calls. Here a folder is named after the text of a
kernel module and of all it imports, and a file carries the checksum of its content: one that is truncated, empty or
changed is removed, and the kernel is compiled again. Only this module and ``jit`` depend on numba's internals.
"""

from __future__ import annotations

import functools
import hashlib
import pickle
import platform
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from fxloom.system.cache import cache_root, read_private, report_once, usable, write_private

HERE = Path(__file__).parent
DIGEST_BYTES = 32
_IMPORT = re.compile(r"^\s*(?:from|import)\s+fxloom\.kernels\.(\w+)", re.MULTILINE)


def _closure(module: str, seen: set[str]) -> set[str]:
    """``module`` and the kernel modules that it imports, directly or through others."""
    if module not in seen:
        seen.add(module)
        for imported in _IMPORT.findall((HERE / f"{module}.py").read_text("utf-8")):
            _closure(imported, seen)
    return seen


@functools.cache
def folder_name(module: str) -> str:
    """The name of the folder for the machine code of kernel module ``module`` (a bare name) in its present state."""
    digest = hashlib.sha256(f"{numba.__version__} {platform.python_version()}".encode())
    for name in sorted(_closure(module, set())):
        digest.update((HERE / f"{name}.py").read_bytes())
    return f"{module}-{digest.hexdigest()[:16]}"


@functools.cache
def cache_folder(module: str) -> Path | None:
    """Where the machine code of ``module`` is kept, None if it is not; raises UnsafeCacheError like ``cache_root``."""
    root = cache_root()
    if root is None or not usable(root / "kernels"):
        return None
    folder = root / "kernels" / folder_name(module)
    return folder if usable(folder) else None


class KernelCache(NullCache):
    """The compiled signatures of one kernel on disk, for numba's dispatcher."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.module = function.__module__.rpartition(".")[2]
        if (HERE / f"{self.module}.py").is_file():
            folder_name(self.module)  # read the sources now, as they are imported, not at the first compilation
        self.name = re.sub(r"\W+", "_", function.__qualname__)

    @property
    def cache_path(self) -> str | None:
        folder = cache_folder(self.module)
        return None if folder is None else str(folder)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The compiled kernel for ``sig``, None if there is none on disk or it is corrupt."""
        target_context.refresh()
        path = self._path(sig, target_context.codegen())
        content = None if path is None else read_private(path)
        if path is None or content is None:
            return None
        payload = content[DIGEST_BYTES:]
        if hashlib.sha256(payload).digest() != content[:DIGEST_BYTES]:
            path.unlink(missing_ok=True)
            return None
        return CompileResult._rebuild(target_context, *pickle.loads(payload))  # type: ignore[no-untyped-call]

    def save_overload(self, sig: Any, data: Any) -> None:
        """Save the compiled kernel if numba can serialise it and there is space."""
        if any(not lifted.can_cache for lifted in data.lifted) or data.library.has_dynamic_globals:
            return
        path = self._path(sig, data.codegen)
        if path is None:
            return
        payload: bytes = dumps(data._reduce())  # type: ignore[no-untyped-call]
        try:
            write_private(path, hashlib.sha256(payload).digest() + payload)
        except OSError as error:
            report_once(f"compiled kernels cannot be cached ({error.strerror or error})")

    def _path(self, sig: Any, codegen: Any) -> Path | None:
        folder = cache_folder(self.module)
        key = hashlib.sha256(repr((sig, codegen.magic_tuple())).encode()).hexdigest()[:24]
        return None if folder is None else folder / f"{self.name}-{key}.kernel"
