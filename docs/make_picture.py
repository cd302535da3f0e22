"""Draw docs/audit.svg: what ``fxloom audit`` shows of a store. ``python docs/make_picture.py STORE``."""

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


def main(store: str) -> None:
    found = open_store(store).audit()
    rows = [audit_row(t) for t in found.tables if t.table in SHOWN]
    console = Console(record=True, width=118, file=io.StringIO())
    console.print("$ fxloom audit")
    console.print(fitted(AUDIT_COLUMNS, rows, console.width))
    console.print(f"... {len(found.tables) - len(rows)} more tables")
    console.print(f"[bold]{found.summary}[/]")
    drawn = re.sub(
        r"@font-face \{.*?\}\s*", "", console.export_svg(title="fxloom audit"), flags=re.DOTALL
    )  # no web fonts
    Path(__file__).with_name("audit.svg").write_text(drawn, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
