"""Whether a database's definitions are those that were read before, asked without reading them again.

Reading a schema of thousands of tables takes seconds. Its *stamp* sums up which versions of which rows there are in the
system catalogs: a row that is inserted, changed or deleted makes it another one. Equal stamps are equal definitions;
the other way round they need not be (VACUUM FULL moves rows, a temporary table comes and goes), which costs a reading.

What PostgreSQL changes in place, without a new version of the row, are the planner's figures and horizons of VACUUM:
no definitions (``heap_inplace_update`` in its source, in 14 to 18).
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from confiture_tui.core.catalog import Catalog
from confiture_tui.whole_file import whole_file

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

_FILE: Final = "stamps.json"
_MOST: Final = 32
"""How many stamps are remembered; what was asked for longest ago goes first."""

_TABLES: Final = """
SELECT 'pg_catalog.' || pg_catalog.quote_ident(c.relname) FROM pg_catalog.pg_class c
 WHERE c.relnamespace = 'pg_catalog'::pg_catalog.regnamespace AND c.relkind = 'r'
   AND c.relname NOT IN (
     'pg_statistic', 'pg_statistic_ext_data', 'pg_largeobject', 'pg_largeobject_metadata', 'pg_shdepend',
     'pg_replication_origin')
   AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
 ORDER BY 1
"""
"""The catalogs that hold definitions, as far as the role may read them."""
_ROWS: Final = (
    "SELECT pg_catalog.count(*), pg_catalog.sum(pg_catalog.hash_record_extended((t.xmin, t.ctid), 0)) FROM {} t"
)
_ROLES: Final = "SELECT pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(t::text, 0)) FROM {} t"
"""What is in a view has no versions: its rows are hashed as they are."""
_WHERE: Final = """
SELECT (SELECT s.system_identifier::text FROM pg_catalog.pg_control_system() s), d.oid::text,
       current_user::text, session_user::text, pg_catalog.current_setting('server_version_num')
  FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
"""


class Definitions(NamedTuple):
    """The definitions of a database, summed up.

    Attributes:
        fingerprint: of its catalog.
        whole: all of them could be read.
    """

    fingerprint: str
    whole: bool

    @classmethod
    def of(cls, catalog: Catalog) -> Definitions:
        """Those of a catalog that was read."""
        return cls(catalog.fingerprint, not catalog.not_visible)


def read_stamp(conn: psycopg.Connection[Any]) -> str | None:
    """The stamp of the database that an idle connection leads to; ``None`` where the role may not ask for it."""
    import psycopg
    from psycopg.rows import tuple_row

    try:
        with conn.cursor(row_factory=tuple_row) as cursor:
            where = cursor.execute(_WHERE).fetchone()
            tables = [str(name) for (name,) in cursor.execute(_TABLES)]
            asked = [_ROWS.format(name) for name in tables] + [_ROLES.format("pg_catalog.pg_roles")]
            rows = cursor.execute(" UNION ALL ".join(asked).encode()).fetchall()
    except psycopg.errors.InsufficientPrivilege:
        return None
    return hashlib.sha256(repr((where, tables, sorted(map(str, rows)))).encode()).hexdigest()


class Stamps:
    """What the definitions were that stamps were of, by stamp.

    Args:
        directory: where they are kept from one process to the next; ``None`` keeps them in memory alone.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._known: dict[str, Definitions] = {}

    def definitions(self, conn: psycopg.Connection[Any]) -> Definitions:
        """The definitions of the database that an idle connection leads to, read only if they may be others by now.

        Raises:
            ConfitureError, ConnectError: as ``Catalog.load``.
        """
        # The stamp comes first: what changes while the catalog is read makes the next one another.
        stamp = read_stamp(conn)
        known = self._all()
        found = known.get(stamp) if stamp is not None else None
        if found is None:
            found = Definitions.of(Catalog.load(conn))
        if stamp is not None:
            self._keep(stamp, found, known)
        return found

    def _all(self) -> dict[str, Definitions]:
        if self._directory is None:
            return self._known
        try:
            listed = json.loads((self._directory / _FILE).read_text(encoding="utf-8"))
            return {str(stamp): Definitions(str(text), bool(whole)) for stamp, (text, whole) in listed.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return dict(self._known)  # There is none, or it is not ours.

    def _keep(self, stamp: str, found: Definitions, known: dict[str, Definitions]) -> None:
        last = {one: known[one] for one in list(known)[-_MOST:] if one != stamp} | {stamp: found}
        self._known = last
        # The directory is made by whoever keeps the first shadow in it.
        if self._directory is None or not self._directory.is_dir() or list(known)[-1:] == [stamp]:
            return
        try:
            with whole_file(self._directory / _FILE, prefix=".unfinished-") as beside:
                beside.write_text(json.dumps(last), encoding="utf-8")
        except OSError:
            return  # It is read again next time, that is all; that the directory cannot be written the cache tells.


def forget_stamps(directory: Path) -> None:
    """Remove what is kept in a directory."""
    (directory / _FILE).unlink(missing_ok=True)
