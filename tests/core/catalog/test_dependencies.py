"""What a DROP … CASCADE reaches, compared with what the server drops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.catalog.models.dependencies import PG_CLASS, PG_EXTENSION, PG_NAMESPACE, PG_PROC, PG_TYPE
from confiture_tui.core.catalog.models.dependencies import ObjectAddress as Address

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]


def described(catalog: Catalog, addresses: frozenset[Address]) -> set[tuple[str, str]]:
    return {found for address in addresses if (found := catalog.describe(address)) is not None}


def everything(catalog: Catalog) -> dict[Address, tuple[str, str]]:
    return dict(catalog._addresses)


def covered(addresses: frozenset[Address], address: Address) -> bool:
    return address in addresses or address._replace(number=0) in addresses


def check(conn: Connection, catalog: Catalog, statement: str, *targets: Address) -> None:
    """Drops in a transaction; what is gone must be exactly what was foretold."""
    foretold = catalog.dependencies.reach(*targets)
    conn.execute("BEGIN")
    try:
        conn.execute(statement.encode())
        left = everything(Catalog.load(conn))
    finally:
        conn.execute("ROLLBACK")
    known = everything(catalog)
    gone = {known[address] for address in known.keys() - left.keys()}
    assert {known[address] for address in known if covered(foretold, address)} == gone, statement


def test_every_drop_cascade_of_the_rich_schema(rich: Connection) -> None:
    rich.execute("ALTER EVENT TRIGGER watch DISABLE")
    catalog = Catalog.load(rich)
    kinds = {"table": "TABLE", "partitioned table": "TABLE", "view": "VIEW", "materialized view": "MATERIALIZED VIEW"}
    dropped = 0
    for relation in catalog.relations.values():
        if relation.kind.value in kinds:
            statement = f"DROP {kinds[relation.kind.value]} {relation.qualified_name} CASCADE"
            check(rich, catalog, statement, Address(PG_CLASS, relation.oid))
            dropped += 1
    for each in catalog.types.values():
        if each.extension is None and each.kind.value in ("enum", "domain", "range"):
            check(rich, catalog, f"DROP TYPE {each.qualified_name} CASCADE", Address(PG_TYPE, each.oid))
            dropped += 1
    for routine in catalog.routines.values():
        if routine.extension is None and catalog.dependencies.references(Address(PG_PROC, routine.oid)) != ():
            internal = any(edge.kind == "i" for edge in catalog.dependencies.references(Address(PG_PROC, routine.oid)))
            if not internal:
                check(rich, catalog, f"DROP ROUTINE {routine.signature} CASCADE", Address(PG_PROC, routine.oid))
                dropped += 1
    for extension in catalog.extensions.values():
        if extension.oid >= 16384:
            statement = f"DROP EXTENSION {extension.quoted_name} CASCADE"
            check(rich, catalog, statement, Address(PG_EXTENSION, extension.oid))
            dropped += 1
    for schema in catalog.schemas.values():
        check(rich, catalog, f"DROP SCHEMA {schema.quoted_name} CASCADE", Address(PG_NAMESPACE, schema.oid))
    assert dropped > 30


def test_dropping_a_column(conn: Connection) -> None:
    conn.execute("""
        CREATE TABLE t (a int PRIMARY KEY, b int, c int DEFAULT 5, d serial);
        CREATE INDEX t_b ON t (b); CREATE INDEX t_ab ON t (a, b);
        CREATE TABLE r (a int REFERENCES t);
        CREATE VIEW v AS SELECT b FROM t; CREATE VIEW w AS SELECT * FROM v;
        CREATE VIEW untouched AS SELECT c FROM t;
    """)
    catalog = Catalog.load(conn)
    table = catalog.table("t")
    assert table is not None
    for column in table.columns:
        statement = f"ALTER TABLE t DROP COLUMN {column.quoted_name} CASCADE"
        check(conn, catalog, statement, Address(PG_CLASS, table.oid, column.number))
    b = table.column("b")
    assert b is not None
    assert described(catalog, catalog.dependencies.reach(Address(PG_CLASS, table.oid, b.number))) == {
        ("column", "public.t.b"),
        ("index", "public.t_b"),
        ("index", "public.t_ab"),
        ("view", "public.v"),
        ("view", "public.w"),
    }


def test_direct_dependencies(conn: Connection) -> None:
    conn.execute("CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM t")
    catalog = Catalog.load(conn)
    table = catalog.table("t")
    assert table is not None
    edges = catalog.dependencies.dependents(Address(PG_CLASS, table.oid, 1))
    assert [edge.kind for edge in edges] == ["n"]
    assert edges[0].referenced == Address(PG_CLASS, table.oid, 1)
    assert edges[0] in catalog.dependencies.references(edges[0].dependent)


def test_an_empty_database_has_none(conn: Connection) -> None:
    assert len(Catalog.load(conn).dependencies) == 0
    assert Catalog.load(conn).dependencies.reach(Address(PG_CLASS, 1)) == {Address(PG_CLASS, 1)}
