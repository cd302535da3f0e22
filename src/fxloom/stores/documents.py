"""Settings and records as JSON with a format number and a checksum, so that a changed byte is detected."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, fields
from typing import Any

from fxloom.bars.pairs import PairInfo
from fxloom.engine.partitions import PartitionKey, Record, Settings
from fxloom.stores.base import newer_format

FORMAT = 1  # format of the documents; those in any other format are left alone
RECORDED = tuple(f.name for f in fields(Record))


def checksum_of(text: bytes) -> str:
    """A checksum of a document, 16 hexadecimal digits."""
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def _canonical(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def sealed(document: dict[str, Any]) -> dict[str, Any]:
    """``document`` with its format and a checksum of both."""
    document = {**document, "format": FORMAT}
    return {**document, "checksum": checksum_of(_canonical(document))}


def opened(document: Any, where: object) -> dict[str, Any]:
    """The fields that were ``sealed``; ValueError if they were changed, NewerFormatError for a later format."""
    if not isinstance(document, dict):
        raise ValueError("it is not a JSON object")
    found = {name: value for name, value in document.items() if name != "checksum"}
    if document.get("checksum") != checksum_of(_canonical(found)):
        raise ValueError("its checksum does not match its content")
    if found.pop("format") != FORMAT:
        raise newer_format(where, document["format"])
    return found


def settings_fields(settings: Settings) -> dict[str, Any]:
    """Settings as a sealed JSON object."""
    return sealed(asdict(settings))


def settings_of(document: Any, where: object) -> Settings:
    """Settings from ``settings_fields``; ValueError, TypeError or KeyError if they are corrupt."""
    found = opened(document, where)
    pairs = {pair: PairInfo(**info) for pair, info in found.pop("pairs").items()}
    return Settings(pairs=pairs, **found)


def record_fields(record: Record) -> dict[str, Any]:
    """The record as JSON values; unlike ``asdict``, it does not copy the statistics of every feature."""
    return {name: getattr(record, name) for name in RECORDED} | {"key": asdict(record.key)}


def record_of(found: dict[str, Any]) -> Record:
    """A record from ``record_fields``; KeyError or TypeError if a field is missing or unknown."""
    key = PartitionKey(**found.pop("key"))
    found["proxies"] = tuple(found.get("proxies", ()))
    return Record(key=key, **found)
