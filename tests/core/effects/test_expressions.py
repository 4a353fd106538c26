"""The analysis of expressions says what the server says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.catalog.models.columns import Volatility
from confiture_tui.core.effects.expressions import analyse, type_of, volatility
from confiture_tui.core.effects.schema import Schema
from confiture_tui.core.effects.type_names import parse_type
from confiture_tui.core.sql.parser import parse
from confiture_tui.core.sql.statement import SyntaxProblem

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.database.dsn import Dsn

SETUP = """
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE DOMAIN plain AS text;
CREATE DOMAIN small AS integer CHECK (VALUE < 10);
CREATE TABLE t (id integer NOT NULL, name varchar(20), feels mood, tags text[], doc jsonb, at timestamptz, day date,
  price numeric(10, 2), few small, label plain, during int4range, big bigint, real_one real, local timestamp);
INSERT INTO t VALUES (1, 'n', 'sad', '{a}', '{"k": 1}', now(), current_date, 1, 1, 'l', '[1,3)', 1, 1, localtimestamp);
CREATE FUNCTION pick() RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT 7';
CREATE FUNCTION roll() RETURNS double precision LANGUAGE sql VOLATILE AS 'SELECT random()';
CREATE FUNCTION twice(x integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT x * 2';
CREATE FUNCTION via(x integer) RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT twice(x) + 1';
CREATE FUNCTION slow() RETURNS integer LANGUAGE plpgsql VOLATILE AS $$ BEGIN RETURN 1; END $$;
CREATE FUNCTION calm() RETURNS integer LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN 1; END $$;
CREATE FUNCTION careful(x integer) RETURNS integer LANGUAGE sql STRICT VOLATILE AS 'SELECT x';
CREATE FUNCTION locked() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
CREATE FUNCTION pair(x integer, y text DEFAULT 'y') RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT y';
CREATE FUNCTION pair(x text) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION all_of(VARIADIC x integer[]) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE SEQUENCE numbers;
"""

CONSTANTS = """
1; 3000000000; 1.5; true; 'x'::text; 'x'::varchar(3); '2024-01-01'::date; 1 + 1; 1 + 1.5; 2 * 3000000000
7 / 2; 7 % 2; -1; 'a' || 'b'; 'a'::text || 1; 1 || 'a'; now(); now() + interval '1 day'; now() - now()
current_date; current_date + 1; current_date - 1; current_date - current_date; current_timestamp; localtime
localtimestamp; current_user; now()::date; now()::timestamp; now() AT TIME ZONE 'utc'
localtimestamp AT TIME ZONE 'utc'; timezone('utc', now()); age(now()); extract(epoch FROM now())
date_part('year', now()); date_trunc('day', now()); date_trunc('day', localtimestamp); to_char(now(), 'YYYY')
to_timestamp(0); make_date(2024, 1, 1); random(); gen_random_uuid(); md5('x'); sha256('x')
encode(sha256('x'), 'hex'); md5(random()::text); clock_timestamp(); statement_timestamp(); timeofday()
coalesce(NULL, 1); coalesce(NULL, 'a'); nullif(1, 2); greatest(1, 2.5); least('a', 'b')
CASE WHEN true THEN 1 ELSE 2 END; CASE 1 WHEN 1 THEN 'a' END; CASE WHEN true THEN 1 ELSE 2.5 END; ARRAY[1, 2]
ARRAY['a']; '{1,2}'::integer[]; (ARRAY[1, 2])[1]; array_length(ARRAY[1], 1); array_append(ARRAY[1], 2)
unnest(ARRAY[1]); ARRAY[1] || 2; 1 = ANY (ARRAY[1]); '{}'::jsonb; '{"a": 1}'::jsonb -> 'a'
'{"a": 1}'::jsonb ->> 'a'; '{}'::json; jsonb_build_object('a', 1); to_jsonb(1); row_to_json(ROW(1))
'{}'::jsonb || '{}'; '{}'::jsonb @> '{}'; jsonb_array_length('[]'); upper('a'); length('a')
substring('abc' FROM 1 FOR 2); position('a' IN 'abc'); trim('  a '); replace('a', 'b', 'c'); left('abc', 1)
lpad('1', 3, '0'); concat('a', 1); concat_ws(',', 'a', 1); format('%s', 1); repeat('a', 3); reverse('abc')
split_part('a,b', ',', 1); regexp_replace('a', 'b', 'c'); 'a' ~ 'b'; 'a' LIKE 'b'; 'a' ILIKE 'b'
'a' SIMILAR TO 'b'; 1 IN (1, 2); 1 BETWEEN 0 AND 2; 1 IS NULL; NOT true; true AND false; 1 IS DISTINCT FROM 2
EXISTS (SELECT 1); (SELECT 1); (SELECT max(id) FROM t); ARRAY(SELECT id FROM t); 1 IN (SELECT id FROM t)
abs(-1); round(1.5); round(1.555, 2); floor(1.5); power(2, 3); sqrt(4); mod(7, 2); 2 ^ 3; 1::numeric(10, 2)
1::text; '1'::integer; 1::boolean; 'sad'::mood; 'x'::plain; 5::small; nextval('numbers'); currval('numbers')
int4range(1, 2); int4range(1, 5) @> 3; lower(int4range(1, 2)); '10.0.0.1'::inet; interval '1 hour' * 2
interval '1 day' / 2; date '2024-01-01' + interval '1 day'; time '10:00' + interval '1 hour'
'1 day'::interval::text; to_tsvector('english', 'x'); to_tsvector('x'); 'a'::tsvector @@ 'a'::tsquery
current_setting('TimeZone'); pg_typeof(1); txid_current(); generate_series(1, 3); version(); hashtext('a')
'now'::timestamptz; 'x'::text::timestamptz IS NULL; pick(); roll(); twice(1); via(1); slow(); calm()
careful(1); locked(); pair(1); pair('x'::text); all_of(1, 2); twice(pick()); E'a\\n'; B'101'; X'1F'; U&'a'
$$a$$; 'a' COLLATE "C"; ROW(1, 2); (1, 2) = (1, 2); 1 <> 2; 1 != 2; |/ 4.0; @ -1; 5 & 3; ~ 5; 'a'::"char"
'pg_class'::regclass; 1::oid; 'a'::name; now()::time; extract(year FROM date '2024-01-01'); 1::real * 2
1.5::real; overlay('abc' PLACING 'x' FROM 1); (ARRAY[1,2,3])[1:2]; num_nulls(1, NULL)
width_bucket(1, 0, 5, 5); random() > 0.5
""".replace("\n", ";")

COLUMNS = """
id; name; feels; tags; doc; at; day; price; few; label; big; id + 1; id + big; id * price; name || 'x'
upper(name); lower(label); doc -> 'k'; doc ->> 'k'; doc #>> '{a}'; (doc ->> 'k')::integer; tags[1]
tags || 'x'; 'x' = ANY (tags); at::date; at + '1 day'; day + 1; day::timestamp; at AT TIME ZONE 'utc'
date_trunc('month', at); date_trunc('month', local); price * 2; price::text; few + 1; coalesce(name, 'x')
coalesce(label, name); feels = 'sad'; feels::text; name LIKE 'a%'; lower(during); during @> 1; id::text
id::bigint; at::text; day::text; local::date; local - interval '1 day'; extract(year FROM at)
extract(year FROM day); to_char(at, 'YYYY'); to_char(local, 'YYYY'); real_one * 2; real_one + id; age(local)
md5(name); length(name); id = big; t.id; greatest(id, big); CASE WHEN id > 1 THEN name ELSE label END
nullif(name, ''); id BETWEEN 1 AND 2; twice(id); pair(id); cardinality(tags); array_length(tags, 1)
jsonb_array_length(doc -> 'k'); to_tsvector('english', name); day - 1; at - at; local - local
concat(name, id); substring(name, 1, 2); pair(name); doc @> '{}'; doc ? 'k'; hashtext(name); name::mood::text
""".replace("\n", ";")


def _expressions(text: str) -> list[str]:
    return [one.strip() for one in text.split(";") if one.strip()]


def _node(expression: str) -> dict[str, Any]:
    tree = parse(f"SELECT {expression}")
    assert not isinstance(tree, SyntaxProblem), expression
    node: dict[str, Any] = tree[1]["targetList"][0]["ResTarget"]["val"]
    return node


@pytest.fixture
def connection(database_from: Callable[[str], Dsn]) -> Any:
    with psycopg.connect(database_from(SETUP).conninfo(), autocommit=True) as conn:
        yield conn


def _server_type(conn: psycopg.Connection[Any], expression: str, source: str = "") -> str | None:
    try:
        row = conn.execute(f"SELECT format_type(pg_typeof({expression}), NULL) {source}".encode()).fetchone()
    except psycopg.Error:
        # Of a set or a row; or the server refuses it.
        return None
    return row[0] if row else None


def test_types_are_the_servers(connection: psycopg.Connection[Any]) -> None:
    schema = Schema.of(Catalog.load(connection))
    relation = schema.relation("t")
    judged, wrong = 0, list[str]()
    for expressions, source in ((CONSTANTS, ""), (COLUMNS, "FROM t")):
        for expression in _expressions(expressions):
            seen = _server_type(connection, expression, source)
            found = type_of(_node(expression), schema, relation=relation)
            if seen is None or found is None or found.name == "unknown":
                continue
            judged += 1
            # The connection's search_path leaves the schema of a type out.
            if found.bare.removeprefix("public.") != parse_type(seen).bare.removeprefix("public."):
                wrong.append(f"{expression}: {found.bare}, not {seen}")
    assert not wrong
    # It is no use to be right by not saying anything.
    assert judged > 220


def _defaults_rewrite(conn: psycopg.Connection[Any], expression: str) -> bool | None:
    """Whether the server takes a default to be volatile; ``None`` when it is no default."""
    conn.execute("CREATE TABLE rewritten (a integer)")
    try:
        before = conn.execute("SELECT pg_relation_filenode('rewritten')").fetchone()
        column = conn.execute(f"SELECT format_type(pg_typeof({expression}), NULL)".encode()).fetchone()
        if column is None or column[0] in ("unknown", "record"):
            return None
        conn.execute(f"ALTER TABLE rewritten ADD COLUMN x {column[0]} DEFAULT ({expression})".encode())
        after = conn.execute("SELECT pg_relation_filenode('rewritten')").fetchone()
        return before != after
    except psycopg.Error:
        return None
    finally:
        conn.execute("DROP TABLE rewritten")


def test_volatile_is_what_rewrites(connection: psycopg.Connection[Any]) -> None:
    schema = Schema.of(Catalog.load(connection))
    judged, wrong = 0, list[str]()
    for expression in _expressions(CONSTANTS):
        if "small" in expression:  # a domain with a constraint rewrites by itself
            continue
        rewrites = _defaults_rewrite(connection, expression)
        if rewrites is None:
            continue
        judged += 1
        found = volatility(_node(expression), schema)
        if found is None or (found is Volatility.VOLATILE) != rewrites:
            wrong.append(f"{expression}: {found}")
    assert not wrong
    assert judged > 150


def test_immutable_is_what_can_be_indexed(connection: psycopg.Connection[Any]) -> None:
    schema = Schema.of(Catalog.load(connection))
    relation = schema.relation("t")
    judged, wrong = 0, list[str]()
    for expression in _expressions(COLUMNS):
        try:
            connection.execute(f"CREATE INDEX judged ON t USING hash ((({expression})::text))".encode())
            immutable = True
        except psycopg.errors.InvalidObjectDefinition:
            immutable = False
        except psycopg.Error:
            continue
        connection.execute("DROP INDEX IF EXISTS judged")
        judged += 1
        found = volatility(_node(f"({expression})::text"), schema, relation=relation)
        if (found is Volatility.IMMUTABLE) != immutable:
            wrong.append(f"{expression}: {found}")
    assert not wrong
    assert judged > 70


@pytest.mark.parametrize(
    ("expression", "null"),
    [
        ("1", False),
        ("NULL", True),
        ("NULL::integer", True),
        ("NULL + 1", True),
        ("1 + 1", False),
        ("coalesce(NULL, 1)", False),
        ("nullif(1, 1)", None),
        ("upper('a')", None),
        ("id", False),
        ("name", None),
        ("id + 1", False),
        ("id IS NULL", False),
        ("upper(NULL)", True),
        ("'a' || NULL", True),
        ("now()", None),
    ],
)
def test_null_or_not(connection: psycopg.Connection[Any], expression: str, null: bool | None) -> None:
    schema = Schema.of(Catalog.load(connection))
    assert analyse(_node(expression), schema, relation=schema.relation("t")).null is null


@pytest.mark.parametrize(
    ("expression", "sqlstate"),
    [
        ("nonesuch", "42703"),
        ("t.nonesuch", "42703"),
        ("u.id", "42P01"),
        ("nonesuch(1)", "42883"),
        ("(SELECT 1 FROM nonesuch)", "42P01"),
        ("(SELECT nonesuch FROM t AS u)", "42703"),
    ],
)
def test_what_the_server_would_refuse(connection: psycopg.Connection[Any], expression: str, sqlstate: str) -> None:
    schema = Schema.of(Catalog.load(connection))
    found = analyse(_node(expression), schema, relation=schema.relation("t"))
    assert [one.sqlstate for one in found.facts.problems] == [sqlstate]
    with pytest.raises(psycopg.Error) as refused:
        connection.execute(f"SELECT {expression} FROM t".encode())
    assert refused.value.sqlstate == sqlstate


def test_without_a_catalog_what_is_not_known_may_be_volatile() -> None:
    schema = Schema.of(None)
    assert volatility(_node("nonesuch(1)"), schema) is None
    assert volatility(_node("random() + nonesuch(1)"), schema) is Volatility.VOLATILE
    assert volatility(_node("now()"), schema) is Volatility.STABLE
    assert volatility(_node("'sad'::mood"), schema) is Volatility.IMMUTABLE
    assert volatility(_node("uuid_generate_v4()"), schema) is None
    assert type_of(_node("x"), schema) is None


def test_what_it_reads_and_calls(connection: psycopg.Connection[Any]) -> None:
    schema = Schema.of(Catalog.load(connection))
    found = analyse(_node("(SELECT max(twice(id)) FROM t WHERE name = 'x') + pick()"), schema)
    assert found.relations == ("public.t",)
    assert set(found.functions) >= {"max", "twice", "pick", "+", "="}
    assert not found.constant


def test_deep_expressions_are_read() -> None:
    found = analyse(_node("+".join(["1"] * 20_000)), Schema.of(None))
    assert str(found.type) == "integer"
    assert found.volatility is Volatility.IMMUTABLE
