"""Each pending migration of the demo does what the demo shows it for, on a real copy of the shop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .looking import down_file, locks_held, scalar, up_file

if TYPE_CHECKING:
    import psycopg

FILENODE = "SELECT pg_relation_filenode('{}')"


def test_008_a_nullable_column_takes_a_lock_and_no_work(clone: psycopg.Connection[Any]) -> None:
    before = scalar(clone, FILENODE.format("w_order"))
    with clone.transaction():
        clone.execute(up_file("008"))
        held = locks_held(clone)
        assert "AccessExclusiveLock" in held["w_order"]
        assert set(held) == {"w_order"}
        assert scalar(clone, FILENODE.format("w_order")) == before
    assert scalar(clone, "SELECT count(gift_note) FROM w_order") == 0


def test_009_a_volatile_default_rewrites_the_table(clone: psycopg.Connection[Any]) -> None:
    before = scalar(clone, FILENODE.format("w_order_line"))
    with clone.transaction():
        clone.execute(up_file("009"))
        held = locks_held(clone)
        assert "AccessExclusiveLock" in held["w_order_line"]
        assert set(held) == {"w_order_line"}
        assert scalar(clone, FILENODE.format("w_order_line")) != before
    assert scalar(clone, "SELECT count(*) = count(DISTINCT seal) FROM w_order_line")


def test_010_a_foreign_key_scans_both_tables_while_nobody_can_write(clone: psycopg.Connection[Any]) -> None:
    scans = "SELECT pg_stat_get_xact_numscans('{}'::regclass)"
    with clone.transaction():
        scalar(clone, "SELECT 1")
        before = {table: scalar(clone, scans.format(table)) for table in ("w_order_line", "w_batch")}
        clone.execute(up_file("010"))
        held = locks_held(clone)
        assert "ShareRowExclusiveLock" in held["w_order_line"]
        assert "ShareRowExclusiveLock" in held["w_batch"]
        assert "AccessExclusiveLock" not in held["w_order_line"] | held["w_batch"]
        assert set(held) == {"w_order_line", "w_batch"}
        assert all(scalar(clone, scans.format(table)) > count for table, count in before.items())
    assert scalar(clone, "SELECT convalidated FROM pg_constraint WHERE conname = 'w_order_line_batch_fkey'")


def test_011_a_concurrent_unique_index_fails_on_duplicates_and_leaves_an_invalid_index(
    clone: psycopg.Connection[Any],
) -> None:
    import psycopg

    with pytest.raises(psycopg.errors.UniqueViolation):
        clone.execute(up_file("011"))
    state = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('w_customer_email_key')"
    assert scalar(clone, state) is False
    clone.execute(down_file("011"))
    assert scalar(clone, "SELECT to_regclass('w_customer_email_key') IS NULL")
    # The way down also serves when there is nothing to clear away.
    clone.execute(down_file("011"))


def test_011_cannot_run_in_a_transaction(clone: psycopg.Connection[Any]) -> None:
    import psycopg

    with pytest.raises(psycopg.errors.ActiveSqlTransaction), clone.transaction():
        clone.execute(up_file("011"))


def test_011_would_pass_on_a_shop_without_duplicates(clone: psycopg.Connection[Any]) -> None:
    clone.execute("UPDATE w_customer SET email = email || '.' || customer_id")
    clone.execute(up_file("011"))
    assert scalar(clone, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'w_customer_email_key'::regclass")


def test_012_a_column_that_a_view_uses_is_not_dropped(clone: psycopg.Connection[Any]) -> None:
    import psycopg

    with pytest.raises(psycopg.errors.DependentObjectsStillExist) as failure, clone.transaction():
        clone.execute(up_file("012"))
    assert failure.value.diag.message_detail == "view v_wholesale_contact depends on column fax of table w_customer"
    assert scalar(clone, "SELECT count(fax) FROM w_customer") > 0
