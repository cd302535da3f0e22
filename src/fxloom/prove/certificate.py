"""The document of a proof: what was tested, on what, when, with which formulas, and what came of it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict

import fxloom
from fxloom.feature import Table
from fxloom.fingerprint import formula_digest, versions
from fxloom.prove import Proof
from fxloom.prove.verdict import FITTED, FLIPPED, KINDS, RECURSIVE, Verdict
from fxloom.prove.work import EFFORT, ELSEWHERE
from fxloom.stores.environment import environment

TOLERANCES = {
    "causal": "the same bits",
    "invariant": f"the same bits; recursive features within {RECURSIVE:g} x max(abs(value), the feature's std)",
    "reproducible": "the same bits on the machine that populated",
    "reproducible elsewhere": f"{RECURSIVE:g}, of weekly fits {FITTED:g}, x max(abs(value), std) and one unit in the "
    f"last place of the stored type; flags, classes and counts may differ in {FLIPPED:.1%} of the rows",
}


def certificate(proof: Proof, tables: Sequence[Table]) -> str:
    """``proof`` of ``tables`` as JSON."""
    told = proof.told
    return json.dumps(
        {
            "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "fxloom": fxloom.__version__,
            "holds": proof.holds,
            "complete": proof.complete,
            "another machine": any(ELSEWHERE in u.notes for u in proof.units),
            "seed": proof.seed,
            "seconds": round(proof.seconds, 1),
            "environment": environment(),
            "versions": versions(True),
            "tolerances": TOLERANCES,
            "effort": {scope: asdict(effort) for scope, effort in EFFORT.items()},
            "formulas": {t.name: formula_digest(t) for t in tables},
            "units": [
                {
                    "pair": u.pair, "month": u.month, "bars": u.bars, "trials": u.done, "cut short": u.cut_short,
                    "notes": sorted(set(u.notes)), "error": u.error,
                }
                for u in proof.units
            ],
            "units left out": proof.left_out,
            "untested": proof.untested,
            "verdicts": [{"verdict": told[v.feature], **_plain(v)} for v in proof.verdicts.values()],
        },
        indent=1,
    )  # fmt: skip


def _plain(verdict: Verdict) -> dict[str, object]:
    plain: dict[str, object] = {"feature": verdict.feature}
    plain |= {"rows compared": dict(verdict.compared), "rows with a value": {k: verdict.rows(k) for k in KINDS}}
    if verdict.worst:
        plain["worst"] = verdict.worst
    if verdict.first is not None:
        plain |= {"differing": dict(verdict.differing), "first": asdict(verdict.first)}
    return plain
