"""The tables in which tools record what they applied: how each is known, and what its columns say.

Several tools call theirs ``schema_migrations``: a form is known by its columns. Sources: the statements with which each
tool creates its table.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

DEFAULT_TABLE = "tb_confiture"


@dataclass(frozen=True, slots=True)
class LedgerForm:
    """A tool's table. Expressions are SQL over its columns; one whose column a table lacks is NULL there.

    Attributes:
        name: the tool's.
        table: the table's name; with its schema where the tool has a schema of its own.
        required: columns that it has in every release.
        optional: columns that only some releases have.
        forbidden: columns by which it is another tool's.
        version, name_of, applied_at, checksum, applied_by, execution_ms: what ``AppliedMigration`` holds.
        failure: a clause that says why a row is not applied as a whole; NULL where it is.
        where: the rows that count; ``{table}`` is the table.
        order_by: the order in which they were applied; of several rows of one version the last one counts.
        and_before: whether a row's version stands for all before it, too.
        checksum_of: what ``checksum`` is of a file's bytes; ``None``: SHA-256 in hexadecimal.
    """

    name: str
    table: str
    required: frozenset[str]
    version: str
    order_by: str
    name_of: str = "''"
    applied_at: str = "NULL::timestamptz"
    checksum: str = "NULL"
    applied_by: str = "NULL"
    execution_ms: str = "NULL::float8"
    failure: str = "NULL"
    where: str = "true"
    optional: frozenset[str] = frozenset()
    forbidden: frozenset[str] = frozenset()
    and_before: str = "false"
    checksum_of: Callable[[bytes], str] | None = None

    def wanted(self, columns: Iterable[str]) -> frozenset[str]:
        """The columns that are read, of those that there are."""
        return frozenset(columns) & (self.required | self.optional)


def _crc32_of_lines(content: bytes) -> str:
    """Flyway's checksum: CRC-32 of the lines without their ends, as a signed number of 32 bits."""
    text = content.decode("utf-8", errors="replace").removeprefix("\ufeff")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    value = zlib.crc32("".join(lines).encode())
    return str(value - 2**32 if value >= 2**31 else value)


def _sha384(content: bytes) -> str:
    return hashlib.sha384(content).hexdigest()


def _columns(text: str) -> frozenset[str]:
    return frozenset(text.split())


FORMS: Mapping[str, LedgerForm] = MappingProxyType(
    {
        form.name: form
        for form in (
            # As `confiture` 0.44 makes it; later releases add archived_into, which is NULL in the rows that count.
            LedgerForm(
                name="confiture",
                table=DEFAULT_TABLE,
                required=_columns("version name applied_at"),
                optional=_columns("checksum applied_by execution_time_ms archived_into"),
                version="version::text",
                name_of="name::text",
                applied_at="applied_at::timestamptz",
                checksum="checksum::text",
                applied_by="applied_by::text",
                execution_ms="execution_time_ms::float8",
                where="archived_into IS NULL",
                order_by="applied_at, version",
            ),
            LedgerForm(
                name="golang-migrate",
                table="schema_migrations",
                required=_columns("version dirty"),
                version="version::text",
                failure="CASE WHEN dirty THEN 'it failed half-way (dirty): what it left must be settled by hand' END",
                order_by="version",
                and_before="true",
            ),
            # Rails' table is the same.
            LedgerForm(
                name="dbmate",
                table="schema_migrations",
                required=_columns("version"),
                forbidden=_columns("dirty statements name inserted_at checksum version_self"),
                version="version::text",
                order_by="version",
            ),
            LedgerForm(
                name="supabase",
                table="supabase_migrations.schema_migrations",
                required=_columns("version"),
                optional=_columns("name"),
                version="version::text",
                name_of="name::text",
                order_by="version",
            ),
            LedgerForm(
                name="goose",
                table="goose_db_version",
                required=_columns("id version_id is_applied tstamp"),
                version="version_id::text",
                applied_at="tstamp::timestamptz",
                where="version_id > 0 AND is_applied AND id IN (SELECT max(id) FROM {table} GROUP BY version_id)",
                order_by="id",
            ),
            LedgerForm(
                name="flyway",
                table="flyway_schema_history",
                required=_columns(
                    "installed_rank version description type checksum installed_by installed_on execution_time success"
                ),
                version="coalesce(version::text, 'R__' || replace(description, ' ', '_'))",
                name_of="replace(description, ' ', '_')",
                applied_at="installed_on::timestamptz",
                checksum="checksum::text",
                applied_by="installed_by::text",
                execution_ms="execution_time::float8",
                and_before="type = 'BASELINE'",
                failure="CASE WHEN NOT success THEN 'it failed, and `flyway repair` is needed' END",
                where="type NOT IN ('SCHEMA', 'DELETE') AND type NOT LIKE 'UNDO%' AND installed_rank IN"
                " (SELECT max(installed_rank) FROM {table} GROUP BY coalesce(version, description))",
                order_by="installed_rank",
                checksum_of=_crc32_of_lines,
            ),
            LedgerForm(
                name="diesel",
                table="__diesel_schema_migrations",
                required=_columns("version run_on"),
                version="version::text",
                applied_at="run_on::timestamptz",
                order_by="run_on, version",
            ),
            LedgerForm(
                name="prisma",
                table="_prisma_migrations",
                required=_columns("id checksum finished_at migration_name rolled_back_at started_at"),
                version="migration_name::text",
                applied_at="finished_at::timestamptz",
                checksum="checksum::text",
                execution_ms="1000 * extract(epoch FROM finished_at - started_at)::float8",
                failure="CASE WHEN finished_at IS NULL THEN 'it was begun and not finished; "
                "`prisma migrate resolve` is needed' END",
                where="rolled_back_at IS NULL",
                order_by="started_at",
            ),
            LedgerForm(
                name="sqlx",
                table="_sqlx_migrations",
                required=_columns("version description installed_on success checksum execution_time"),
                version="version::text",
                name_of="replace(description, ' ', '_')",
                applied_at="installed_on::timestamptz",
                checksum="encode(checksum, 'hex')",
                execution_ms="execution_time / 1e6::float8",
                failure="CASE WHEN NOT success THEN 'it failed half-way: what it left must be settled by hand' END",
                order_by="installed_on, version",
                checksum_of=_sha384,
            ),
            LedgerForm(
                name="pop",
                table="schema_migration",
                required=_columns("version"),
                version="version::text",
                order_by="version",
            ),
            LedgerForm(
                name="node-pg-migrate",
                table="pgmigrations",
                required=_columns("id name run_on"),
                version="name::text",
                applied_at="run_on::timestamptz",
                order_by="id",
            ),
            LedgerForm(
                name="graphile-migrate",
                table="graphile_migrate.migrations",
                required=_columns("hash previous_hash filename date"),
                version="split_part(split_part(filename, '.', 1), '-', 1)",
                name_of="substring(split_part(filename, '.', 1) FROM '-(.*)')",
                applied_at="date::timestamptz",
                order_by="filename",
            ),
            LedgerForm(
                name="atlas",
                table="atlas_schema_revisions",
                required=_columns("version description applied total executed_at execution_time error"),
                version="version::text",
                name_of="description::text",
                applied_at="executed_at::timestamptz",
                execution_ms="execution_time / 1e6::float8",
                failure="CASE WHEN error <> '' OR applied < total"
                " THEN 'it stopped after ' || applied || ' of ' || total || ' statements' END",
                where="version NOT LIKE '.%'",
                order_by="executed_at, version",
            ),
            LedgerForm(
                name="sqitch",
                table="sqitch.changes",
                required=_columns("change_id change committed_at committer_name"),
                version="change::text",
                applied_at="committed_at::timestamptz",
                applied_by="committer_name::text",
                order_by="committed_at",
            ),
        )
    }
)
"""The forms that are known, by name."""
