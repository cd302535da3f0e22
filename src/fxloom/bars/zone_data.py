"""Digests of this machine's time-zone data, which determines local time and therefore belongs to fingerprints."""

from __future__ import annotations

import hashlib
import importlib.resources
import zoneinfo
from collections.abc import Iterable
from pathlib import Path


def zones_digest(zones: Iterable[str]) -> str:
    """A digest of the data of ``zones`` (IANA names) as ``zoneinfo`` finds them."""
    digest = hashlib.blake2b(digest_size=8)
    for zone in sorted(zones):
        digest.update(zone.encode() + _data(zone))
    return digest.hexdigest()


def _data(zone: str) -> bytes:
    """The zone's file on the path of ``zoneinfo``, otherwise the one in the ``tzdata`` package."""
    for folder in zoneinfo.TZPATH:
        path = Path(folder, *zone.split("/"))
        if path.is_file():
            return path.read_bytes()
    *folders, name = zone.split("/")
    return importlib.resources.files(".".join(["tzdata", "zoneinfo", *folders])).joinpath(name).read_bytes()
