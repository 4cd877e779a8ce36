"""What needs the whole table at once, on DuckDB: weights of outputs, works of the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from ledger.usage.cells import PPM, quoted
from ledger.usage.checks import Against, connect
from ledger.usage.flaws import FlawKind, FlawLog
from ledger.usage.summary import Tally
from ledger.usage.tables import Tables

_PAGE = 10_000
#: So many lines stand under one key where lines are looked up by ranges.
_SPAN = 16
#: A sum of usages, which may pass 38 digits, as text: its parts below and above 10^19 are added up apart.
_LIMB = 10**19
_USAGES = (
    f"coalesce(sum(usages::HUGEINT % {_LIMB}::HUGEINT), 0)::VARCHAR, "
    f"coalesce(sum(usages::HUGEINT // {_LIMB}::HUGEINT), 0)::VARCHAR"
)


def check_weights(tables: Tables, flaws: FlawLog) -> int:
    """Rejects every line of an output whose weights do not sum to 1,000,000; how many lines that were."""
    if not tables.rows["weights"]:
        return 0
    with connect(tables.folder) as engine:
        path = str(tables.path("weights"))
        engine.execute(
            "CREATE TEMP TABLE wrong AS SELECT h1, h2, sum(weight)::BIGINT AS total FROM read_parquet(?) "
            f"GROUP BY h1, h2 HAVING sum(weight) <> {PPM}",
            [path],
        )
        if not engine.execute("SELECT count(*) FROM wrong").fetchone()[0]:
            return 0
        # A run stands under each span of lines that it touches, so that the join is one by equal keys: a range of
        # lines alone would be compared with every run of the file.
        engine.execute(
            f"CREATE TEMP TABLE runs AS SELECT file, first, last, total, "
            f"unnest(range(first // {_SPAN}, last // {_SPAN} + 1)) AS span FROM read_parquet(?) "
            "JOIN wrong USING (h1, h2)",
            [path],
        )
        engine.execute(
            "CREATE TEMP TABLE lines AS SELECT u.file, u.record, total "
            f"FROM read_parquet('{_sql(tables.path('usage'))}') u "
            f"JOIN runs r ON u.file = r.file AND u.record // {_SPAN} = r.span "
            "AND u.record >= r.first AND u.record <= r.last WHERE u.weight_ppm IS NOT NULL"
        )
        rows = engine.execute("SELECT file, record, total FROM lines ORDER BY file, record")
        count = 0
        while page := rows.fetchmany(_PAGE):
            count += len(page)
            for file, record, total in page:
                flaws.add(
                    FlawKind.WEIGHTS, file, record, "SUAI.01", "AttributionWeightPpm",
                    f"The weights of its output sum to {total:,}, not to {PPM:,}.",
                )  # fmt: skip
        _move(engine, tables)
        return count


def _move(engine: Any, tables: Tables) -> None:
    """Moves the lines named in the table `lines` from the usages to the rejected lines."""
    usage, rejected = tables.path("usage"), tables.path("rejected")
    kept, more = usage.with_suffix(".kept"), rejected.with_suffix(".more")
    before = f"SELECT * FROM read_parquet('{_sql(rejected)}') UNION ALL BY NAME "
    engine.execute(
        f"COPY ({before} SELECT u.file, u.record, '{FlawKind.WEIGHTS.value}' AS kind, 'SUAI.01' AS name, u.usages, "
        f"encode(coalesce(u.work, '')) AS text FROM read_parquet('{_sql(usage)}') u "
        f"SEMI JOIN lines USING (file, record) ORDER BY file, record, name, kind, text) "
        f"TO '{_sql(more)}' (FORMAT parquet, COMPRESSION zstd)"
    )
    engine.execute(
        f"COPY (SELECT u.* FROM read_parquet('{_sql(usage)}') u ANTI JOIN lines USING (file, record) "
        f"ORDER BY file, record) TO '{_sql(kept)}' (FORMAT parquet, COMPRESSION zstd)"
    )
    more.replace(rejected)
    kept.replace(usage)


def moved_tally(tables: Tables) -> Tally:
    """Lines and usages that weights have rejected."""
    with connect(tables.folder) as engine:
        row = engine.execute(
            f"SELECT count(*), {_USAGES} FROM read_parquet('{_sql(tables.path('rejected'))}') "
            f"WHERE kind = '{FlawKind.WEIGHTS.value}'"
        ).fetchone()
    return _tally(*row)


def _tally(lines: int, low: str, high: str) -> Tally:
    return Tally(lines, int(low) + int(high) * _LIMB)


def match_works(tables: Tables, against: Against, flaws: FlawLog) -> Tally:
    """Names works as the catalogue does, by id or identifier; the tally of what it does not have.

    Such lines stay in the table with the id that the report gives them: the allocation holds their part.
    """
    if against.works is None:
        return Tally()
    with connect(tables.folder) as engine:
        for name, held in (("known", against.works), ("gone", against.withdrawn)):
            table = pa.table(
                {"alias": list(held), "id": list(held.values())},
                pa.schema([("alias", pa.string()), ("id", pa.string())]),
            )
            engine.register(f"{name}_arrow", table)
            engine.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM {name}_arrow")
        usage = tables.path("usage")
        source = f"read_parquet('{_sql(usage)}')"
        identifiers = "SELECT NULL::VARCHAR AS work, NULL::VARCHAR AS alias WHERE false"
        if tables.details and tables.path("works").exists():
            identifiers = (
                "SELECT work, any_value(known.id) AS alias FROM "
                f"(SELECT work, {_NORMAL} AS normal FROM read_parquet('{_sql(tables.path('works'))}') "
                f"UNION ALL SELECT work, {_NORMAL_ISWC} FROM read_parquet('{_sql(tables.path('works'))}')) "
                "JOIN known ON known.alias = normal GROUP BY work HAVING count(DISTINCT known.id) = 1"
            )
        engine.execute(f"CREATE TEMP TABLE named AS {identifiers}")
        engine.execute(
            "CREATE TEMP TABLE matched AS SELECT w.work, coalesce(known.id, named.alias) AS id, "
            "gone.id IS NOT NULL AS was FROM "
            f"(SELECT DISTINCT work FROM {source} WHERE work IS NOT NULL) w "
            "LEFT JOIN known ON known.alias = w.work LEFT JOIN named ON named.work = w.work "
            "LEFT JOIN gone ON gone.alias = w.work"
        )
        rows = engine.execute(
            f"SELECT file, record, work, was FROM {source} JOIN matched USING (work) WHERE id IS NULL "
            "ORDER BY file, record"
        )
        while page := rows.fetchmany(_PAGE):
            for file, record, work, was in page:
                kind = FlawKind.WITHDRAWN_WORK if was else FlawKind.UNKNOWN_WORK
                where = "was withdrawn from the catalogue" if was else "is not in the catalogue"
                flaws.add(kind, file, record, "", "DspResourceId", f"The work {quoted(work)} {where}.")
        row = engine.execute(
            f"SELECT count(*), {_USAGES} FROM {source} JOIN matched USING (work) WHERE id IS NULL"
        ).fetchone()
        if engine.execute("SELECT count(*) FROM matched WHERE id IS NOT NULL AND id <> work").fetchone()[0]:
            renamed = usage.with_suffix(".renamed")
            engine.execute(
                f"COPY (SELECT u.* REPLACE (coalesce(m.id, u.work) AS work) FROM {source} u LEFT JOIN matched m "
                f"ON m.work = u.work ORDER BY file, record) TO '{_sql(renamed)}' (FORMAT parquet, COMPRESSION zstd)"
            )
            renamed.replace(usage)
        return _tally(*row)


#: The normal forms that ledger.domain.identifiers gives, for those that a usage file has.
_NORMAL = (
    "CASE WHEN identifier LIKE '10.%' OR lower(identifier) LIKE '0x%' THEN lower(identifier) "
    "ELSE upper(replace(identifier, '-', '')) END"
)
_NORMAL_ISWC = (
    "regexp_replace(regexp_replace(upper(iswc), '[-. ]', '', 'g'), "
    "'^T(...)(...)(...)(.)$', 'T-\\1.\\2.\\3-\\4')"
)


def _sql(path: Path) -> str:
    return str(path).replace("'", "''")
