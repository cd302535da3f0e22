"""Optional dependencies: imported where they are needed, with an error that says how to install them."""

from __future__ import annotations

import importlib
from types import ModuleType

INSTALL = "pip install 'fxloom[{}]'"


class MissingExtraError(ImportError):
    """An optional dependency is not installed; the message says what needs it and how to install it."""


def require(module: str, extra: str, purpose: str) -> ModuleType:
    """Import ``module``, which belongs to the optional dependencies ``extra``, for ``purpose`` (such as "PostgreSQL").

    Raises MissingExtraError if it cannot be imported.

    >>> require("no_such_module", "postgres", "PostgreSQL")
    Traceback (most recent call last):
    fxloom.system.extras.MissingExtraError: PostgreSQL needs no_such_module: pip install 'fxloom[postgres]'
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        absent = isinstance(error, ModuleNotFoundError) and error.name == module
        why = "" if absent else f" (it cannot be imported: {error})"
        raise MissingExtraError(f"{purpose} needs {module}{why}: {INSTALL.format(extra)}", name=module) from error
