"""The demonstration: a synthetic market, from files to an audit."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from fxloom import api
from fxloom.cli.show import Screen

PAIRS = ("eurusd", "gbpusd", "usdjpy", "usdchf", "audusd", "usdcad", "nzdusd", "eurgbp", "eurjpy")
START, END = dt.date(2024, 1, 1), dt.date(2024, 3, 1)


def demo(options: Namespace, screen: Screen, run: Callable[[list[str]], int]) -> int:
    """Generate a market, ingest, populate and audit it, and print the next steps; the store must be a new folder.

    ``run`` is ``main``, so that the demonstration runs what a user would type. StoreError if the store is not a new
    or empty folder.
    """
    if "://" in options.store:
        raise api.StoreError("the demonstration writes to a folder: pass its path with --store")
    api.open_store(options.store)  # refuses addresses in other forms without showing them
    store = Path(options.store)
    if store.exists() and any(store.iterdir()):
        raise api.StoreError(f"{store} is not empty: pass a new folder with --store, or remove this one")
    given = ["--store", str(store), *(["--json"] if options.json else [])]
    workers = ["--workers", str(options.workers)] if options.workers else []
    folder = Path(tempfile.mkdtemp(prefix="fxloom-demo-"))
    try:
        screen.say(f"A synthetic market: {len(PAIRS)} pairs, {START} to {END}, quotes and tick volume.")
        api.write_synthetic_market(folder, START, END, PAIRS)
        for command in (["ingest", str(folder)], ["populate", *workers], ["audit"]):
            screen.say(f"\n$ fxloom {command[0]} --store {store}")
            if status := run([*command, *given]):
                return status
    finally:
        shutil.rmtree(folder)
    screen.say(
        f"\nThe store is the folder {store}: Parquet files that any program can read. Next, your own files:\n"
        "  fxloom ingest --store lake PATH...     HistData, MetaTrader 4 and 5, Dukascopy, csv, parquet, archives\n"
        "  fxloom populate --store lake           computes what is missing or stale, on all cores\n"
        "  fxloom audit --store lake              shows what is stored, and what is wrong with it\n"
        f"  python -c \"import fxloom; print(fxloom.open_store('{store}').read('technical_rate').head().collect())\""
    )
    return 0
