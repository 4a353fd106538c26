"""The demo's down files lead back: each to the schema before its up file, all of them to nothing but the ledger."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.database.demo.files import applied_files

from .looking import LEDGER, down_file, scalar, schema_dump, tables, up_file

if TYPE_CHECKING:
    import psycopg

    from .conftest import Built

Opened = Callable[[str | None], "psycopg.Connection[Any]"]

LEFT = """
SELECT 'relation ' || relname FROM pg_class
 WHERE relnamespace = 'public'::regnamespace AND relkind <> 'i' AND relname !~ '^tb_confiture'
UNION ALL
SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL
SELECT 'type ' || typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typname !~ '^_?tb_confiture'
"""


def test_each_applied_migration_comes_back_on_an_empty_database(built: Built, open_database: Opened) -> None:
    conn = open_database(None)
    dsn = built.server.dsn(conn.info.dbname, conn.info.user)
    before: dict[str, list[str]] = {}
    for file in applied_files():
        before[file.version] = schema_dump(built.server, dsn)
        with conn.transaction():
            conn.execute(file.content)
    for version in reversed(before):
        with conn.transaction():
            conn.execute(down_file(version))
        assert schema_dump(built.server, dsn) == before[version], version
    assert conn.execute(LEFT).fetchall() == []


WORKING = ("008", "009", "010", "013", "014", "016", "018", "019")
"""The pending migrations that can be applied to the shop as it is."""


@pytest.mark.parametrize("version", WORKING)
def test_a_pending_migration_that_works_comes_back(built: Built, clone: psycopg.Connection[Any], version: str) -> None:
    dsn = built.server.dsn(clone.info.dbname, clone.info.user)
    before = schema_dump(built.server, dsn)
    for text in (up_file(version), down_file(version)):
        with clone.transaction():
            clone.execute(text)
    assert schema_dump(built.server, dsn) == before


def test_the_fax_comes_back_without_its_numbers(clone: psycopg.Connection[Any]) -> None:
    clone.execute("DROP VIEW v_wholesale_contact")
    for text in (up_file("012"), down_file("012")):
        clone.execute(text)
    assert scalar(clone, "SELECT count(*) > 0 AND count(fax) = 0 FROM w_customer")


def test_the_whole_shop_goes_back_to_nothing(clone: psycopg.Connection[Any]) -> None:
    for version in WORKING:
        with clone.transaction():
            clone.execute(up_file(version))
    for version in (*reversed(WORKING), *(file.version for file in reversed(applied_files()))):
        with clone.transaction():
            clone.execute(down_file(version))
    assert clone.execute(LEFT).fetchall() == []
    assert tables(clone) == [LEDGER]
