"""Records why the last attempt to write a partition did not: it was refused by its gates, or it failed.

A refused partition leaves nothing in the store and would look as if it had never been computed. The store keeps one
document of such outcomes; a partition is removed from it once it is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from fxloom.engine.partitions import PartitionKey
from fxloom.engine.plan import Plan
from fxloom.run.results import PartitionResult
from fxloom.stores.base import Store, StoreError
from fxloom.stores.documents import opened, sealed

NAME = "outcomes.json"


@dataclass(frozen=True)
class Trouble:
    """Why a partition with this fingerprint was not written: ``result`` is "refused" or "failed"."""

    result: str
    why: str
    fingerprint: str


def troubles_of(store: Store) -> dict[PartitionKey, Trouble]:
    """The recorded outcomes by partition; StoreError if the document is corrupt or of a later format."""
    try:
        text = store.kept(NAME)
        if text is None:
            return {}
        entries = opened(json.loads(text), f"{NAME} in {store.url}")["partitions"]
        return {PartitionKey(**entry.pop("key")): Trouble(**entry) for entry in entries}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        why = f"{NAME} in {store.url} is corrupt ({error}): remove it; the next populate writes a new one"
        raise StoreError(why) from None


def record_outcomes(store: Store, plan: Plan, results: Iterable[PartitionResult]) -> None:
    """Add refusals and failures in ``results`` to the store's document, and remove partitions that are now written."""
    before = troubles_of(store)
    fingerprints = {partition.key: partition.fingerprint for partition in plan.partitions}
    after = dict(before)
    for result in results:
        if result.result == "done":
            after.pop(result.key, None)
        else:
            after[result.key] = Trouble(result.result, result.why, fingerprints.get(result.key, ""))
    if after != before:
        store.keep(NAME, _text(after))


def _text(troubles: Mapping[PartitionKey, Trouble]) -> str:
    entries = [{"key": asdict(key), **asdict(trouble)} for key, trouble in sorted(troubles.items())]
    return json.dumps(sealed({"partitions": entries}), indent=1) + "\n"
