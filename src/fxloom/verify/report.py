"""The report of a verification: what was tested, on which bars, when, with which formulas, and the results."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from fxloom.features.environment import environment
from fxloom.features.feature import Table
from fxloom.features.fingerprint import formula_digest, versions
from fxloom.system.version import VERSION
from fxloom.verify.units import EFFORT, ELSEWHERE, UnitReport
from fxloom.verify.verdict import FITTED, FLIPPED, KINDS, RECURSIVE, Verdict


@dataclass
class VerificationReport:
    """The verdicts per feature over all units, and what was and was not tested."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    units: list[UnitReport] = field(default_factory=list)
    left_out: int = 0
    seconds: float = 0.0
    seed: int = 0

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of trials, in order."""
        return tuple(KINDS)

    @property
    def failures(self) -> list[Verdict]:
        """The verdicts of features that failed a trial."""
        return [v for v in self.verdicts.values() if not v.holds]

    @property
    def errors(self) -> list[str]:
        """The units whose trials could not run, each with the reason."""
        return [f"{u.name}: {u.error}" for u in self.units if u.error]

    @property
    def complete(self) -> bool:
        """Whether every unit had all its trials."""
        return not self.left_out and not any(u.cut_short or u.error for u in self.units)

    @property
    def untested(self) -> dict[str, list[str]]:
        """The trials that each feature missed; if time ran out, also features that never had a value."""
        missed = {v.feature: v.untried for v in self.verdicts.values() if v.untried}
        if not self.complete:
            missed |= {v.feature: ["a value"] for v in self.verdicts.values() if v.empty and not v.untried}
        return missed

    @property
    def words(self) -> dict[str, str]:
        """One verdict per feature: "holds", "FAILS", "untested", or "no values" if no tested row had one to compare."""
        untested = self.untested

        def word(verdict: Verdict) -> str:
            if not verdict.holds:
                return "FAILS"
            return "untested" if verdict.feature in untested else "no values" if verdict.empty else "holds"

        return {v.feature: word(v) for v in self.verdicts.values()}

    @property
    def holds(self) -> bool:
        """Whether every feature was tested and no trial failed."""
        return bool(self.verdicts) and not self.failures and not self.errors and not self.untested


TOLERANCES = {
    "causal": "identical bits",
    "invariant": f"identical bits; recursive features within {RECURSIVE:g} x max(abs(value), the feature's std)",
    "reproducible": "identical bits on the machine that populated",
    "reproducible elsewhere": f"{RECURSIVE:g}, of weekly fits {FITTED:g}, x max(abs(value), std) and one unit in the "
    f"last place of the stored type; flags, classes and counts may differ in {FLIPPED:.1%} of the rows",
}


def report_json(report: VerificationReport, tables: Sequence[Table]) -> str:
    """``report`` on ``tables`` as JSON text."""
    words = report.words
    return json.dumps(
        {
            "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "fxloom": VERSION,
            "holds": report.holds,
            "complete": report.complete,
            "another machine": any(ELSEWHERE in u.notes for u in report.units),
            "seed": report.seed,
            "seconds": round(report.seconds, 1),
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
                for u in report.units
            ],
            "units left out": report.left_out,
            "untested": report.untested,
            "verdicts": [{"verdict": words[v.feature], **_plain(v)} for v in report.verdicts.values()],
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
