"""Write docs/features/: a page a family, from the catalogue. ``--check`` only says whether the pages are up to date."""

from __future__ import annotations

import importlib
import math
import sys
from collections.abc import Iterator
from pathlib import Path

from fxloom.features.catalogue import families, tables
from fxloom.features.feature import Column, Family, Table, tables_of

FOLDER = Path(__file__).parent / "features"
HEAD = "| feature | unit | range | warm-up | lookback | formula | source |\n|---|---|---|---|---|---|---|"


def pages() -> Iterator[tuple[str, str]]:
    """File name and text of every page."""
    yield "README.md", "\n".join(_index())
    for family in families():
        yield f"{family.name}.md", "\n".join(_page(family)) + "\n"


def _index() -> Iterator[str]:
    total = sum(len(t.features) for t in tables().values())
    yield f"# The features: {total:,} in {len(tables())} tables\n"
    yield "Written by `make docs` from the catalogue in the code; `fxloom catalogue` shows the same.\n"
    yield "| family | tables | features a table | lookback (clock bars) |\n|---|---|---|---|"
    for family in families():
        found = tables_of(family)
        sizes = sorted({len(t.features) for t in found})
        reach = max(t.lookback for t in found)
        names = ", ".join(f"`{t.name}`" for t in found)
        yield f"| [{family.name}]({family.name}.md) | {names} | {' and '.join(map(str, sizes))} | {reach:,} |"
    yield ""


def _page(family: Family) -> Iterator[str]:
    doc = importlib.import_module(family.columns.__module__).__doc__ or ""
    yield f"# {family.name}\n\n{doc.strip()}\n"
    if family.uses:
        used = " and ".join(family.uses)
        yield f"Uses {used}; where the source has none, the catalogue's proxy, and the audit says so.\n"
    for table in tables_of(family):
        yield f"## {table.name}: {len(table.features)} features\n\n{HEAD}"
        yield from (_row(table, i) for i in range(len(table.features)))
        yield ""
        yield from _remarks(table)


def _row(table: Table, i: int) -> str:
    feature = table.features[i]
    c = feature.column
    warmup = f"{c.warmup:,} before the {c.anchor}" if c.anchor else f"{c.warmup:,}"
    cells = [f"`{feature.name}`", c.unit, _range(c), warmup, f"{c.lookback:,}", c.formula, c.source]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _range(column: Column) -> str:
    if math.isinf(column.low) and math.isinf(column.high):
        return ""
    return f"[{column.low:g}, {column.high:g}]".replace("inf", "∞")


def _remarks(table: Table) -> Iterator[str]:
    """What the records say besides: when a column has no value, may stand still, has a twin, is recursive."""
    remarks: dict[str, list[str]] = {}
    for feature in table.features:
        c = feature.column
        for text in (
            c.undefined and f"no value: {c.undefined}",
            c.may_be_constant and f"may stand still: {c.may_be_constant}",
            c.near_duplicate_of and f"twin: {c.near_duplicate_of}",
            c.recursive and "recursive: reproduced from its lookback to 1e-9 x max(abs(value), the feature's std)",
        ):
            if text:
                remarks.setdefault(str(text), []).append(f"`{feature.name}`")
    for text, names in remarks.items():
        yield f"* {', '.join(names)}: {text}"
    if remarks:
        yield ""


def main() -> int:
    stale = [name for name, text in pages() if not _same(FOLDER / name, text)]
    if "--check" in sys.argv:
        print("\n".join(f"{name} is not up to date: run `make docs`" for name in stale))
        return int(bool(stale))
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages():
        (FOLDER / name).write_text(text, "utf-8")
    print(f"{len(stale)} pages written anew in {FOLDER.name}/")
    return 0


def _same(path: Path, text: str) -> bool:
    return path.exists() and path.read_text("utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
