"""A store's URL: options for PostgreSQL, our own options, and the part that may be shown."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlencode

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict

from fxloom.stores.base import StoreError

OURS = (
    "schema", "bars", "time", "open", "high", "low", "close", "volume", "spread", "bid", "ask", "patience", "adopt",
)  # fmt: skip
SECRET = {
    "password", "passfile", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key",
} | {option.keyword.decode() for option in pq.Conninfo.get_defaults() if option.dispchar == b"*"}  # fmt: skip
LONGEST_NAME = 63  # bytes; PostgreSQL truncates longer names, so that two of them may collide
PER_RUN = ("patience", "adopt")  # options of a run, not of the store
SCHEMA = "fxloom"


@dataclass(frozen=True)
class Address:
    """Where a store is. ``text`` contains the password if the user's URL did: pass it on, never show it."""

    text: str = field(repr=False)
    shown: str
    server: Mapping[str, str] = field(repr=False)
    options: Mapping[str, str]

    @property
    def schema(self) -> str:
        return self.options.get("schema") or os.environ.get("FXLOOM_SCHEMA") or SCHEMA

    @property
    def patience(self) -> float | None:
        """Seconds to wait for a server that does not answer; None means to wait only if it has answered before."""
        return float(self.options["patience"]) if "patience" in self.options else None

    @property
    def adopt(self) -> bool:
        return self.options.get("adopt") == "yes"

    def with_options(self, **options: str) -> Address:
        """The same store with other values for our own options."""
        return address_of(url_of(self.server, {**self.options, **options}))


def address_of(url: str) -> Address:
    """The address in ``url``; StoreError, without showing it, if it cannot be parsed."""
    try:
        server, options = _parsed(url)
    except (ValueError, psycopg.Error):
        raise StoreError(
            "this is not a valid PostgreSQL URL: write it as postgresql://user@host:5432/database?schema=fxloom, with "
            "%-codes for special characters in a password (better: keep it in ~/.pgpass or PGPASSWORD)"
        ) from None
    for name in ("schema", "bars"):
        _check_name(name, options.get(name, ""))
    _check_name("FXLOOM_SCHEMA", os.environ.get("FXLOOM_SCHEMA", ""))
    public = {name: value for name, value in server.items() if name not in SECRET}
    shown = {name: value for name, value in options.items() if name not in PER_RUN}
    return Address(url, url_of(public, shown), server, options)


def _check_name(option: str, name: str) -> None:
    """StoreError for a name that PostgreSQL would truncate or reject."""
    if len(name.replace("{pair}", "eurusd").encode()) > LONGEST_NAME or "\0" in name:
        raise StoreError(
            f"{option}={name[:20]}... is not a valid PostgreSQL name: it has over {LONGEST_NAME} bytes or a NUL byte; "
            "choose another"
        )


def _parsed(url: str) -> tuple[dict[str, str], dict[str, str]]:
    rest = url.partition("://")[2]
    place, _, query = rest.partition("?")
    authority, slash, database = place.partition("/")
    if "@" in database:
        raise ValueError("unencoded slash in the password")
    user, at, hosts = authority.rpartition("@")
    asked = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
    options = {name: asked.pop(name) for name in OURS if name in asked}
    if "patience" in options and not (math.isfinite(patience := float(options["patience"])) and patience >= 0):
        raise ValueError("patience must be a number of seconds")
    server: dict[str, str] = {
        name: str(value) for name, value in conninfo_to_dict(f"postgresql://{hosts}{slash}{database}").items()
    }
    server |= asked
    if at:
        name, colon, password = user.partition(":")
        server |= {"user": unquote(name)} | ({"password": unquote(password)} if colon else {})
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    if not set(server) <= known:
        raise ValueError("unknown option")
    return server, options


def url_of(server: Mapping[str, str], options: Mapping[str, str]) -> str:
    """The URL with these options of the server and of our own; special characters are %-encoded."""
    plain = dict(server)
    user, password = plain.pop("user", ""), plain.pop("password", None)
    who = quote(user, safe="") + (f":{quote(password, safe='')}" if password is not None else "")
    host, port = plain.get("host", ""), plain.get("port", "")
    where = ""
    if "/" not in host and "," not in host + port:
        where = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
        plain = {name: value for name, value in plain.items() if name not in ("host", "port")}
    database = quote(plain.pop("dbname", ""), safe="")
    query = urlencode({**plain, **options}, safe="/,{}", quote_via=quote)
    return f"postgresql://{who}{'@' if who else ''}{where}/{database}{'?' if query else ''}{query}"
