"""Draw docs/audit.svg, the picture in the README: what ``fxloom audit`` shows of a store.

python docs/make_picture.py STORE
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console

from fxloom.api import open_store
from fxloom.cli.checking import AUDIT_COLUMNS, audit_row
from fxloom.cli.tables import fitted

SHOWN = ("bqx_momentum", "technical_bqx", "volume_features", "spread_features", "correlation_rate",
         "error_correction_bqx", "cross_sectional_panel", "arbitrage", "hmm_regime_rate", "volatility_surface_rate",
         "multi_scale_60m_bqx", "ssa_features_rate", "lagged_cross_window_bqx")  # fmt: skip


CELL = 12.2  # width of a character in rich's SVG


def picture(store: str) -> str:
    """The audit of ``store`` as SVG."""
    found = open_store(store).audit()
    rows = [audit_row(t) for t in found.tables if t.table in SHOWN]
    console = Console(record=True, width=118, file=io.StringIO(), highlight=False)
    console.print("$ fxloom audit")
    console.print(fitted(AUDIT_COLUMNS, rows, console.width))
    console.print(f"... {len(found.tables) - len(rows)} more tables")
    console.print(f"[bold]{found.summary}[/]")
    return portable(console.export_svg(title="fxloom audit"))


def portable(svg: str) -> str:
    """rich's SVG without web fonts and without leading spaces, which some renderers drop."""
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    indented = re.compile(r'(<text[^>]*?) x="([\d.]+)"([^>]*?) textLength="([\d.]+)"([^>]*>)((?:&#160;)+)([^<&]*)')
    return indented.sub(_shifted, svg)


def _shifted(text: re.Match[str]) -> str:
    """A text element that starts with ``n`` spaces, moved to the right by them."""
    before, x, middle, length, after, spaces, rest = text.groups()
    width = spaces.count(";") * CELL
    return f'{before} x="{float(x) + width:g}"{middle} textLength="{float(length) - width:g}"{after}{rest}'


if __name__ == "__main__":
    Path(__file__).with_name("audit.svg").write_text(picture(sys.argv[1]), "utf-8")
