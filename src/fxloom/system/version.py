"""The versions of the package and of the libraries that its numbers depend on."""

from __future__ import annotations

VERSION = "0.1.0"
LIBRARIES = ("numba", "llvmlite", "numpy", "polars", "pyarrow", "psycopg")


def versions() -> dict[str, str]:
    """The versions of fxloom, Python and the libraries that affect its numbers, by name; nothing is imported."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    found = {"fxloom": VERSION, "python": f"{platform.python_version()} ({platform.python_implementation()})"}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
