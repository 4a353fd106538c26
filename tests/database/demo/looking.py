"""Ways to look at a database that the demo's tests share."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confiture_tui.database.demo.files import PROJECT_DIR

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer

LEDGER = "tb_confiture"

_TABLES = """
SELECT c.relname
FROM pg_catalog.pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition
ORDER BY c.relname
"""

_LOCKS = """
SELECT c.relname, array_agg(l.mode ORDER BY l.mode)
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_class c ON c.oid = l.relation AND c.relkind IN ('r', 'p', 'v', 'm')
WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND c.relnamespace = 'public'::regnamespace
GROUP BY c.relname
"""


def up_file(version: str) -> bytes:
    """The text of a migration's up file."""
    return _only(version, "up").read_bytes()


def down_file(version: str) -> bytes:
    """The text of a migration's down file."""
    return _only(version, "down").read_bytes()


def _only(version: str, direction: str) -> Path:
    (path,) = (PROJECT_DIR / "db" / "migrations").glob(f"{version}_*.{direction}.sql")
    return path


def tables(conn: psycopg.Connection[Any]) -> list[str]:
    """Tables and materialized views of the shop, without partitions, with the ledger."""
    return [name for (name,) in conn.execute(_TABLES)]


def scalar(conn: psycopg.Connection[Any], query: str) -> Any:
    """The one value that a query returns."""
    row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def checksums(conn: psycopg.Connection[Any]) -> dict[str, tuple[int, str]]:
    """Rows and MD5 of all rows of each table but the ledger, which tells of this very day."""
    rows = 'string_agg(one::text, chr(10) ORDER BY one::text COLLATE "C")'
    query = f"SELECT (count(*), md5({rows}))::text FROM {{}} AS one"
    found = {}
    for table in tables(conn):
        if table != LEDGER:
            count, digest = scalar(conn, query.format(table)).strip("()").split(",")
            found[table] = (int(count), digest)
    return found


def locks_held(conn: psycopg.Connection[Any]) -> dict[str, set[str]]:
    """The lock modes that the open transaction holds on the shop's tables and views."""
    return {name: set(modes) for name, modes in conn.execute(_LOCKS)}


def schema_dump(server: EmbeddedServer, dsn: Dsn) -> list[str]:
    """The schema as ``pg_dump`` writes it, without the lines that carry a random key."""
    done = subprocess.run(
        [server.bin_dir / "pg_dump", "--schema-only", "--no-owner", "--dbname", dsn.conninfo()],
        check=True,
        capture_output=True,
        text=True,
        env={"LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", "")},
    )
    return [line for line in done.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]
