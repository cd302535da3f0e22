"""``python -m benchmarks``: measure and print; ``--write`` also updates README.md here; ``--only`` selects topics."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS")


def main() -> None:
    """Run in one thread: the libraries read these settings on import, so they are set before the imports below."""
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    from benchmarks.report import TOPICS, title

    options = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    options.add_argument("--write", action="store_true", help="write benchmarks/README.md")
    options.add_argument("--only", nargs="+", choices=list(TOPICS), default=list(TOPICS), metavar="TOPIC")
    chosen = options.parse_args()
    parts = [title()]
    print(parts[0], flush=True)
    for name in chosen.only:
        parts.append(TOPICS[name]())
        print(f"\n{parts[-1]}", flush=True)
    if chosen.write:
        (Path(__file__).parent / "README.md").write_text("\n\n".join(parts) + "\n", "utf-8")


if __name__ == "__main__":  # spawned processes import this module again
    main()
