"""Writes a partition in one transaction: create a table, fill it, swap it for the old one, attach it.

New rows go to a separate table, which is attached at the end, so that a reader sees the old partition until the
commit. Attaching takes a lock on the parent that does not block readers. Only replacing a partition needs an exclusive
lock on the parent. It is requested repeatedly with a short timeout: a long-running reader delays the writer, but the
writer delays nobody. Rows are written frozen, so that a reader with an older snapshot sees the whole new partition,
not an empty one.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from psycopg import errors, sql

from fxloom.stores.base import StoreError
from fxloom.stores.postgres.connections import Connection
from fxloom.stores.postgres.layout import (
    TIMES,
    Relation,
    bounds,
    child_statements,
    key_list,
    name_list,
    parent_statements,
)
from fxloom.stores.postgres.locks import lock_parent, lock_partition

READERS = 300.0  # seconds to wait for long readers of a partition that is to be replaced
SHORT = "150ms"  # how long others may have to wait for this writer
STAGING = "_incoming"

COLUMNS = """
    select a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod)
    from pg_catalog.pg_attribute a where a.attrelid = pg_catalog.to_regclass(%s) and a.attnum > 0 and not a.attisdropped
    order by a.attnum
"""
KIND = "select c.relkind::text, c.relispartition from pg_catalog.pg_class c where c.oid = pg_catalog.to_regclass(%s)"
CHILDREN = """
    select n.nspname, c.relname, pg_catalog.pg_get_expr(c.relpartbound, c.oid)
    from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where i.inhparent = pg_catalog.to_regclass(%s)
"""

Blocks = Callable[[], Iterator[bytes | memoryview]]


@dataclass(frozen=True)
class Child:
    """An existing partition: its schema and name, and whether it is attached to the parent."""

    schema: str
    name: str
    attached: bool

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)


def quoted(schema: str, name: str) -> str:
    return sql.Identifier(schema, name).as_string(None)


# -- what exists -----------------------------------------------------------------------------------------------------


def ready_parent(connection: Connection, relation: Relation) -> str:
    """Create the partitioned table if it is missing; returns the type of its ts_utc. StoreError if it differs."""
    kind = connection.execute(KIND, [quoted(relation.schema, relation.name)]).fetchone()
    if kind is None:
        lock_parent(connection, relation.schema, relation.name)
        statements = sql.SQL(";\n").join(parent_statements(relation))
        connection.execute(statements)
        return TIMES[0]
    if kind[0] != "p":
        raise StoreError(
            f"{relation.schema}.{relation.name} exists but is not partitioned by month: rename it, or choose another "
            "schema with ?schema="
        )
    return checked_columns(connection, relation, relation.name)


def checked_columns(connection: Connection, relation: Relation, name: str) -> str:
    """The type of ts_utc in the existing table ``name``; StoreError if the table differs from ``relation``."""
    found = dict(connection.execute(COLUMNS, [quoted(relation.schema, name)]).fetchall())
    time_type = found.get("ts_utc")
    wanted = dict(relation.columns) | ({"pair": "text"} if relation.keyed_by_pair else {})
    wanted["ts_utc"] = time_type if time_type in TIMES else TIMES[0]
    if found == wanted:
        return wanted["ts_utc"]
    lacking = [f"{n} {t}" for n, t in wanted.items() if n not in found]
    beyond = [f"{n} {t}" for n, t in found.items() if n not in wanted]
    other = [f"{n} is {found[n]}, not {t}" for n, t in wanted.items() if n in found and found[n] != t]
    parts = [("lacks", lacking), ("also has", beyond), ("differs", other)]
    differences = "; ".join(
        f"{what} {', '.join(names[:6])}{' ...' if len(names) > 6 else ''}" for what, names in parts if names
    )
    raise StoreError(f"{relation.schema}.{name} does not match the expected table: it {differences}")


def child_of(connection: Connection, relation: Relation, month: str) -> Child | None:
    """The partition of ``month``, whatever its name; otherwise an unattached table with the expected name, or None."""
    parent = quoted(relation.schema, relation.name)
    first, end = (moment.removesuffix("+00") for moment in bounds(month))
    for schema, name, bound in connection.execute(CHILDREN, [parent]).fetchall():
        if str(bound).replace("+00'", "'") == f"FOR VALUES FROM ('{first}') TO ('{end}')":
            return Child(schema, name, True)
    name = relation.child(month)
    if connection.execute(KIND, [quoted(relation.schema, name)]).fetchone() is None:
        return None
    return Child(relation.schema, name, False)


def has_rows(connection: Connection, child: Child) -> bool:
    return connection.execute(sql.SQL("select 1 from {} limit 1").format(child.identifier)).fetchone() is not None


# -- writing ---------------------------------------------------------------------------------------------------------


def write_partition(
    connection: Connection, relation: Relation, month: str, blocks: Blocks, owned: Callable[[], bool], time_type: str
) -> str:
    """Replace the partition of ``month`` with ``blocks``; returns its quoted name. The caller adds the record.

    ``owned`` says whether existing rows have a record (or may be replaced without one); StoreError if not, if the
    table differs from what is expected, or if readers do not let it go in time.
    """
    lock_partition(connection, relation.schema, relation.child(month))
    old = child_of(connection, relation, month)
    if old is not None and not old.attached:
        checked_columns(connection, relation, old.name)
    if old is not None and old.attached and not has_rows(connection, old):
        _copy(connection, relation, old.identifier, blocks, "")
        return quoted(old.schema, old.name)
    if old is not None and not owned() and has_rows(connection, old):
        raise StoreError(
            f"{old.schema}.{old.name} has rows without a record in this store: `populate --adopt` replaces them"
        )
    return _swap(connection, relation, month, blocks, old, time_type)


def drop_partition(connection: Connection, relation: Relation, month: str) -> None:
    """Drop the partition of ``month``, if it exists."""
    lock_partition(connection, relation.schema, relation.child(month))
    old = child_of(connection, relation, month)
    if old is not None:
        _remove(connection, relation, old)


def _swap(
    connection: Connection, relation: Relation, month: str, blocks: Blocks, old: Child | None, time_type: str
) -> str:
    name = relation.child(month) if old is None else old.name
    target = name if old is None else name[: 63 - len(STAGING)] + STAGING
    table = sql.Identifier(relation.schema, target)
    for statement in child_statements(relation, month, target, time_type):
        connection.execute(statement)
    _copy(connection, relation, table, blocks, ", freeze")
    key = sql.Identifier(_key_name(target))
    keyed = sql.SQL("alter table {} add constraint {} primary key ({})")
    connection.execute(keyed.format(table, key, key_list(relation)))
    lock_parent(connection, relation.schema, relation.name)
    if old is not None:
        _remove(connection, relation, old)
        connection.execute(sql.SQL("alter table {} rename to {}").format(table, sql.Identifier(name)))
        renamed = sql.SQL("alter table {} rename constraint {} to {}")
        table = sql.Identifier(relation.schema, name)
        connection.execute(renamed.format(table, key, sql.Identifier(_key_name(name))))
    _attach(connection, relation, month, name)
    return quoted(relation.schema, name)


def _key_name(table: str) -> str:
    return f"{table[:58]}_pkey"


def _copy(connection: Connection, relation: Relation, table: sql.Identifier, blocks: Blocks, options: str) -> None:
    statement = sql.SQL("copy {} ({}) from stdin (format binary{})").format(
        table, name_list(relation), sql.SQL(options)
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for block in blocks():
            copy.write(block)


def _remove(connection: Connection, relation: Relation, old: Child) -> None:
    """Drop the old partition, or an old unattached table, once nothing is reading it."""
    deadline = time.monotonic() + READERS
    parent = relation.identifier if old.attached else old.identifier
    while True:
        try:
            with connection.transaction():
                connection.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(SHORT)))
                connection.execute(sql.SQL("lock table only {} in access exclusive mode").format(parent))
                connection.execute(sql.SQL("drop table {}").format(old.identifier))
                return
        except errors.LockNotAvailable:
            if time.monotonic() >= deadline:
                raise StoreError(
                    f"{old.schema}.{old.name} could not be replaced: it was read for {READERS:.0f} s without a "
                    "pause; run populate again"
                ) from None
        time.sleep(random.uniform(0.2, 0.6))


def _attach(connection: Connection, relation: Relation, month: str, name: str) -> None:
    """Attach without a scan, since the CHECK implies the bounds; then drop the CHECK."""
    table, (first, end) = sql.Identifier(relation.schema, name), bounds(month)
    connection.execute(
        sql.SQL("alter table {} attach partition {} for values from ({}) to ({})").format(
            relation.identifier, table, sql.Literal(first), sql.Literal(end)
        )
    )
    connection.execute(sql.SQL("alter table {} drop constraint month").format(table))
