"""The public interface: ``open_store``, ``OpenStore``, ``compute``, and the types that they take and return."""

from __future__ import annotations

from fxloom.api.about import about
from fxloom.api.arrays import compute
from fxloom.api.store import OpenStore, copy_store, ddl, open_store
from fxloom.audit.report import Audit, TableAudit
from fxloom.bars.months import iso
from fxloom.datasets.availability import Provenance, UnavailableError
from fxloom.datasets.frame import FeatureFrame
from fxloom.datasets.redundancy import Redundancy
from fxloom.engine.plan import Plan
from fxloom.features.catalogue import features, select_features, select_tables, tables
from fxloom.features.feature import Feature, Table
from fxloom.features.glossary import GLOSSARY, Term
from fxloom.features.search import search, suggestions
from fxloom.run.copy import CopyReport
from fxloom.run.executors import ExecutorError
from fxloom.run.ingest import FileReport
from fxloom.run.populate import Estimate, Event, Planned, Summary, TaskDone
from fxloom.run.settling import IngestOptions
from fxloom.run.synthetic import write_synthetic_market
from fxloom.run.warm import Compiled
from fxloom.sources import ReadOptions
from fxloom.stores.addresses import without_addresses
from fxloom.stores.base import NoBarsError, StoreError
from fxloom.system.cache import UnsafeCacheError
from fxloom.system.extras import MissingExtraError, require
from fxloom.system.lock import LockedError
from fxloom.verify import VerificationReport

__all__ = [
    "GLOSSARY",
    "Audit",
    "Compiled",
    "CopyReport",
    "Estimate",
    "Event",
    "ExecutorError",
    "Feature",
    "FeatureFrame",
    "FileReport",
    "IngestOptions",
    "LockedError",
    "MissingExtraError",
    "NoBarsError",
    "OpenStore",
    "Plan",
    "Planned",
    "Provenance",
    "ReadOptions",
    "Redundancy",
    "StoreError",
    "Summary",
    "Table",
    "TableAudit",
    "TaskDone",
    "Term",
    "UnavailableError",
    "UnsafeCacheError",
    "VerificationReport",
    "about",
    "compute",
    "copy_store",
    "ddl",
    "features",
    "iso",
    "open_store",
    "require",
    "search",
    "select_features",
    "select_tables",
    "suggestions",
    "tables",
    "without_addresses",
    "write_synthetic_market",
]
