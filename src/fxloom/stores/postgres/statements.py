"""Statements on the store's own tables; ``{}`` is the table."""

from __future__ import annotations

PAIRS_STORED = "select distinct pair from {} order by 1"
SAVE_RECORD = """
    insert into {} (table_name, pair, month, relation, fingerprint, rows, catalogue, made, proxies, environment,
        quality, packed, checksum, format)
    values (%(table)s, %(pair)s, %(month)s, %(relation)s, %(fingerprint)s, %(rows)s, %(catalogue)s, %(made)s,
            %(proxies)s, %(environment)s, %(quality)s, %(packed)s, %(checksum)s, %(format)s)
    on conflict (table_name, pair, month) do update set (relation, fingerprint, rows, catalogue, made, proxies,
        environment, quality, packed, checksum, format, written) = (excluded.relation, excluded.fingerprint,
        excluded.rows, excluded.catalogue, excluded.made, excluded.proxies, excluded.environment, excluded.quality,
        excluded.packed, excluded.checksum, excluded.format, now())
"""
SAVE_MONTH = """
    insert into {} (pair, month, rows, has_volume, has_spread, price_side, days) values (%s, %s, %s, %s, %s, %s, %s)
    on conflict (pair, month) do update set (rows, has_volume, has_spread, price_side, days, written)
        = (excluded.rows, excluded.has_volume, excluded.has_spread, excluded.price_side, excluded.days, now())
"""
MONTHS = """
    select month, has_volume, has_spread, days from {} where pair = %s and month between %s and %s order by month
"""
RECORDS = """
    select table_name, pair, month, fingerprint, rows, catalogue, made, proxies, quality, environment,
        format, checksum, pg_catalog.to_regclass(relation) is not null
    from {} where (%(tables)s::text[] is null or table_name = any(%(tables)s::text[]))
        and (%(pair)s::text is null or pair = %(pair)s) and (%(month)s::text is null or month = %(month)s)
    order by 1, 2, 3
"""
CHECKSUMS = """
    select table_name, pair, month, checksum from {} where pg_catalog.to_regclass(relation) is not null order by 1, 2, 3
"""
KEYS = """
    select pair, month from {} where table_name = %s and month between %s and %s
        and pg_catalog.to_regclass(relation) is not null order by 1, 2
"""
