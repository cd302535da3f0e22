"""The feature store for Python users: create, ingest, populate, read, check."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl

from fxloom.audit.report import Audit
from fxloom.audit.run import audit_store
from fxloom.bars.months import minute_of, month_range
from fxloom.bars.pairs import PairInfo
from fxloom.datasets.availability import Allow, provenance_of
from fxloom.datasets.frame import FeatureFrame
from fxloom.datasets.matrix import FORMATS, Missing, matrix_frames, write_matrix
from fxloom.datasets.output import checked_target
from fxloom.datasets.redundancy import Method, Redundancy, redundancy
from fxloom.engine.partitions import DType, PartitionKey, Settings
from fxloom.engine.plan import Plan
from fxloom.features.catalogue import select_features, select_tables, tables
from fxloom.features.feature import Feature
from fxloom.run.copy import CopyReport
from fxloom.run.copy import copy_store as copy_backends
from fxloom.run.ingest import FileReport, ingest
from fxloom.run.populate import Estimate, Event, Summary, check_room, estimate, plan_for, populate
from fxloom.run.settling import IngestOptions, rebase
from fxloom.run.state import ready_settings
from fxloom.sources import ReadOptions
from fxloom.stores import open_backend
from fxloom.stores.base import Store, StoreError, check_pairs
from fxloom.stores.frames import bars_frame
from fxloom.stores.query import known_at, read_features
from fxloom.verify import VerificationReport, verify
from fxloom.verify.report import report_json
from fxloom.verify.units import UnitReport

Moment = str | dt.date | dt.datetime


def open_store(url: str | Path, adopt: bool = False) -> OpenStore:
    """The feature store at ``url`` (a folder, or a postgresql:// URL); nothing is created or read yet.

    ``adopt`` lets populate replace rows in PostgreSQL that fxloom has no record of.
    """
    return OpenStore(open_backend(url, adopt))


def copy_store(source: OpenStore, target: OpenStore, on_partition: Callable[[PartitionKey], None]) -> CopyReport:
    """Copy bars and partitions into ``target``, which is new or has the same settings, and compare every copy.

    ``on_partition`` receives the key of each finished partition. StoreError if the settings differ or a copy does;
    LockedError if another writer holds ``target``.
    """
    return copy_backends(source.backend, target.backend, on_partition)


def ddl(url: str, dtype: DType = "float32") -> str:
    """The PostgreSQL DDL of a store's tables, in the schema that ``url`` names (for a folder: the default schema)."""
    from fxloom.stores.postgres.address import SCHEMA, address_of
    from fxloom.stores.postgres.layout import ddl as text_of

    schema = address_of(url).schema if "://" in url else SCHEMA
    return text_of(schema, list(tables().values()), dtype)


class OpenStore:
    """A feature store: bars and features by pair and month.

    Every method may raise StoreError if the store cannot be reached, read or written.
    """

    def __init__(self, backend: Store) -> None:
        self.backend = backend

    @property
    def url(self) -> str:
        """Where the store is, without its password."""
        return self.backend.url

    @property
    def pairs(self) -> list[str]:
        """The pairs that have bars; StoreError if there are none."""
        return sorted(ready_settings(self.backend).pairs)

    @property
    def partitions(self) -> int:
        """The number of published partitions."""
        return self.backend.inventory().partitions.height

    def pair_info(self, pair: str) -> PairInfo:
        """What is settled about ``pair``: baseline, side, whether it has volume and quotes. NoBarsError if unknown."""
        known = ready_settings(self.backend).pairs
        check_pairs(self.url, [pair.lower()], known)
        return known[pair.lower()]

    # -- writing -------------------------------------------------------------------------------------------------

    def init(self, baseline: Moment | None = None, dtype: DType = "float32") -> Settings:
        """Write the settings of a new store; StoreError if it has settings already.

        ``baseline``: the rate index of every pair is 100 at its first close at or after this time (default: the
        beginning of the month of the first ingested bars).
        """
        with self.backend.exclusive("init"):
            if self.backend.settings() is not None:
                raise StoreError(f"{self.url} is already a store; `fxloom init --rebase` recalculates its baselines")
            settings = Settings(_minute(baseline), dtype)
            self.backend.write_settings(settings)
        return settings

    def rebase(self, baseline: Moment | None = None, pairs: Sequence[str] | None = None) -> Settings:
        """Recalculate the baselines of ``pairs`` (None: all) from the stored bars; their features become stale.

        StoreError if the store has no bars, or a pair has none at or after ``baseline``.
        """
        with self.backend.exclusive("init"):
            return rebase(self.backend, _minute(baseline), _words(pairs, "pair"))

    def ingest(
        self,
        paths: str | Path | Sequence[str | Path],
        read: ReadOptions | None = None,
        options: IngestOptions | None = None,
        wait: float = 0.0,
        on_file: Callable[[FileReport], None] = lambda _: None,
        workers: int | None = None,
        on_progress: Callable[[int, int], None] = lambda _, __: None,
    ) -> list[FileReport]:
        """Ingest the bars of files, folders and archives; one report per file. A refused file does not stop the others.

        ``workers``: processes (None: one per processor; small files are read in this one). ``on_file`` receives each
        report as soon as it is known, ``on_progress`` the number of files read and of all known so far.
        StoreError if a path does not exist, LockedError if another writer holds the store for ``wait`` seconds.
        """
        given = [paths] if isinstance(paths, str | Path) else list(paths)
        read, options = read or ReadOptions(), options or IngestOptions()
        return ingest(self.backend, given, read, options, wait, on_file, workers, on_progress)

    def plan(
        self,
        pairs: str | Sequence[str] | None = None,
        months: str | None = None,
        tables: str | Sequence[str] | None = None,
        force: bool = False,
    ) -> Plan:
        """What populate would do; ``months`` as "2018-02:2018-03". Errors as ``populate``."""
        bounds = month_range(months) if months else None
        return plan_for(self.backend, _words(pairs, "pair"), bounds, _words(tables, "table"), force)

    def estimate(self, plan: Plan) -> Estimate:
        """Estimate the cost of ``plan``: values, seconds on one core, bytes on disk."""
        return estimate(plan, ready_settings(self.backend).dtype)

    def check_room(self, need: Estimate) -> None:
        """Raise StoreError if the disk has no room for ``need``."""
        check_room(self.backend, need)

    def populate(
        self,
        pairs: str | Sequence[str] | None = None,
        months: str | None = None,
        tables: str | Sequence[str] | None = None,
        workers: int | None = None,
        force: bool = False,
        wait: float = 0.0,
        on_event: Callable[[Event], None] = lambda _: None,
    ) -> Summary:
        """Compute what is missing or stale; ``months`` as "2018-02:2018-03". Failures are listed in the summary.

        ``workers``: how many processes (None: one per processor); ``force`` recomputes fresh partitions too; ``wait``:
        seconds to wait for another writer; ``on_event`` receives the plan and every finished task. StoreError for pairs
        or months without bars or a full disk, KeyError for an unknown table, ValueError for malformed ``months``,
        LockedError if another writer holds the store.
        """
        bounds = month_range(months) if months else None
        chosen, wanted = _words(pairs, "pair"), _words(tables, "table")
        return populate(self.backend, chosen, bounds, wanted, workers, force, wait, on_event)

    # -- reading -------------------------------------------------------------------------------------------------

    def read(
        self,
        what: str | Sequence[str],
        pairs: str | Sequence[str] | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
        allow: Allow = "nothing",
    ) -> FeatureFrame:
        """Features of any tables, joined on time and pair, as a lazy frame with ``provenance``.

        ``what``: features, tables, families, domains ("rate", "bqx") or patterns; ``start <= ts_utc < end``.
        Columns: ``ts_utc``, ``known_at`` (when the bar is complete: one minute later), ``pair``, and the features in
        the requested order (those of one pattern in catalogue order); a missing value is null. KeyError if a name is
        unknown, NoBarsError if the store has no bars of a pair, UnavailableError (a StoreError) if a partition is
        missing, stale or refused, unless ``allow`` is "missing", "stale" or "all".
        """
        request = self._request(what, pairs, start, end)
        provenance = provenance_of(self.backend, *request, allow)
        return FeatureFrame.of(read_features(self.backend, *request), provenance)

    def _request(
        self,
        what: str | Sequence[str],
        pairs: str | Sequence[str] | None,
        start: Moment | None,
        end: Moment | None,
    ) -> tuple[list[Feature], list[str], int | None, int | None]:
        """The request as features, pairs and minutes."""
        features = select_features([what] if isinstance(what, str) else what)
        first, after = _minute(start), _minute(end)
        if first is not None and after is not None and after <= first:
            raise ValueError(
                f"no time lies between start={start} and end={end}: the end is exclusive and must be after the start"
            )
        return features, self._pairs(pairs), first, after

    def _pairs(self, pairs: str | Sequence[str] | None) -> list[str]:
        named = _words(pairs, "pair")
        return self.pairs if named is None else named

    def bars(self, pair: str, start: Moment | None = None, end: Moment | None = None) -> pl.DataFrame:
        """The stored bars of ``pair`` with ``start <= ts_utc < end``; a missing volume or spread is null.

        Columns: ``ts_utc``, ``pair``, open, high, low, close, volume, spread, ``known_at``. NoBarsError if the store
        has no bars of ``pair``.
        """
        (pair,) = self._pairs(pair)
        check_pairs(self.url, [pair], self.pairs)
        first, last = _minute(start), _minute(end)
        bars = self.backend.read_bars(pair, -(1 << 40) if first is None else first, (1 << 40) if last is None else last)
        return bars_frame(bars, pair).with_columns(known_at())

    def matrix(
        self,
        features: str | Sequence[str],
        pairs: str | Sequence[str] | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
        missing: Missing = "keep",
        allow: Allow = "nothing",
    ) -> Iterator[pl.DataFrame]:
        """The rows that ``read`` returns, as one frame per month.

        ``missing="drop"`` drops rows in which any feature is missing. Errors as ``read``, raised immediately.
        """
        request = self._request(features, pairs, start, end)
        provenance_of(self.backend, *request, allow)
        return matrix_frames(self.backend, *request, missing)

    def write_matrix(
        self,
        path: str | Path,
        features: str | Sequence[str],
        pairs: str | Sequence[str] | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
        missing: Missing = "keep",
        allow: Allow = "nothing",
    ) -> int:
        """Write ``matrix`` to a .parquet or .csv file that appears once it is complete; returns the number of rows.

        No file is written without rows. Its metadata say what it was made from. ValueError if ``path`` cannot be
        written: see ``fxloom.datasets.matrix.write_matrix``. Other errors as ``read``.
        """
        root = None if "://" in self.url else Path(self.url)
        checked_target(Path(path), FORMATS, root)
        request = self._request(features, pairs, start, end)
        provenance = provenance_of(self.backend, *request, allow)
        return write_matrix(matrix_frames(self.backend, *request, missing), Path(path), provenance, root)

    # -- checking ------------------------------------------------------------------------------------------------

    def audit(
        self,
        whole: bool = False,
        pairs: str | Sequence[str] | None = None,
        months: str | None = None,
        tables: str | Sequence[str] | None = None,
        detail: bool = False,
    ) -> Audit:
        """Judge what the store holds, table by table; ``whole`` reads every stored value and verifies its checksum.

        ``pairs``, ``months`` ("2018-02:2018-03") and ``tables`` narrow it down. ``detail`` lists every partition and
        every finding. StoreError for unknown pairs, KeyError for unknown tables.
        """
        chosen, bounds = _words(pairs, "pair"), month_range(months) if months else None
        names = [table.name for table in select_tables(_words(tables, "table"))]
        return audit_store(self.backend, chosen, bounds, names, whole, detail)

    def verify(
        self,
        tables: str | Sequence[str] | None = None,
        pairs: str | Sequence[str] | None = None,
        samples: int = 0,
        budget: float = 600.0,
        seed: int = 0,
        workers: int | None = None,
        on_units: Callable[[int], None] = lambda _: None,
        on_unit: Callable[[UnitReport], None] = lambda _: None,
    ) -> VerificationReport:
        """Run the trials of features on the stored bars for about ``budget`` seconds: see ``fxloom.verify.verify``."""
        chosen, named = select_tables(_words(tables, "table")), _words(pairs, "pair")
        return verify(self.backend, chosen, named, samples, budget, seed, workers, on_units, on_unit)

    def keep_report(self, report: VerificationReport, tables: Sequence[str] | None = None) -> str:
        """Write the report on ``tables`` to the store as JSON; returns where."""
        name = time.strftime("reports/verify-%Y%m%dT%H%M%SZ.json", time.gmtime())
        return self.backend.keep(name, report_json(report, select_tables(_words(tables, "table"))))

    def redundancy(
        self,
        pairs: str | Sequence[str] | None = None,
        months: str | None = None,
        threshold: float = 0.999,
        method: Method = "pearson",
    ) -> Redundancy:
        """Find redundant features of ``pairs`` (None: all) in ``months`` ("2018-02:2018-03").

        Without ``months``, the month with the most values is used, and ``chosen`` is set in the result. See
        ``fxloom.datasets.redundancy``.
        """
        return redundancy(self.backend, self._pairs(pairs), month_range(months) if months else None, threshold, method)


def _minute(moment: Moment | None) -> int | None:
    return None if moment is None else minute_of(moment)


def _words(names: str | Sequence[str] | None, what: str) -> list[str] | None:
    """Names as a list in lower case without duplicates; a single name may be a string; None stays None.

    ValueError for an empty list, which says nothing where None says all.
    """
    if names is None:
        return None
    if not names:
        raise ValueError(f"no {what} was requested: name one or more, or omit them for all")
    return list(dict.fromkeys(name.lower() for name in ([names] if isinstance(names, str) else names)))
