"""The command that copies a store."""

from __future__ import annotations

from argparse import Namespace

from fxloom.cli.show import Screen


def copy(options: Namespace, screen: Screen) -> int:
    """Copy bars and partitions; what the target holds already is left alone."""
    from fxloom.copying import copy_store
    from fxloom.stores import open_backend

    source, target = open_backend(options.source), open_backend(options.target)
    total = len(source.records())
    with screen.progress("copy", total) as bar:
        report = copy_store(source, target, lambda _: bar.advance(1))
    for damage in report.damages:
        screen.say(f"DAMAGED {damage.where}: {damage.why}")
    screen.say(
        f"{report.bars:,} months of bars and {report.partitions:,} partitions copied from {source.url} to "
        f"{target.url} and found equal there; {report.present:,} were there already"
    )
    screen.result({"from": source.url, "to": target.url, "bars": report.bars, "partitions": report.partitions,
                   "present": report.present, "damages": report.damages})  # fmt: skip
    return 1 if report.damages else 0
