"""The command line: ``fxloom --help``."""

from __future__ import annotations

from fxloom.cli.main import main

__all__ = ["main"]
