"""The demo shop is what it says: the same on every server, owned by a plain role, in step, and ready to be cloned."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.database.connection import connect
from confiture_tui.database.demo.files import LAST_APPLIED, PROJECT_DIR, applied_files, migration_files
from confiture_tui.database.demo.shop import OWNER, PRISTINE, SHOP, build_shop
from confiture_tui.database.embedded import EmbeddedServer
from confiture_tui.errors import ConfitureError, ConnectError
from confiture_tui.events import Event, EventName

from .looking import LEDGER, checksums, scalar, tables

if TYPE_CHECKING:
    import psycopg

    from .conftest import Built

ROWS = {
    "r_customer_overview": 12000,
    "r_monthly_sales": 10479,
    "r_order_summary": 30000,
    "tenant": 8,
    "w_batch": 19200,
    "w_customer": 12000,
    "w_order": 30000,
    "w_order_event": 117375,
    "w_order_line": 90499,
    "w_payment": 28992,
    "w_product": 480,
}
"""Rows of each table: whoever changes the seed changes this with it."""

DIGEST = "f254f6b3e2edd805"
"""Of the checksums of all tables: the same on every machine and every server from 14 on."""


def digest(sums: dict[str, tuple[int, str]]) -> str:
    return hashlib.sha256(repr(sorted(sums.items())).encode()).hexdigest()[:16]


def test_the_same_shop_on_every_server(clone: psycopg.Connection[Any]) -> None:
    sums = checksums(clone)
    assert {table: rows for table, (rows, _) in sums.items()} == ROWS
    assert digest(sums) == DIGEST


def test_a_second_build_replaces_the_first_by_the_same() -> None:
    with EmbeddedServer.start() as server:
        sums = []
        for _ in range(2):
            with connect(build_shop(server).dsn) as conn:
                sums.append(checksums(conn))
                conn.execute("DELETE FROM w_order_event")
    assert sums[0] == sums[1]


def test_the_template_is_the_live_database(built: Built, clone: psycopg.Connection[Any]) -> None:
    with connect(built.shop.dsn) as live:
        assert checksums(live) == checksums(clone)
        assert tables(live) == tables(clone)


def test_nobody_can_connect_to_the_template_and_so_keep_it_from_being_cloned(built: Built) -> None:
    with pytest.raises(ConnectError):
        connect(built.server.dsn(PRISTINE, OWNER))
    with pytest.raises(ConfitureError, match="template"):
        built.server.drop_database(PRISTINE)


def test_the_ledger_agrees_with_the_files(clone: psycopg.Connection[Any]) -> None:
    rows = clone.execute(f"SELECT version, name, checksum, applied_by, archived_into FROM {LEDGER} ORDER BY version")
    assert rows.fetchall() == [(file.version, file.name, file.checksum, OWNER, None) for file in applied_files()]
    assert scalar(clone, f"SELECT bool_and(execution_time_ms >= 0) FROM {LEDGER}")
    # Both orders in which confiture reads it, by time and by key, are the order in which the files ran.
    for order in ("applied_at", "pk_confiture"):
        assert scalar(clone, f"SELECT array_agg(version ORDER BY {order}) FROM {LEDGER}") == [
            file.version for file in applied_files()
        ]


def test_slugs_are_those_that_confiture_writes(clone: psycopg.Connection[Any]) -> None:
    pattern = "name || '_' || version || '_[0-9]{8}_[0-9]{6}'"
    assert scalar(clone, f"SELECT bool_and(slug ~ ('^' || {pattern} || '$')) FROM {LEDGER}")


def test_twelve_migrations_are_pending() -> None:
    pending = [file.version for file in migration_files() if file.version > LAST_APPLIED]
    assert pending == [f"{number:03}" for number in range(8, 20)]


@pytest.mark.parametrize("path", sorted((PROJECT_DIR / "db" / "migrations").glob("*.sql")), ids=lambda path: path.name)
def test_every_file_has_its_other_half_and_begins_with_its_reason(path: Path) -> None:
    halves = {".up.sql": ".down.sql", ".down.sql": ".up.sql"}
    ending = next(ending for ending in halves if path.name.endswith(ending))
    assert (path.parent / (path.name.removesuffix(ending) + halves[ending])).is_file()
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("-- ")
    assert len(first) > 20


def test_a_plain_role_owns_everything(clone: psycopg.Connection[Any]) -> None:
    assert scalar(
        clone, "SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
    ) is (False)
    strangers = clone.execute(
        """
        SELECT 'relation', relname FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relowner <> current_user::regrole
        UNION ALL
        SELECT 'function', proname FROM pg_proc
         WHERE pronamespace = 'public'::regnamespace AND proowner <> current_user::regrole
        UNION ALL
        SELECT 'type', typname FROM pg_type
         WHERE typnamespace = 'public'::regnamespace AND typowner <> current_user::regrole
        """
    )
    assert strangers.fetchall() == []


def test_nothing_of_the_building_is_left(clone: psycopg.Connection[Any]) -> None:
    schemas = clone.execute("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY nspname").fetchall()
    assert schemas == [("information_schema",), ("public",)]


def test_the_live_shop_has_fresh_statistics(built: Built) -> None:
    with connect(built.shop.dsn) as live:
        stale = live.execute(
            """
            SELECT s.relname FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
             WHERE s.last_analyze IS NULL OR c.reltuples < 0 OR (s.n_mod_since_analyze > 0 AND %s)
            """,
            (live.info.server_version >= 150000,),
        )
        assert stale.fetchall() == []
        wrong = live.execute(
            """
            SELECT relname FROM pg_class
             WHERE relname = ANY(%s) AND relkind <> 'p' AND reltuples <> (%s::jsonb ->> relname)::real
            """,
            (list(ROWS), json.dumps(ROWS)),
        )
        assert wrong.fetchall() == []


def test_the_clone_has_statistics_to_plan_with(clone: psycopg.Connection[Any]) -> None:
    assert scalar(clone, "SELECT count(DISTINCT tablename) FROM pg_stats WHERE schemaname = 'public'") > len(ROWS)


def test_every_event_says_how_far_it_is(built: Built) -> None:
    *building, ready = built.events
    assert {event.name for event in building} == {EventName.DEMO_BUILDING}
    fractions = [event.data["fraction"] for event in building]
    assert fractions == sorted(set(fractions))
    assert fractions[0] == 0
    assert 0.9 < fractions[-1] < 1
    assert ready.name is EventName.DEMO_READY
    assert ready.duration_ms is not None
    assert ready.data == {"database": SHOP, "pristine": PRISTINE, "role": OWNER}
    assert all(event.to_record() for event in built.events)


def test_a_failure_names_the_step() -> None:
    with EmbeddedServer.start() as server:

        def meddle(event: Event) -> None:
            if event.data.get("step") == "Opening the ledger":
                with connect(server.dsn(SHOP, OWNER)) as conn:
                    conn.execute("CREATE TABLE tb_confiture ()")

        with pytest.raises(ConfitureError, match=r'"Applying 001_tenants" failed: column "slug"'):
            build_shop(server, sink=meddle)


def in_step(conn: psycopg.Connection[Any]) -> bool:
    """Whether the read side holds what the views say it ought to."""
    differences = """
        SELECT count(*) FROM (
            (TABLE v_{0} EXCEPT TABLE r_{0}) UNION ALL (TABLE r_{0} EXCEPT TABLE v_{0})
        ) AS difference
    """
    return all(scalar(conn, differences.format(name)) == 0 for name in ("order_summary", "customer_overview"))


CHANGES = {
    "a new customer": """
        INSERT INTO w_customer (tenant_id, full_name, email, street, postcode, city)
        SELECT tenant_id, 'Petra Pflaume', 'petra@example.com', '1 Orchard Lane', '00001', 'Graz' FROM tenant
    """,
    "a customer who moves": """
        UPDATE w_customer SET city = 'Perth', full_name = full_name || ' Jr' WHERE customer_id < 50
    """,
    "a new order": """
        WITH o AS (
            INSERT INTO w_order (tenant_id, order_number, customer_id, channel)
            SELECT tenant_id, 'NEW-' || customer_id, customer_id, 'web' FROM w_customer WHERE customer_id % 1000 = 0
            RETURNING tenant_id, order_id
        )
        INSERT INTO w_order_line (tenant_id, order_id, line_number, product_id, batch_id, jar_count, unit_price_cents)
        SELECT tenant_id, order_id, 1, product_id, product_id * 40, 2, price_cents
        FROM o JOIN w_product USING (tenant_id) WHERE product_id % 60 = 1
    """,
    "more jars": "UPDATE w_order_line SET jar_count = jar_count + 1 WHERE order_id % 500 = 0",
    "a line crossed out": "DELETE FROM w_order_line WHERE order_id % 700 = 0 AND line_number = 1",
    "a payment": """
        INSERT INTO w_payment (tenant_id, order_id, method, amount_cents, reference)
        SELECT tenant_id, order_id, 'card', 100, 'X' FROM w_order WHERE status = 'placed'
    """,
    "orders that are packed": "UPDATE w_order SET status = 'packed' WHERE status = 'paid'",
    "an order that never was": "DELETE FROM w_order WHERE status = 'cancelled' AND order_id % 5 = 0",
}


def test_triggers_keep_the_read_side_in_step(clone: psycopg.Connection[Any]) -> None:
    assert in_step(clone)
    for what, statement in CHANGES.items():
        assert clone.execute(statement.encode()).rowcount > 0, what
        assert in_step(clone), what


def test_every_step_of_an_order_is_in_the_diary(clone: psycopg.Connection[Any]) -> None:
    before = scalar(clone, "SELECT count(*) FROM w_order_event")
    packed = clone.execute("UPDATE w_order SET status = 'packed' WHERE status = 'paid'").rowcount
    clone.execute("UPDATE w_order SET delivery_note = 'Ring.' WHERE status = 'packed'")
    assert packed > 0
    assert scalar(clone, "SELECT count(*) FROM w_order_event") == before + packed


def test_a_session_of_one_shop_sees_that_shop(
    built: Built, open_database: Callable[[str | None], psycopg.Connection[Any]]
) -> None:
    conn = open_database(built.shop.pristine)
    built.server.create_login("shop_visitor")
    conn.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO shop_visitor")
    largest = scalar(conn, "SELECT tenant_id FROM w_customer GROUP BY tenant_id ORDER BY count(*) DESC LIMIT 1")
    with connect(built.server.dsn(conn.info.dbname, "shop_visitor")) as visitor:
        for table in ("w_customer", "w_order", "w_order_line", "w_payment", "r_order_summary", "r_customer_overview"):
            everything = scalar(conn, f"SELECT count(*) FROM {table}")
            own = scalar(conn, f"SELECT count(*) FROM {table} WHERE tenant_id = '{largest}'")
            visitor.execute("RESET pantry.tenant_id")
            assert scalar(visitor, f"SELECT count(*) FROM {table}") == 0
            visitor.execute("SELECT set_config('pantry.tenant_id', %s, false)", (str(largest),))
            assert scalar(visitor, f"SELECT count(*) FROM {table}") == own
            assert 0 < own < everything


def test_the_diary_is_kept_in_months(clone: psycopg.Connection[Any]) -> None:
    filled = clone.execute(
        "SELECT count(DISTINCT tableoid), count(*) FILTER (WHERE tableoid = 'w_order_event_unplanned'::regclass)"
        " FROM w_order_event"
    ).fetchone()
    assert filled == (22, 0)


def test_the_seed_has_what_migrations_trip_over(clone: psycopg.Connection[Any]) -> None:
    assert scalar(clone, "SELECT count(*) FROM w_order WHERE channel IS NULL") == 0
    assert scalar(clone, "SELECT count(*) FROM w_order WHERE delivery_note IS NULL") > 0
    assert scalar(clone, "SELECT count(*) - count(DISTINCT (tenant_id, email)) FROM w_customer") > 0
    assert scalar(clone, "SELECT pg_typeof(order_line_id)::text FROM w_order_line LIMIT 1") == "integer"
    orphans = "SELECT count(*) FROM w_order_line l WHERE NOT EXISTS (SELECT FROM w_batch b WHERE {})"
    assert scalar(clone, orphans.format("b.tenant_id = l.tenant_id AND b.batch_id = l.batch_id")) == 0
    # A batch is of the line's own product and was cooked before it was sold.
    assert scalar(
        clone,
        """
        SELECT bool_and(b.product_id = l.product_id AND b.cooked_on < o.placed_at AND c.created_at <= o.placed_at)
        FROM w_order_line l JOIN w_order o USING (tenant_id, order_id)
        JOIN w_batch b USING (tenant_id, batch_id) JOIN w_customer c USING (tenant_id, customer_id)
        """,
    )
