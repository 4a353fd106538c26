"""The demo's ledger: ``tb_confiture`` as the ``confiture`` command itself makes and writes it (release 1.29).

Column for column and index for index, so that a project built here can be read by that command too.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.database.demo.files import MigrationFile

_CREATE = """
CREATE TABLE tb_confiture (
    id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    pk_confiture      bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    slug              text NOT NULL UNIQUE,
    version           varchar(255) NOT NULL UNIQUE,
    name              varchar(255) NOT NULL,
    applied_at        timestamptz NOT NULL DEFAULT now(),
    execution_time_ms integer,
    checksum          varchar(64),
    applied_by        text,
    archived_into     varchar(255)
);
CREATE INDEX idx_tb_confiture_pk_confiture ON tb_confiture (pk_confiture);
CREATE INDEX idx_tb_confiture_slug ON tb_confiture (slug);
CREATE INDEX idx_tb_confiture_version ON tb_confiture (version);
CREATE INDEX idx_tb_confiture_applied_at ON tb_confiture (applied_at DESC);
"""

_RECORD = """
INSERT INTO tb_confiture (slug, version, name, execution_time_ms, checksum, applied_by)
VALUES (%(slug)s, %(version)s, %(name)s, %(execution_time_ms)s, %(checksum)s, current_user)
"""


def create_ledger(conn: psycopg.Connection[Any]) -> None:
    """Create the empty ledger in the first schema of the session's search_path.

    Raises:
        psycopg.Error: the role may not create tables there, or there is such a table already.
    """
    conn.execute(_CREATE)


def record_applied(conn: psycopg.Connection[Any], file: MigrationFile, *, execution_time_ms: int) -> None:
    """Write the row of a migration that has just run in the same transaction, by the session's role, now.

    Raises:
        psycopg.Error: the ledger knows that version already.
    """
    slug = f"{file.name}_{file.version}_{datetime.now():%Y%m%d_%H%M%S}"
    row = {
        "slug": slug,
        "version": file.version,
        "name": file.name,
        "execution_time_ms": execution_time_ms,
        "checksum": file.checksum,
    }
    conn.execute(_RECORD, row)
