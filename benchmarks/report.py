"""The results page: every topic measured and written as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks import machine
from benchmarks.markdown import milliseconds, section, table
from benchmarks.market import Market, all_pairs, one_pair

HOW = """Times are processor seconds (user and system) in one thread, the best of a few rounds. Two competitors in one
row took turns in the same process. fxloom's time covers the whole table: putting the bars on the clock, the lookback,
the formulas, and the column statistics for the audit. The script's time covers the features only. A script that works
row by row was measured on the last bars of the month ("rows" says how many) and scaled to the bars that the table
needs. Where a script lacks some features ("features"), the ratio is too low. "equal" is the share of values present in
both that agree to 1e-6 of the value or of the feature's deviation."""


def title() -> str:
    how = (
        "`make bench` prints this page; `python -m benchmarks --write` writes it. Single kernels against libraries: "
        "[decision 8](../docs/decisions/0008-libraries.md), `python -m benchmarks.libraries`. PostgreSQL: "
        "`python -m benchmarks.postgres`. Ten years of 28 pairs: [at full size](FULL_SIZE.md)."
    )
    return "\n\n".join(["# Benchmarks", how, machine.description(), HOW])


def alone() -> str:
    """Topic (a): every table of one pair against its script."""
    from benchmarks.pair_tables import PairInputs, comparisons

    market = one_pair()
    found = comparisons(PairInputs(market))
    rows = []
    for c in found:
        stretch = "all" if c.rival.stretch is None else f"{c.rival.stretch:,}"
        tools = f"{c.rival.tools} ({c.rival.remark})" if c.rival.remark else c.rival.tools
        rows.append([
            f"`{c.table.name}`", tools, milliseconds(c.ours), milliseconds(c.theirs), f"{c.ratio:,.1f}",
            f"{c.columns} of {len(c.table.features)}", stretch, f"{100 * c.agreement:.1f} %",
        ])  # fmt: skip
    header = ["table", "script", "fxloom, ms", "script, ms", "ratio", "features", "rows", "equal"]
    total = f"Sum: fxloom {sum(c.ours for c in found):.2f} s, the scripts {sum(c.theirs for c in found):.0f} s."
    return section("Table by table, one pair and month", _described(market), table(header, rows, 2), total)


def pair_month() -> str:
    """Topics (b) and (c): all tables of one pair together, the first eight, and where the time goes."""
    from benchmarks.pair_tables import PairInputs, in_context, together

    parts = []
    for market in _markets():
        inputs = PairInputs(market)
        everything, eight = together(inputs)
        by_table = sorted(in_context(inputs).items(), key=lambda item: -item[1])
        rows = [[f"`{name}`", milliseconds(s), f"{100 * s / everything:.0f} %"] for name, s in by_table]
        text = (
            f"All {len(inputs.tables)} tables: **{everything:.2f} s** (budget 1.5 s, goal 1.0 s). The eight tables of "
            f"momentum, bands, moments, indicators and time: **{1e3 * eight:.0f} ms** (budget 150 ms)."
        )
        parts += [_described(market), text, table(["table", "ms", "share"], rows)]
    note = (
        "Work that tables share is done once and charged to the first that needs it; the longest lookback goes first."
    )
    return section("All tables of one pair together", note, *parts)


def _markets() -> Sequence[Market]:
    from benchmarks.market import quoted_pair

    return one_pair(), quoted_pair()


def panel() -> str:
    """Topic (d): the tables of many pairs."""
    from benchmarks.panel_tables import PanelInputs, compare_panel, together

    market = all_pairs()
    processor, wall, memory = together()
    inputs = PanelInputs(market)
    rows = []
    for which in inputs.tables:
        c = compare_panel(inputs, which)
        rows.append([
            f"`{which.name}`", c.rival.tools, f"{c.ours:.2f}", f"{c.theirs:.2f}", f"{c.ratio:.1f}",
            f"{c.columns} of {len(which.features)}", f"{c.rival.rows:,}", f"{100 * c.agreement:.1f} %",
        ])  # fmt: skip
    header = ["table", "script", "fxloom, s", "script, s", "ratio", "features", "rows", "equal"]
    text = (
        f"All seven tables together: **{processor:.1f} s** of processor time, {wall:.1f} s of wall time (budget 15 s), "
        f"peak memory of the process **{memory:.2f} GiB** (budget 3 GiB)."
    )
    return section("Tables of many pairs, one month", _described(market), text, table(header, rows, 2))


def starting() -> str:
    """Topic (e): compilation and start-up."""
    from benchmarks.start_up import waits

    rows = [[w.what, f"{w.wall:.2f}", f"{w.processor:.2f}", w.budget] for w in waits()]
    return section("Starting", table(["", "wall, s", "processor, s", "budget"], rows))


def storing() -> str:
    """Topic (f): Parquet."""
    from benchmarks.pair_tables import PairInputs
    from benchmarks.partitions import throughputs

    rows = []
    for t in throughputs(PairInputs(one_pair())):
        speed = "" if "records" in t.what else f"{t.memory / t.processor:,.0f}"
        spent = (milliseconds(t.processor), milliseconds(t.wall))
        rows.append([t.what, f"{t.memory:,.0f}", f"{t.files:,.0f}", *spent, speed])
    header = ["42 partitions of a pair and month", "float32 MB", "MB on disk", "processor, ms", "wall, ms", "MB/s"]
    return section("Storing", table(header, rows))


def _described(market: Market) -> str:
    pairs = next(iter(market.bars)).upper() if len(market.bars) == 1 else f"{len(market.bars)} pairs"
    return f"{pairs}, {market.name}: {market.rows:,} bars."


def reading() -> str:
    """Topic (g): ingest of a year of minutes."""
    from benchmarks.ingest_full_size import one_year

    year = one_year()
    text = (
        f"A HistData year of {year.bars:,} bars takes {year.year:.2f} s of processor time from file to store, a small "
        f"file {year.small:.2f} s; polars reads the year's csv in {year.polars:.3f} s. Beyond the small file that is "
        f"**{year.ratio:.1f} times** polars (goal 8). 280 yearly files: `python -m benchmarks.ingest_full_size`."
    )
    return section("Ingest", text)


TOPICS: dict[str, Callable[[], str]] = {
    "alone": alone, "together": pair_month, "panel": panel, "starting": starting, "storing": storing,
    "reading": reading,
}  # fmt: skip
