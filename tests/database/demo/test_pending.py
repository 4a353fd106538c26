"""Each pending migration of the demo does what the demo shows it for, on a real copy of the shop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.core.sql.script import Script

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


NUMSCANS = "SELECT pg_stat_get_xact_numscans('{}'::regclass)"


def scans_of(conn: psycopg.Connection[Any], table: str, statement: str) -> int:
    """How often a table is read from one end to the other by a statement, in the transaction that is open."""
    before = scalar(conn, NUMSCANS.format(table))
    conn.execute(statement.encode())
    return int(scalar(conn, NUMSCANS.format(table)) - before)


def statements_of(version: str) -> list[str]:
    return [one.sql for one in Script(up_file(version).decode()).statements]


def test_013_a_wider_type_rewrites_the_table_and_widens_its_sequence(clone: psycopg.Connection[Any]) -> None:
    before = scalar(clone, FILENODE.format("w_order_line"))
    with clone.transaction():
        clone.execute(up_file("013"))
        held = locks_held(clone)
        assert "AccessExclusiveLock" in held["w_order_line"]
        assert scalar(clone, FILENODE.format("w_order_line")) != before
    sequence = "'w_order_line_order_line_id_seq'::regclass"
    assert scalar(clone, f"SELECT seqtypid::regtype::text FROM pg_sequence WHERE seqrelid = {sequence}") == "bigint"
    assert scalar(clone, "SELECT pg_typeof(order_line_id)::text FROM w_order_line LIMIT 1") == "bigint"


def test_014_a_check_that_is_proved_saves_set_not_null_its_scan(clone: psycopg.Connection[Any]) -> None:
    time_out, validate, not_null, drop = statements_of("014")
    assert "lock_timeout" in time_out
    with clone.transaction():
        assert scans_of(clone, "w_order", validate) == 1
        assert locks_held(clone)["w_order"] <= {"ShareUpdateExclusiveLock", "AccessShareLock"}
        assert scans_of(clone, "w_order", not_null) == 0
        assert "AccessExclusiveLock" in locks_held(clone)["w_order"]
        assert scans_of(clone, "w_order", drop) == 0
    with clone.transaction(force_rollback=True):
        clone.execute("ALTER TABLE w_order ALTER COLUMN channel DROP NOT NULL")
        assert scans_of(clone, "w_order", not_null) == 1, "without the CHECK every row is looked at"


def test_014_the_check_was_there_and_unproved(clone: psycopg.Connection[Any]) -> None:
    unproved = "SELECT array_agg(conname::text) FROM pg_constraint WHERE NOT convalidated"
    assert scalar(clone, unproved) == ["w_order_channel_known"]


def test_015_a_column_with_nulls_cannot_be_required(clone: psycopg.Connection[Any]) -> None:
    import psycopg

    with pytest.raises(psycopg.errors.NotNullViolation) as failure:
        clone.execute(up_file("015"))
    assert failure.value.diag.column_name == "delivery_note"


def test_016_validated_in_the_same_transaction_nobody_is_spared(clone: psycopg.Connection[Any]) -> None:
    add, validate = statements_of("016")
    with clone.transaction():
        assert scans_of(clone, "w_order_line", add) == 0
        assert scans_of(clone, "w_order_line", validate) == 1
        assert "AccessExclusiveLock" in locks_held(clone)["w_order_line"], "from the first to the last row"


def test_017_a_new_value_cannot_be_used_in_its_own_transaction(clone: psycopg.Connection[Any]) -> None:
    import psycopg

    assert Script(up_file("017").decode()).is_wrapped
    with pytest.raises(psycopg.errors.UnsafeNewEnumValueUsage):
        clone.execute(up_file("017"))
    clone.rollback()
    assert scalar(clone, "SELECT 'returned' = ANY (enum_range(NULL::order_status)::text[])") is False


def test_017_would_pass_in_two_transactions(clone: psycopg.Connection[Any]) -> None:
    add, update = statements_of("017")
    clone.execute(add.encode())
    assert clone.execute(update.encode()).rowcount > 0
    clone.execute(down_file("017"))
    assert scalar(clone, "SELECT count(*) FROM w_order WHERE status = 'returned'") == 0


def test_018_a_rename_breaks_the_trigger_that_writes_the_column(clone: psycopg.Connection[Any]) -> None:
    import psycopg

    pack = "UPDATE w_order SET status = 'packed' WHERE status = 'paid'"
    clone.execute(up_file("018"))
    with pytest.raises(psycopg.errors.UndefinedColumn) as failure:
        clone.execute(pack.encode())
    assert "record_order_event" in str(failure.value.diag.context)
    clone.execute(down_file("018"))
    assert clone.execute(pack.encode()).rowcount > 0


def test_019_everything_is_held_until_the_last_row_is_filled(clone: psycopg.Connection[Any]) -> None:
    with clone.transaction():
        clone.execute(up_file("019"))
        assert {"AccessExclusiveLock", "ShareLock", "RowExclusiveLock"} <= locks_held(clone)["r_customer_overview"]
    row = clone.execute(
        "SELECT count(*), bool_and((favourite_fruit IS NULL) = (order_count = 0)) FROM r_customer_overview"
    ).fetchone()
    assert row == (12000, True)


def test_019_the_projection_keeps_the_new_column_in_step(clone: psycopg.Connection[Any]) -> None:
    clone.execute(up_file("019"))
    differs = "SELECT count(*) FROM (TABLE v_customer_overview EXCEPT TABLE r_customer_overview) AS difference"
    assert scalar(clone, differs) == 0
    assert clone.execute("UPDATE w_order_line SET jar_count = 99 WHERE order_id % 500 = 0 AND line_number = 1").rowcount
    assert scalar(clone, differs) == 0
