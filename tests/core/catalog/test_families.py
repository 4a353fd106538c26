"""What a loaded catalog says about each kind of object, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.catalog.models import dependencies
from confiture_tui.core.catalog.models.access import PUBLIC
from confiture_tui.core.catalog.models.columns import Generated, Volatility
from confiture_tui.core.catalog.models.constraints import ConstraintKind
from confiture_tui.core.catalog.models.relations import Persistence, RelationKind
from confiture_tui.core.catalog.models.routines import RoutineKind
from confiture_tui.core.catalog.models.types import TypeKind
from tests.core.catalog.lookups import column, constraint, table

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]


def test_nothing_is_hidden_from_a_superuser(catalog: Catalog) -> None:
    assert catalog.not_visible == ()


def test_session_and_server(rich: Connection, catalog: Catalog) -> None:
    assert catalog.server_version_num == rich.info.server_version
    assert catalog.database == rich.info.dbname
    assert catalog.encoding == "UTF8"
    assert catalog.session.is_superuser
    assert catalog.session.role == "postgres"
    assert not catalog.session.in_transaction


def test_schemas(catalog: Catalog) -> None:
    assert [name for (name,) in catalog.schemas] == ['Odd "schema".x', "public", "sales"]
    sales = catalog.schemas["sales",]
    assert sales.comment == "what is sold"
    assert sales.acl is not None
    assert [grant.grantee for grant in sales.acl if "CREATE" not in grant.privileges] == [
        'Odd "role"=/x',
        "catalog_reader",
    ]
    assert catalog.schemas['Odd "schema".x',].quoted_name == '"Odd ""schema"".x"'


def test_a_table(catalog: Catalog) -> None:
    customers = table(catalog, "sales.customers")
    assert customers.kind is RelationKind.TABLE
    assert customers.options == ("autovacuum_enabled=false", "fillfactor=80", "toast.autovacuum_enabled=false")
    assert (customers.row_security, customers.force_row_security) == (True, True)
    assert customers.replica_identity == "index"
    assert customers.access_method == "heap"
    assert customers.comment == "those who buy"
    assert customers.primary_key is not None
    assert customers.primary_key.clustered
    assert table(catalog, "sales.cache").persistence is Persistence.UNLOGGED
    assert table(catalog, "sales.addresses").of_type == "sales.address"
    assert table(catalog, "sales.base").owner == 'Odd "role"=/x'


def test_constraints(catalog: Catalog) -> None:
    unique = constraint(catalog, "sales.customers", "customers_email_key")
    assert (unique.kind, unique.deferrable, unique.initially_deferred) == (ConstraintKind.UNIQUE, True, True)
    assert unique.index == "sales.customers_email_key"
    assert unique.columns == ("email",)
    foreign = constraint(catalog, "sales.order_lines", "order_lines_order_id_placed_fkey")
    assert foreign.referenced_relation == "sales.orders"
    assert foreign.columns == ("order_id", "placed")
    assert foreign.referenced_columns == ("id", "placed")
    assert (foreign.match, foreign.on_delete) == ("FULL", "NO ACTION")
    cascade = constraint(catalog, "sales.orders", "orders_customer_id_fkey")
    assert (cascade.on_update, cascade.on_delete) == ("CASCADE", "SET NULL")
    partition = constraint(catalog, "sales.orders_2024", "orders_customer_id_fkey")
    assert (partition.parent_oid, partition.is_local) == (cascade.oid, False)
    assert constraint(catalog, "sales.rooms", "rooms_during_excl").kind is ConstraintKind.EXCLUSION
    assert not constraint(catalog, "sales.customers", 'name not "empty" at all').definition.endswith("NOT VALID")


def test_constraint_definitions_are_the_servers(rich: Connection) -> None:
    rich.execute("""
        CREATE TABLE sales.p (a int, "B b" int, c int, PRIMARY KEY (a, "B b"), UNIQUE ("B b", a) DEFERRABLE,
          UNIQUE (c) INCLUDE (a), EXCLUDE (c WITH =));
        CREATE TABLE sales.c (a int, "B b" int, c int UNIQUE DEFERRABLE INITIALLY DEFERRED, d int NOT NULL,
          FOREIGN KEY (a, "B b") REFERENCES sales.p ON DELETE CASCADE ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED,
          FOREIGN KEY (a, "B b") REFERENCES sales.p MATCH FULL ON DELETE RESTRICT ON UPDATE SET DEFAULT,
          CHECK (a > 0) NO INHERIT);
        ALTER TABLE sales.c ADD CONSTRAINT late FOREIGN KEY (c) REFERENCES sales.p (c) NOT VALID;
    """)
    if rich.info.server_version >= 150000:
        rich.execute("""ALTER TABLE sales.c ADD FOREIGN KEY (a, "B b") REFERENCES sales.p ON DELETE SET NULL ("B b")""")
    if rich.info.server_version >= 180000:
        rich.execute("""
            ALTER TABLE sales.c ADD CONSTRAINT trusted FOREIGN KEY (c) REFERENCES sales.p (c) NOT ENFORCED;
            ALTER TABLE sales.c ADD CONSTRAINT alone NOT NULL a NO INHERIT;
            CREATE TABLE sales.stays (room int4range, during tsrange,
              FOREIGN KEY (room, PERIOD during) REFERENCES sales.bookings (room, PERIOD during));
        """)
    catalog = Catalog.load(rich)
    rich.execute("SET search_path = ''")
    written: dict[int, str] = dict(
        rich.execute("SELECT oid, pg_get_constraintdef(oid) FROM pg_constraint WHERE oid >= 16384").fetchall()
    )
    ours = {each.oid: each.definition for relation in catalog.relations.values() for each in relation.constraints}
    assert len(ours) > 20
    assert ours == {oid: written[oid] for oid in ours}


def test_index_definitions_are_the_servers(rich: Connection) -> None:
    rich.execute("""
        CREATE TABLE sales.many (a int, b text, c varchar(9), d char(3), e text COLLATE "C", f sales.mood, g int[],
          h name, i sales.email, j uuid, "K k" timestamptz, l numeric, m money, n bool, o citext, p tsrange, q pg_lsn,
          r "char");
        CREATE INDEX ON sales.many (a, b, c); CREATE INDEX ON sales.many (d); CREATE INDEX ON sales.many (e);
        CREATE INDEX ON sales.many (b COLLATE "C"); CREATE INDEX ON sales.many (e COLLATE "default");
        CREATE INDEX ON sales.many (d bpchar_pattern_ops); CREATE INDEX ON sales.many (c varchar_ops);
        CREATE INDEX ON sales.many (b text_pattern_ops); CREATE INDEX ON sales.many (f); CREATE INDEX ON sales.many (g);
        CREATE INDEX ON sales.many (h); CREATE INDEX ON sales.many (i); CREATE UNIQUE INDEX ON sales.many (j, "K k");
        CREATE INDEX ON sales.many (l) INCLUDE (m, "K k"); CREATE INDEX ON sales.many (n DESC);
        CREATE INDEX ON sales.many (o, p); CREATE INDEX ON sales.many USING hash (q); CREATE INDEX ON sales.many (r);
        CREATE INDEX "In""dex" ON sales.many ("K k"); CREATE INDEX ON sales.many (a) WITH (fillfactor = 50);
        CREATE INDEX ON sales.many (a) WHERE n; CREATE INDEX ON sales.many ((a + 1));
        CREATE INDEX ON sales.many USING gin (g); CREATE INDEX ON sales.many (a sales.upside);
        CREATE INDEX ON ONLY sales.orders (placed);
    """)
    catalog = Catalog.load(rich)
    rich.execute("SET search_path = ''")
    written: dict[int, str] = dict(
        rich.execute("SELECT indexrelid, pg_get_indexdef(indexrelid) FROM pg_index").fetchall()
    )
    assert len(catalog.indexes) > 40
    assert {each.oid: each.definition for each in catalog.indexes.values()} == {
        each.oid: written[each.oid] for each in catalog.indexes.values()
    }


def test_an_index(catalog: Catalog) -> None:
    name = catalog.indexes["sales", "customers_name"]
    assert name.key_columns == (None, "vip")
    assert name.expressions == ("lower(name)",)
    assert name.included_columns == ("id",)
    assert name.predicate == "vip"
    assert name.opclasses == ("pg_catalog.text_pattern_ops", "pg_catalog.bool_ops")
    assert (name.descending, name.nulls_first) == ((True, False), (False, False))
    assert name.statistics_targets == ("1=300",)
    assert name.options == ("fillfactor=70",)
    assert name.comment == "for the search box"
    assert catalog.indexes["sales", "customers_since"].replica_identity
    assert catalog.indexes["sales", "customers_pkey"].constraint == "customers_pkey"
    assert catalog.indexes["sales", "orders_2024_customer_id_idx"].parent == "sales.orders_customer"
    assert catalog.indexes["sales", "orders_customer"].is_partitioned
    assert catalog.indexes["sales", "orders_customer"].size is None
    assert catalog.indexes["sales", "customers_pkey"].size == 8192


def test_partitions(catalog: Catalog) -> None:
    orders = table(catalog, "sales.orders")
    assert orders.partitioning is not None
    assert (orders.partitioning.strategy, orders.partitioning.key) == ("range", "RANGE (placed)")
    assert orders.partitioning.columns == ("placed",)
    hashed = table(catalog, "sales.hashed")
    assert hashed.partitioning is not None
    assert hashed.partitioning.columns == ("a", None)
    rest = table(catalog, "sales.orders_rest")
    assert (rest.is_partition, rest.partition_bound, rest.parents) == (True, "DEFAULT", ("sales.orders",))
    assert rest.parent_oids == (orders.oid,)


def test_views(catalog: Catalog) -> None:
    vips = table(catalog, "sales.vips")
    assert vips.kind is RelationKind.VIEW
    assert vips.definition is not None
    assert "FROM sales.customers" in vips.definition
    assert vips.options == ("security_barrier=true",)
    totals = table(catalog, "sales.totals")
    assert (totals.kind, totals.populated) == (RelationKind.MATERIALIZED_VIEW, True)


def test_types(catalog: Catalog) -> None:
    assert catalog.types["sales", "mood"].labels == ("sad", "so so", "it's ok", "happy")
    email = catalog.types["sales", "email"]
    assert (email.kind, email.base_type, email.not_null) == (TypeKind.DOMAIN, "public.citext", True)
    assert {"has_at", "Not Long"} <= {each.name for each in email.constraints}
    assert email.constraints[0].qualified_name.startswith("sales.email.")
    span = catalog.types["sales", "span"]
    assert (span.kind, span.subtype, span.multirange) == (TypeKind.RANGE, "double precision", "sales.span_multirange")
    assert "difference=float8mi" in span.properties
    assert catalog.types["public", "citext"].extension == "citext"
    assert ("sales", "_mood") not in catalog.types
    assert ("sales", "customers") not in catalog.types
    address = table(catalog, "sales.address")
    assert address.kind is RelationKind.COMPOSITE_TYPE
    assert address.columns[0].comment == "without number"
    assert [each.qualified_name for each in catalog.columns_of_type(email.oid)] == ["sales.customers.email"]


def test_routines(catalog: Catalog) -> None:
    tax = catalog.routines["sales", "tax", "numeric, numeric"]
    assert tax.signature == "sales.tax(numeric, numeric)"
    assert tax.arguments == "amount numeric, rate numeric DEFAULT 0.2"
    assert (tax.volatility, tax.strict, tax.parallel, tax.cost) == (Volatility.IMMUTABLE, True, "safe", 7)
    assert tax.source == "SELECT amount * rate"
    noise = catalog.routines["sales", "noise", ""]
    assert noise.security_definer
    assert noise.configuration == ("search_path=pg_catalog, pg_temp", "work_mem=1MB")
    assert noise.acl is not None
    assert PUBLIC not in [grant.grantee for grant in noise.acl]
    assert catalog.routines["sales", "twice", "integer"].sql_body == "RETURN (x * 2)"
    assert catalog.routines["sales", "clean", "integer"].kind is RoutineKind.PROCEDURE
    joined = catalog.routines["sales", "joined", "text"]
    assert joined.kind is RoutineKind.AGGREGATE
    assert "sfunc=sales.concat2" in joined.definition


def test_what_hangs_on_a_table(catalog: Catalog) -> None:
    customers = table(catalog, "sales.customers")
    touch = next(each for each in customers.triggers if each.name == "touch")
    assert (touch.enabled, touch.function) == ("disabled", "sales.touch")
    assert touch.definition.startswith("CREATE TRIGGER touch BEFORE UPDATE OF name ON sales.customers")
    assert [rule.name for rule in customers.rules] == ["quiet"]
    mine = next(each for each in customers.policies if each.name == "mine")
    assert (mine.command, mine.permissive, mine.roles, mine.comment) == (
        "SELECT",
        True,
        ("catalog_reader",),
        "own rows",
    )
    watch = catalog.event_triggers["watch",]
    assert (watch.tags, watch.enabled) == (("ALTER TABLE", "DROP TABLE"), "disabled")


def test_switching_off_a_foreign_keys_triggers_is_seen(conn: Connection) -> None:
    conn.execute("CREATE TABLE p (a int PRIMARY KEY); CREATE TABLE c (a int REFERENCES p)")
    before = Catalog.load(conn)
    assert constraint(before, "c", "c_a_fkey").disabled_triggers == ""
    conn.execute("ALTER TABLE c DISABLE TRIGGER ALL")
    after = Catalog.load(conn)
    assert constraint(after, "c", "c_a_fkey").disabled_triggers == "DDOO"
    assert [change.name for change in before.diff(after).changes] == ["public.c.c_a_fkey"]


def test_sequences(rich: Connection) -> None:
    rich.execute("SELECT nextval('sales.tickets'), nextval('sales.tickets')")
    catalog = Catalog.load(rich)
    tickets = catalog.sequences["sales", "tickets"]
    assert (tickets.type, tickets.start, tickets.increment, tickets.minimum) == ("integer", 100, 5, 10)
    assert (tickets.maximum, tickets.cache, tickets.cycles, tickets.owned_by) == (9000, 7, True, None)
    assert tickets.last_value is not None
    assert tickets.last_value >= 105
    serial = catalog.sequences["sales", "orders_id_seq"]
    assert (serial.owned_by, serial.identity, serial.last_value) == ("sales.orders.id", False, None)
    assert catalog.sequences["sales", "customers_id_seq"].identity


def test_extensions_own_their_members(catalog: Catalog) -> None:
    assert {name for (name,) in catalog.extensions} == {"citext", "plpgsql", "postgres_fdw"}
    citext = catalog.extensions["citext",]
    assert (citext.schema, citext.comment) == ("public", "folds case")
    assert all(each.extension == "citext" for each in catalog.routines.values() if each.name.startswith("citext"))
    assert not any(each.name.startswith("public.citext") for each in catalog.definitions)


def test_other_objects(catalog: Catalog) -> None:
    def properties(kind: str, identity: str) -> dict[str, str | None]:
        return dict(catalog.others[kind, identity].properties)

    assert properties("operator", "sales.===(sales.mood, text)")["function"] == "sales.equal_moods"
    assert properties("cast", "(sales.mood AS integer)")["context"] == "a"
    assert properties("collation", "sales.plain")["lc_collate"] == "C"
    assert properties("operator class", "sales.upside USING btree")["family"] == "sales.kin"
    assert "1 >(integer,integer) s" in (properties("operator family", "sales.kin USING btree")["operators"] or "")
    assert "sales.stops, english_stem" in (properties("text search configuration", "sales.words")["mappings"] or "")
    assert properties("publication", "chosen")["publish"] == "insert, update"
    assert properties("publication", "chosen")["tables"] == "sales.base, sales.derived, sales.orders"
    assert properties("statistics object", "sales.names_and_moods")["target"] == "50"
    assert properties("foreign server", "elsewhere")["options"] == "dbname=x, host=127.0.0.1"
    assert ("user mapping", "postgres SERVER elsewhere") in catalog.others
    assert catalog.others["statistics object", "sales.names_and_moods"].comment == "they go together"


def test_no_secret_is_read(rich: Connection, catalog: Catalog) -> None:
    rich.execute("CREATE FOREIGN DATA WRAPPER plain OPTIONS (api_key 'hunter3')")
    rich.execute("CREATE SERVER plain FOREIGN DATA WRAPPER plain OPTIONS (password 'hunter3', host 'h')")
    with_secret = Catalog.load(rich)
    for each in (*catalog.definitions, *with_secret.definitions):
        assert "hunter" not in repr(each)
    assert dict(with_secret.others["foreign server", "plain"].properties)["options"] == "host=h, password=***"


def test_a_subscription_without_its_password(conn: Connection) -> None:
    conn.execute("""CREATE SUBSCRIPTION never CONNECTION 'host=127.0.0.1 password=hunter2 dbname=x' PUBLICATION p
        WITH (connect = false, enabled = false, create_slot = false, slot_name = NONE)""")
    try:
        catalog = Catalog.load(conn)
        assert dict(catalog.others["subscription", "never"].properties)["publications"] == "p"
        assert not any("hunter2" in repr(each) for each in catalog.definitions)
    finally:
        conn.execute("DROP SUBSCRIPTION never")


def test_default_privileges(catalog: Catalog) -> None:
    found = {(each.schema, each.object_kind): each.acl for each in catalog.default_privileges}
    assert set(found) == {("sales", "tables"), (None, "functions")}
    assert [grant.privileges for grant in found["sales", "tables"]] == [("SELECT",)]


def test_statistics_and_traffic(conn: Connection) -> None:
    conn.execute(
        "CREATE TABLE t (a int, b text); INSERT INTO t SELECT i, NULLIF(i % 4, 0)::text FROM generate_series(1, 1000) i"
    )
    assert column(Catalog.load(conn), "t", "a").statistics is None
    conn.execute("ANALYZE t")
    conn.execute("SELECT pg_stat_clear_snapshot()")
    catalog = Catalog.load(conn)
    found = table(catalog, "t").statistics
    assert found is not None
    assert found.rows == 1000
    assert found.size == found.pages * 8192
    assert found.total_size is not None
    assert found.total_size >= found.size
    if conn.info.server_version >= 150000:  # before, the server's statistics collector gets to it in its own time
        assert found.last_analyze is not None
        assert found.last_analyze.utcoffset() is not None
    of_column = column(catalog, "t", "b").statistics
    assert of_column is not None
    assert of_column.null_fraction == pytest.approx(0.25)
    assert of_column.distinct == 3
    assert table(catalog, "t").traffic is not None


def test_sizes_of_indexes_and_toast_are_in_the_total(conn: Connection) -> None:
    conn.execute(
        "CREATE TABLE t (a int PRIMARY KEY, b text STORAGE EXTERNAL)"
        if conn.info.server_version >= 160000
        else "CREATE TABLE t (a int PRIMARY KEY, b text); ALTER TABLE t ALTER b SET STORAGE EXTERNAL"
    )
    conn.execute("INSERT INTO t SELECT i, repeat('x', 4000) FROM generate_series(1, 1000) i")
    found = table(Catalog.load(conn), "t")
    assert found.statistics is not None
    row = conn.execute("""SELECT pg_relation_size('t'), pg_relation_size(reltoastrelid), pg_relation_size('t_pkey')
        FROM pg_class WHERE oid = 't'::regclass""").fetchone()
    assert row is not None
    assert found.statistics.size == row[0]
    assert found.statistics.total_size == sum(row)
    assert found.indexes[0].size == row[2], "measured, since the table with its TOAST is not small"


def test_hostile_names_are_kept_as_they_are(catalog: Catalog) -> None:
    hostile = catalog.relations['Odd "schema".x', "tab.le [red] \u202e\u001b[31m"]
    assert hostile.qualified_name == '"Odd ""schema"".x"."tab.le [red] \u202e\u001b[31m"'
    assert [each.quoted_name for each in hostile.columns] == ['"col ""u""mn"', '"sélect"', '"order"']
    assert hostile.comment == "hostile"
    assert catalog.resolve(hostile.qualified_name) is hostile


def test_every_quoted_name_is_the_servers(rich: Connection, catalog: Catalog) -> None:
    names = [(each.schema, each.name, each.qualified_name) for each in catalog.relations.values()]
    names += [(each.schema, each.name, each.qualified_name) for each in catalog.indexes.values()]
    for schema, name, qualified in names:
        row = rich.execute("SELECT quote_ident(%s) || '.' || quote_ident(%s)", (schema, name)).fetchone()
        assert row == (qualified,)


@pytest.mark.parametrize("name", [name for name in vars(dependencies) if name.startswith("PG_")])
def test_oids_of_the_servers_own_catalogs(conn: Connection, name: str) -> None:
    row = conn.execute("SELECT %s::regclass::oid", (f"pg_catalog.{name.lower()}",)).fetchone()
    assert row == (getattr(dependencies, name),)


def test_what_only_newer_servers_have(rich: Connection, catalog: Catalog) -> None:
    version = rich.info.server_version
    if version < 150000:
        pytest.skip("a 14 server has nothing that is new")
    assert catalog.indexes["sales", "once_a_key"].nulls_not_distinct
    assert dict(catalog.others["publication", "filtered"].properties)["tables"] == "sales.once (a, b) WHERE (a > 0)"
    assert dict(catalog.others["publication", "whole"].properties)["schemas"] == "sales"
    if version < 180000:
        return
    assert column(catalog, "sales.modern", "c").generated is Generated.VIRTUAL
    assert not constraint(catalog, "sales.modern", "trust").enforced
    assert constraint(catalog, "sales.modern", "a_is_there").kind is ConstraintKind.NOT_NULL
    assert not constraint(catalog, "sales.modern", "d_there").validated
