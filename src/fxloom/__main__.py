"""``python -m fxloom`` is the command line."""

from __future__ import annotations

import sys

from fxloom.cli import main

if __name__ == "__main__":  # spawned workers import this module again
    sys.exit(main())
