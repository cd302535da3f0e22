"""JSON candles: OANDA v20, Polygon, Twelve Data, Alpha Vantage, Finnhub, dukascopy-node, Dukascopy's own, and others.

The table is found by its shape: a list of objects, a list of rows, columns of equal length, or one object per time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from fxloom.sources.formats.table import Table
from fxloom.sources.names import role_of, time_rank
from fxloom.sources.records import Refused
from fxloom.sources.text import Text

NAME = "json"
_LARGEST = 128 << 20  # bytes: a year of minutes is 40 MB; objects take some ten times that in memory
_ADVICE = "download the candles again, or write them as csv"
_DELTAS = {"timestamp", "multiplier", "times"}
_SYMBOLS = ("instrument", "ticker", "symbol", "pair")
_MESSAGES = ("message", "error", "errorMessage", "Note", "Information", "Error Message", "status", "s")
_AXIS = "time"  # name of the column of times if they are an object's keys
Object = Mapping[str, Any]


def recognise(data: bytes) -> bool:
    """Whether ``data`` begins like JSON."""
    return data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def read(data: bytes) -> list[Table]:
    """Every table of candles or ticks. Raises ``Refused`` if there are none."""
    if len(data) > _LARGEST:
        raise Refused(f"JSON of {len(data) >> 20:,} MiB", "split it by month")
    try:
        tables = list(_tables(_loaded(data), "", ""))
    except RecursionError as error:
        raise Refused("JSON nested too deeply to hold candles", _ADVICE) from error
    if not tables:
        raise Refused("JSON without candles", _ADVICE)
    return tables


def _loaded(data: bytes) -> Any:
    text = data.decode("utf-8-sig", "replace")
    try:
        return json.loads(text)
    except ValueError as error:
        try:
            return [json.loads(line) for line in text.splitlines() if line.strip()]  # one object per line
        except ValueError:
            raise Refused(f"corrupt JSON ({str(error)[:80]})", _ADVICE) from error


def _tables(value: Any, symbol: str, vendor: str) -> Iterator[Table]:
    if isinstance(value, list):
        yield from _of_list(value, symbol, vendor)
    elif isinstance(value, dict) and value:
        vendor, symbol = _vendor(value) or vendor, _symbol(value) or symbol
        if value.keys() >= _DELTAS:
            yield Table(_decoded(value), "dukascopy", symbol, zone=0.0)
        elif (columns := _columns(value)) is not None:
            yield Table(columns, vendor, symbol, zone=0.0 if vendor == "finnhub" else None)
        elif (rows := _rows_by_time(value)) is not None:
            yield Table(_frame(rows), vendor, symbol)
        else:
            found = [t for name, each in value.items() for t in _tables(each, _named(name) or symbol, vendor)]
            if not found and (message := next((value[k] for k in _MESSAGES if isinstance(value.get(k), str)), "")):
                raise Refused(f"a vendor's message instead of candles ({message[:120]})", "download the candles again")
            yield from (_in_utc(table) if _states_utc(value) else table for table in found)


def _of_list(rows: list[Any], symbol: str, vendor: str) -> Iterator[Table]:
    objects = [row for row in rows if isinstance(row, dict)]
    if len(objects) == len(rows) and objects and _is_row(objects[0]):
        zone = _zone_of_rows(vendor, objects[0])
        yield Table(_frame(objects), vendor or _vendor_of_rows(objects[0]), symbol, zone=zone)
    elif rows and all(isinstance(row, list) and 3 <= len(row) <= 20 for row in rows):
        lines = "\n".join(",".join("" if f is None else str(f) for f in row) for row in rows)
        yield Table(Text(lines.encode()), vendor, symbol, zone=0.0 if _is_milliseconds(rows[0][0]) else None)
    else:
        for each in objects:
            yield from _tables(each, symbol, vendor)


def _is_row(row: Object) -> bool:
    """Whether an object is one candle or tick: a time, and prices beside it or one level below."""
    prices = sum(role_of(name) is not None for name in _flat(row))
    return prices >= 1 and any(time_rank(name) is not None for name in row)


def _flat(row: Object) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= {f"{name}_{inner}": each for inner, each in value.items()}
        elif not isinstance(value, list):
            flat[name] = value
    return flat


def _frame(rows: list[Any]) -> pl.DataFrame:
    try:
        return pl.DataFrame([_flat(row) for row in rows], strict=False, infer_schema_length=None)
    except (pl.exceptions.PolarsError, TypeError, OverflowError) as error:
        raise Refused(f"JSON whose rows do not form a table ({str(error)[:80]})", _ADVICE) from error


def _columns(value: Object) -> pl.DataFrame | None:
    """Columns of equal length under their names, as lists or as objects with the same keys."""
    lists = {name: each for name, each in value.items() if isinstance(each, list)}
    named = [name for name in lists if role_of(name) or time_rank(name) is not None]
    if len(named) >= 3 and len({len(lists[name]) for name in named}) == 1 and lists[named[0]]:
        return pl.DataFrame({name: lists[name] for name in named}, strict=False)
    objects = {name: each for name, each in value.items() if isinstance(each, dict) and role_of(name)}
    if len(objects) < 2 or len({tuple(each) for each in objects.values()}) != 1:
        return None
    keys = list(next(iter(objects.values())))
    if keys and not any(map(role_of, keys)):
        columns = {name: list(each.values()) for name, each in value.items() if isinstance(each, dict)}
        return pl.DataFrame(({_AXIS: keys} if not any(map(time_rank, columns)) else {}) | columns, strict=False)
    return None


def _rows_by_time(value: Object) -> list[dict[str, Any]] | None:
    """Objects under their times: {"2024-01-15 16:00:00": {"1. open": "1.0920", ..}, ..}."""
    first = next(iter(value.values()))
    timed = all(name[:4].isdigit() for name in value)
    if not timed or not isinstance(first, dict) or not any(map(role_of, first)):
        return None
    return [{_AXIS: name, **each} for name, each in value.items() if isinstance(each, dict)]


def _decoded(value: Object) -> pl.DataFrame:
    """Dukascopy's own candles and ticks: times and prices are differences from the previous row, in units."""
    unit, shift = float(value["multiplier"]), int(value.get("shift", 1))
    columns: dict[str, Any] = {"ts_utc": int(value["timestamp"]) + shift * _summed(value["times"])}
    for name in ("open", "high", "low", "close", "bid", "ask"):
        if name in value and f"{name}s" in value:
            units = round(float(value[name]) / unit) + _summed(value[f"{name}s"])
            columns[name] = np.round(units * unit, max(0, round(-np.log10(unit))))
    if "volumes" in value:
        columns["volume"] = np.asarray(value["volumes"], np.float64)
    if len({len(column) for column in columns.values()}) != 1 or len(columns) < 3:
        raise Refused("Dukascopy's JSON with columns of different lengths", "download it again")
    return pl.DataFrame(columns)


def _summed(differences: list[Any]) -> np.ndarray:
    return np.cumsum(np.asarray(differences, np.int64))


# -- what the vendors' own fields state -------------------------------------------------------------------------------


def _vendor(value: Object) -> str:
    if "granularity" in value and "candles" in value:
        return "oanda"
    if str(value.get("ticker", "")).startswith("C:"):
        return "polygon"
    if isinstance(value.get("meta"), dict) and "values" in value:
        return "twelve data"
    if "Meta Data" in value:
        return "alpha vantage"
    return "finnhub" if value.get("s") == "ok" and "t" in value else ""


def _vendor_of_rows(row: Object) -> str:
    return "dukascopy" if set(row) <= _NODE else ""


_NODE = {"timestamp", "open", "high", "low", "close", "volume", "askPrice", "bidPrice", "askVolume", "bidVolume"}


def _zone_of_rows(vendor: str, row: Object) -> float | None:
    """0 if the vendor documents that its epochs are in UTC."""
    time = next((value for name, value in row.items() if time_rank(name) is not None), None)
    seconds = str(time).replace(".", "").isdigit()
    documented = vendor in ("oanda", "polygon") or (set(row) <= _NODE and _is_milliseconds(time))
    return 0.0 if documented and seconds else None


def _is_milliseconds(time: Any) -> bool:
    return isinstance(time, int) and 1e11 < time < 1e14


def _symbol(value: Object) -> str:
    """The instrument that an object or its description names."""
    about = [value, *(value[name] for name in ("meta", "Meta Data") if isinstance(value.get(name), dict))]
    for each in about:
        legs = [str(each[name]) for name in ("2. From Symbol", "3. To Symbol") if name in each]
        stated = "/".join(legs) or next((str(each[s]) for s in _SYMBOLS if isinstance(each.get(s), str)), "")
        if stated:
            return stated.removeprefix("C:")
    return ""


def _named(name: str) -> str:
    return name if len(name) in (6, 7) and name.upper() == name else ""


def _states_utc(value: Object) -> bool:
    about = value.get("Meta Data", value.get("meta"))
    zones = [str(v).upper() for k, v in about.items() if "zone" in k.lower()] if isinstance(about, dict) else []
    return zones == ["UTC"]


def _in_utc(table: Table) -> Table:
    return replace(table, zone=0.0)
