"""Names of columns of market data, in the languages that users' software writes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def plain(name: str) -> str:
    """A column's name stripped of case, accents, numbering and punctuation.

    >>> plain("Gmt time"), plain("<TICKVOL>"), plain("Eröffnung"), plain("1. open"), plain("始値(BID)")
    ('gmttime', 'tickvol', 'eroffnung', 'open', '始値bid')
    """
    name = re.sub(r"^\s*\d+\.\s", "", name)
    if name.isascii():
        return re.sub(r"[^a-z0-9]", "", name.lower())
    return "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if c.isalnum())


def _names(names: str) -> list[str]:
    return [plain(name) for name in names.split()]


# As ``plain`` leaves them. English, German, Spanish, Portuguese, French, Italian, Russian, Japanese, Chinese.
_TIMES = _names(
    "timestamp datetime tsutc ts opentime localtime bartime time date dtyyyymmdd ratedatetime windowstart unixtime "
    "unix epoch t datumzeit datumuhrzeit fechahora fechayhora datahora dateheure dataora датавремя датаивремя 日時 "
    "日期时间 datum fecha data дата 日付 日付け 日期 zeit uhrzeit hora heure ora время 時刻 時間 时间 day"
)
UNNAMED = frozenset(("", "indexlevel0", "unnamed0", "index"))  # pandas' index written as csv or Parquet, or read back

_BAR_NAMES: Mapping[str, str] = {
    "open": "open o openprice first mido midopen openmid eroffnung eroffnungskurs eroffn apertura abertura ouverture "
    "открытие откр ценаоткрытия 始値 开盘 开盘价",
    "high": "high h highprice max midh midhigh highmid hoch hochst hochstkurs maximo maxima alto haut plushaut massimo "
    "максимум макс максимальная максимальнаяцена 高値 最高 最高价",
    "low": "low l lowprice min midl midlow lowmid tief tiefst tiefstkurs minimo minima bajo baixo bas plusbas "
    "минимум мин минимальная минимальнаяцена 安値 最低 最低价",
    "close": "close c closeprice last midc midclose closemid schluss schlusskurs schlu zuletzt cierre ultimo "
    "fechamento fecho cloture fermeture dernier chiusura закрытие закр ценазакрытия 終値 收盘 收盘价",
}  # fmt: skip
_OTHER_NAMES: Mapping[str, str] = {
    "bid": "bid bidprice b bidpx ratebid geld geldkurs comprador compra",
    "ask": "ask askprice a offer askpx rateask brief briefkurs vendedor venta venda",
    "volume": "volume vol volumn v realvolume tickvolume tickvol tickqty ticks volumen volumes объем обьем "
    "тиковыйобъем 出来高 成交量",
    "spread": "spread спред スプレッド 点差",
    "symbol": "symbol pair ticker instrument currencypair symbole simbolo symbolname par paire wahrungspaar "
    "инструмент символ тикер 通貨ペア 货币对",
}
_SHORT = {"open": "o", "high": "h", "low": "l", "close": "c"}
TICK_VOLUMES = ("tickvol", "tickvolume", "тиковыйобъем")
REAL_VOLUMES = ("vol", "volume", "realvolume")


def _roles() -> dict[str, str]:
    roles = {name: role for role, names in _OTHER_NAMES.items() for name in _names(names)}
    for part, names in _BAR_NAMES.items():
        for side in ("bid", "ask"):
            for name in (*_names(names), _SHORT[part]):
                roles |= dict.fromkeys((side + name, name + side, side[0] + name), f"{side}_{part}")
    roles |= {name: role for role, names in _BAR_NAMES.items() for name in _names(names)}
    return roles


_ROLES = _roles()


def role_of(name: str) -> str | None:
    """The role of a numeric or symbol column by its name ("open", "bid_open", "volume" ...); None if unknown."""
    return _ROLES.get(plain(name))


def time_rank(name: str) -> int | None:
    """The rank of this name among names of time columns, 0 first; None if it is not one."""
    spelled = _without_zone(name)
    return _TIMES.index(spelled) if spelled in _TIMES else None


def _without_zone(name: str) -> str:
    return plain(_ZONE.sub("", name)) or ("t" if _ZONE.search(name) else "")


_CONTINENTS = "africa|america|asia|atlantic|australia|europe|indian|pacific|us"
_ZONE = re.compile(
    rf"(?i)(?<![a-z])(?:(?:utc|gmt)(?![a-z])(?:\s*[+-]\d{{1,2}}(?::?[0-5]\d)?)?|eet(?![a-z])|(?:{_CONTINENTS})/[a-z_]+)"
)


def known_names(header: Iterable[str]) -> int:
    """How many of the names have a known role or name a time."""
    return sum(role_of(name) is not None or time_rank(name) is not None for name in header)


def zone_in(name: str) -> float | ZoneInfo | None:
    """The zone that a column's name states: hours from UTC, or a named zone; None if it states none.

    >>> zone_in("ts_utc"), zone_in("time (UTC+2)"), zone_in("Time (EET)").key, zone_in("Local time")
    (0.0, 2.0, 'Europe/Athens', None)
    """
    found = _ZONE.search(name.replace("_", " ") if "/" not in name else name)
    if not found:
        return None
    stated = found[0]
    if stated.lower() == "eet":  # platforms that write this name mean EET with summer time
        return ZoneInfo("Europe/Athens")
    if "/" in stated:
        return named_zone(stated)
    hours = re.search(r"([+-])(\d{1,2})(?::?(\d\d))?", stated)
    if not hours:
        return 0.0
    size = int(hours[2]) + int(hours[3] or 0) / 60
    return -size if hours[1] == "-" else size


def named_zone(key: str) -> ZoneInfo | None:
    """The zone named ``key``, or None if there is no such zone."""
    try:
        return ZoneInfo(key)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
