"""The glossary: every symbol and word with a fixed meaning, its unit, and the page that defines it.

The only source of ``docs/definitions/symbols.md`` (written by ``make docs``) and of ``fxloom catalogue --glossary``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """A symbol or word, its meaning, where it is defined, and its unit ("" if it has none).

    ``defined_in`` names sections of ``docs/definitions`` as "page#anchor", separated by spaces; "" means the page of
    the family that uses the symbol.
    """

    term: str
    meaning: str
    defined_in: str
    unit: str = ""


GLOSSARY: Mapping[str, tuple[Term, ...]] = {
    "Series of one pair": (
        Term("ts_utc", "open time of a bar", "conventions#source-bars", "UTC minute"),
        Term("t", "the current clock bar; [t-k] is k clock bars earlier", "conventions#the-clock"),
        Term(
            "C",
            "the rate index of the close, 100 x price / baseline; in formulas on bars, the close of the domain's bar",
            "conventions#domains",
            "index points",
        ),
        Term("O H L", "open, high, low of the domain's bar", "conventions#domains", "index points"),
        Term("baseline", "the price at which the rate index is 100", "conventions#domains", "price"),
        Term(
            "m_W",
            "backward momentum, sum over i = 1..W of (C[t-i] - C[t]) / C[t]",
            "conventions#domains",
            "sum of relative changes",
        ),
        Term("G_W", "100 (1 + m_W / W)", "conventions#domains", "index points"),
        Term("g", "ln(G_15 / 100), takes the place of r in `correlation_bqx`", "correlation#inputs", "log"),
        Term("series(W)", "C in rate, m_W in bqx", "conventions#domains", "level"),
        Term("index(W)", "C in rate, G_W in bqx", "conventions#domains", "index points"),
        Term("x", "C in rate, G_15 in bqx", "conventions#domains", "index points"),
        Term("r", "ln(x[t] / x[t-1])", "conventions#domains", "log return; bp where a page says so"),
        Term("y", "what a page fits or describes, mostly `series(W)`", "", "level"),
        Term("V", "volume of the minute, or its proxy", "conventions#domains conventions#proxies", "ticks or units"),
        Term("s", "spread, 10,000 spread / close, or its proxy", "spread_features#input", "bp"),
        Term("q", "sign(r) V", "advanced_microstructure#inputs", "volume"),
        Term("P", "typical price (H + L + C) / 3", "technical#inputs-and-smoothing", "index points"),
        Term("P_W", "the W closes before the current one", "bqx_momentum#inputs", "index points"),
        Term("P_k", "power at frequency k / 128", "spectral_features#the-spectrum", "level^2"),
        Term(
            "mom_W",
            "momentum over W: a log change in rate, m_W in bqx",
            "correlation#inputs lagged_cross_window#input",
            "1, or bp",
        ),
        Term(
            "ret_W",
            "ln(x[t] / x[t-W]); in `correlation_bqx` the sum of g over W",
            "panel#series correlation#inputs",
            "log return",
        ),
        Term("TR", "true range", "technical#inputs-and-smoothing market_regime#features", "index points"),
        Term("u", "minutes of the clock, 0 at the current bar", "reg#the-fit", "minutes"),
        Term("a2, a1, b", "coefficients of u^2, u, 1", "reg#the-fit", "level per bar^2, per bar, level"),
        Term("A2, A1", "a2 W^2, a1 W", "parabolic_comparison#inputs", "level"),
        Term("c", "closes of K-bars", "multi_scale#k-bars", "index points"),
        Term("K", "30 or 60: minutes of a K-bar", "multi_scale#k-bars", "minutes"),
        Term("h", "variance forecast of GARCH", "volatility_surface#garch", "bp^2"),
        Term(
            "e",
            "residual of a fit; the error of a cointegrating vector",
            "reg#the-fit error_correction#the-fit",
            "level; bp",
        ),
        Term(
            "d1 d2 d3 a3, E_j, E_a",
            "wavelet coefficients and their energies",
            "wavelet_features#the-transform",
            "level^2",
        ),
        Term("lambda_j", "eigenvalues of the embedded window", "ssa_features#the-decomposition"),
    ),
    "Families of many pairs": (
        Term("X/Y", "the pair: base currency X, quote currency Y", "panel#sets"),
        Term("Z, Z1, Z2", "a third currency; the sisters of X and of Y", "arbitrage#input error_correction#the-system"),
        Term("B, Q, N", "base siblings, quote siblings, cross set", "panel#sets"),
        Term("set", "one of B, Q, N", "panel#sets"),
        Term("signed", "times -1 unless the shared currency is in the same place as in X/Y", "panel#sets"),
        Term("R_set", "mean signed r of a set, bar by bar", "panel#series", "log return"),
        Term("rho_W(p, q)", "corr over W of r_p and signed r_q", "panel#series", "corr"),
        Term("A", "mean abs(r) of the other pairs", "cross_sectional_panel#features", "log return"),
        Term("e_Z", "how far the triangle through Z is from closing", "arbitrage#input", "bp"),
        Term("strength", "mean of signed ret_W over all pairs with a currency", "currency_strength#input", "bp"),
        Term("sister", "one of three currencies listed for each currency, in order", "error_correction#the-system"),
        Term("major", "one of eight pairs", "cross_sectional_panel#inputs"),
        Term("beta", "the first cointegrating vector; an OLS slope", "error_correction#the-fit", "weight; ratio"),
    ),
    "Operators": (
        Term("W", "length of a window in clock bars", "conventions#notation"),
        Term("agg", "W = 90", "conventions#domains"),
        Term("mean_W, std_W, var, cov", "over W bars, ddof 1", "conventions#notation"),
        Term("corr", "Pearson's correlation", "conventions#notation"),
        Term("Spearman", "rank correlation, ties averaged", "cross_sectional_panel#features"),
        Term("z(y, W), z_W", "(y[t] - mean_W) / std_W", "conventions#notation"),
        Term("slope(y, W)", "OLS slope per bar", "conventions#notation"),
        Term("EMA(n), EMA_n", "exponential mean, alpha = 2 / (n + 1)", "conventions#notation"),
        Term("Wilder's average", "(previous (n - 1) + new) / n", "technical#inputs-and-smoothing"),
        Term("Phi", "standard normal distribution function", "volume_features#features"),
        Term("MAD", "median absolute deviation from the median", "cross_sectional_panel#features"),
        Term("SSE, SST", "sum of squared residuals, of squared deviations", "reg#the-fit"),
        Term("ratio(a, b)", "a / b within [-10, 10]", "parabolic_comparison#inputs"),
        Term("clipped", "set to the nearer end of a range", "conventions#notation"),
        Term("share below, ties half", "values below, plus half of those equal", "conventions#percentiles-and-ranks"),
    ),
    "Words": (
        Term("clock bar", "a minute of trading time: an observed bar or a filled minute", "conventions#the-clock"),
        Term("observed bar", "a row of the source", "conventions#source-bars"),
        Term("filled minute", "a minute without a bar inside a gap of at most 60 minutes", "conventions#the-clock"),
        Term("closure", "a longer gap, which takes no time", "conventions#the-clock"),
        Term("panel clock", "the clock of all pairs together", "conventions#the-panel-clock"),
        Term("present", "observed at most 60 wall-clock minutes before", "panel#clock-and-gaps"),
        Term("gap", "bars of the panel clock at which a pair has none of its own", "panel#clock-and-gaps"),
        Term(
            "carried close", "the last close of a pair, carried over at most 7,200 clock bars", "panel#clock-and-gaps"
        ),
        Term("domain", "`rate` or `bqx`, written `{d}`", "conventions#domains"),
        Term("dual", "a family that runs in both domains", "conventions#domains"),
        Term("bp", "basis point, 1/10,000", "conventions#pairs-and-pips"),
        Term("pip", "0.01 for pairs quoted in yen, otherwise 0.0001", "conventions#pairs-and-pips"),
        Term("index point", "unit of the rate index", "conventions#notation"),
        Term("level (unit)", "index points in rate, sum of relative changes in bqx", "conventions#notation"),
        Term("anchor", "the moment from which a new fit is used", "conventions#anchored-models"),
        Term("fit window", "the bars before an anchor that a fit uses", "conventions#anchored-models"),
        Term("warm-up", "bars until a feature first has a value", "conventions#partitions"),
        Term("lookback", "bars before t that reproduce the value at t", "conventions#partitions"),
        Term("partition", "one table, one month, and one pair (or all)", "conventions#partitions"),
        Term("missing", "without a value: null, in NumPy arrays NaN", "conventions#missing-values"),
        Term("undefined", "without a value because the formula has none", "conventions#missing-values"),
        Term("absent", "a pair that is needed is not present", "conventions#missing-values"),
        Term("failed fit", "an anchored model has no fit", "conventions#anchored-models"),
        Term("proxy", "what replaces volume or quotes that a source lacks", "conventions#proxies"),
        Term("EDGE", "the spread estimate of Ardia, Guidotti & Kroencke", "spread_features#the-edge-estimate"),
        Term("flat, constant", "max - min <= 1e-13 max abs", "conventions#zero-flat-and-equal"),
        Term("equal", "closer than 1e-9 relative, in comparisons", "conventions#zero-flat-and-equal"),
        Term("exact fit", "SSE <= 1e-20 SST", "reg#missing-values-and-exact-cases"),
        Term("near-duplicate", "two features that a page names as (nearly) equal", "conventions#quality"),
        Term("move", "a change of at least 0.02 bp", "advanced_microstructure#inputs"),
        Term("swing, leg", "highest and lowest of 120 bars, and the direction between them", "fibonacci#the-swing"),
        Term("K-bar", "UTC-aligned bar of K minutes", "multi_scale#k-bars"),
        Term("session", "trading hours of a centre", "conventions#sessions"),
    ),
}
