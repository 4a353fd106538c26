"""All that a database holds, and what beside it a migration could have touched: for comparing before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog import Catalog

if TYPE_CHECKING:
    import psycopg

_TABLES = """
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm') AND c.oid >= 16384 AND n.nspname !~ '^pg_' AND (c.relkind = 'r' OR c.relispopulated)
 ORDER BY 1
"""
_SERVER = {
    "prepared transactions": "SELECT gid FROM pg_prepared_xacts ORDER BY 1",
    "slots": "SELECT slot_name FROM pg_replication_slots ORDER BY 1",
    "roles": "SELECT rolname, rolsuper, rolcanlogin, rolconfig FROM pg_roles ORDER BY 1",
    "memberships": "SELECT roleid, member FROM pg_auth_members ORDER BY 1, 2",
    "databases": "SELECT datname, datacl::text FROM pg_database WHERE datname = current_database()",
    "settings": "SELECT setdatabase, setrole, setconfig FROM pg_db_role_setting ORDER BY 1, 2",
    "comments": "SELECT objoid, classoid, description FROM pg_shdescription ORDER BY 1, 2",
    "large objects": "SELECT oid, lomowner FROM pg_largeobject_metadata ORDER BY 1",
    "configuration": "SELECT name, setting FROM pg_file_settings WHERE sourcefile LIKE '%auto.conf' ORDER BY 1",
    "advisory locks": """
        SELECT classid, objid, mode FROM pg_locks WHERE locktype = 'advisory'
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1, 2
    """,
    "temporary tables": "SELECT count(*) FROM pg_class WHERE relpersistence = 't'",
    "statistics": "SELECT tablename, attname, null_frac FROM pg_stats WHERE schemaname !~ '^pg_' ORDER BY 1, 2",
}


@dataclass(frozen=True)
class Everything:
    """Definitions, rows, and what lies outside both."""

    definitions: str
    rows: dict[str, tuple[int, int | None]]
    server: dict[str, list[Any]]
    sequences: dict[str, tuple[int | None, bool]]

    @classmethod
    def of(cls, admin: psycopg.Connection[Any]) -> Everything:
        """As a superuser's idle connection in autocommit mode sees it."""
        rows = {}
        for (table,) in admin.execute(_TABLES).fetchall():
            found = admin.execute(
                f"SELECT count(*), sum(hashtextextended(t::text, 0)::numeric) FROM ONLY {table} t".encode()
            ).fetchone()
            assert found is not None
            rows[table] = found
        sequences = {}
        for (name,) in admin.execute(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(sequencename) FROM pg_sequences"
        ).fetchall():
            value = admin.execute(f"SELECT last_value, is_called FROM {name}".encode()).fetchone()
            assert value is not None
            sequences[name] = value
        return cls(
            Catalog.load(admin).fingerprint,
            rows,
            {name: admin.execute(query.encode()).fetchall() for name, query in _SERVER.items()},
            sequences,
        )

    def moved_sequences(self, later: Everything) -> set[str]:
        """The names of the sequences that are not where they were."""
        return {name for name, value in self.sequences.items() if later.sequences[name] != value}

    def must_be(self, later: Everything) -> None:
        """Everything but the sequences is as it was."""
        assert later.definitions == self.definitions
        assert later.rows == self.rows
        for name, value in self.server.items():
            assert later.server[name] == value, name
