"""The machine and library versions that the numbers depend on."""

from __future__ import annotations

import datetime as dt
import os
import platform
from importlib.metadata import version
from pathlib import Path

NUMERIC = ("numpy", "numba", "polars", "pyarrow", "pandas", "scipy", "TA-Lib", "arch", "hmmlearn", "PyWavelets")


def description() -> str:
    """Processor family, cores, memory, Python and libraries, load, and the date."""
    libraries = ", ".join(f"{name} {version(name)}" for name in NUMERIC)
    return (
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d}. {_processor()}, {os.cpu_count()} cores{_memory()}, {platform.system()}, "
        f"Python {platform.python_version()}; {libraries}. {_load()}"
    )


def _processor() -> str:
    """The processor model if the system reports it, else the architecture."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    named = dict(line.replace("\t", "").split(":", 1) for line in lines if ":" in line)
    if "model name" not in named:
        return platform.processor() or platform.machine()
    family = f" (family {named['cpu family'].strip()}, model {named['model'].strip()})" if "cpu family" in named else ""
    return f"{named['model name'].strip()}{family}"


def _memory() -> str:
    try:
        return f", {os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB"
    except (AttributeError, ValueError, OSError):
        return ""


def _load() -> str:
    try:
        load = os.getloadavg()[0]
    except (AttributeError, OSError):
        return ""
    busy = "the machine was busy with other work" if load > 1.5 * (os.cpu_count() or 1) else "little else ran"
    return f"Load average at the start {load:.1f}: {busy}."
