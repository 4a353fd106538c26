"""Files of earlier migrations, and a statement that comes after them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    Attributes:
        id: unique among the cases.
        files: of the migrations before, in order; each is run in a transaction of its own.
        sql: the statement that comes after them, in a transaction.
        since, until: the first and the last major version that it is meant for.
    """

    id: str
    files: tuple[str, ...]
    sql: str
    since: int = 14
    until: int = 99


_MOODS = (
    "CREATE TYPE mood AS ENUM ('calm', 'gruff'); CREATE TABLE bear (id int PRIMARY KEY, mood mood)",
    "ALTER TYPE mood ADD VALUE 'hungry'",
)
_WATCHED = (
    "CREATE TABLE hive (id int PRIMARY KEY, bees int, seen timestamp);"
    "CREATE FUNCTION note_hive() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'",
    "CREATE TRIGGER watch_bees BEFORE UPDATE OF bees ON hive FOR EACH ROW WHEN (old.bees > 10)"
    " EXECUTE FUNCTION note_hive()",
)

_KEEPERS = (
    "CREATE ROLE files_keeper; CREATE ROLE files_heir; CREATE SCHEMA barn; CREATE TABLE barn.cow (id serial);"
    "CREATE TYPE barn.milk AS (litres int); CREATE FUNCTION barn.moo() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "GRANT files_keeper TO CURRENT_USER; ALTER TABLE barn.cow OWNER TO files_keeper",
)
_HANDED_OVER = (
    *_KEEPERS,
    "ALTER FUNCTION barn.moo() OWNER TO files_keeper",
    "REASSIGN OWNED BY files_keeper TO files_heir",
)
_GUESTS = ("CREATE ROLE files_guest; CREATE TABLE cow (id int)", "GRANT SELECT ON cow TO files_guest")
_ABROAD = (
    "CREATE FOREIGN DATA WRAPPER post; CREATE SERVER abroad FOREIGN DATA WRAPPER post",
    "CREATE FOREIGN TABLE parcel (id int, weight numeric) SERVER abroad",
)
_SIZES = (
    "CREATE TYPE size AS (width int, height int); CREATE TABLE box (id int, outer_size size, slots size[])",
    "CREATE TABLE plan OF size; CREATE CAST (size AS text) WITH INOUT",
)
_EQUAL = (
    "CREATE TABLE leaf (id int, edge text)",
    "CREATE FUNCTION alike(leaf, leaf) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.id = $2.id'",
    "CREATE OPERATOR === (LEFTARG = leaf, RIGHTARG = leaf, FUNCTION = alike)",
)
_BROUGHT = (
    "CREATE SCHEMA tools; CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION pg_trgm SCHEMA tools",
    "CREATE TABLE herb (id int PRIMARY KEY, name citext UNIQUE, notes hstore);"
    "CREATE INDEX ON herb USING gin (lower(name::text) tools.gin_trgm_ops); CREATE INDEX ON herb USING gin (notes)",
)
_MOVED = (
    "CREATE TYPE hue AS ENUM ('red'); CREATE TABLE tulip (id serial PRIMARY KEY, hue hue, hues hue[]);"
    "CREATE TABLE bulb (id int, tulip int REFERENCES tulip);"
    "CREATE VIEW reds AS SELECT id FROM tulip WHERE hue = 'red'",
    "CREATE SCHEMA plot; ALTER TABLE tulip SET SCHEMA plot; ALTER TYPE hue SET SCHEMA plot",
    "CREATE FUNCTION plot.dig() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER SCHEMA plot RENAME TO bed",
)
_DIVIDED = (
    "CREATE TABLE tally (day date, id int) PARTITION BY RANGE (day)",
    "CREATE TABLE tally_1 PARTITION OF tally FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');"
    "CREATE TABLE tally_2 (day date, id int, CONSTRAINT own PRIMARY KEY (day, id))",
    "ALTER TABLE tally ADD PRIMARY KEY (day, id);"
    "ALTER TABLE tally ATTACH PARTITION tally_2 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
)
_COMPUTED = (
    "CREATE TABLE plank (length int, double int GENERATED ALWAYS AS (length * 2) STORED)",
    "ALTER TABLE plank ALTER double DROP EXPRESSION",
)
_GUARDED = (
    "CREATE TABLE chest (id int, owner text, open boolean); CREATE POLICY owners ON chest USING (owner = CURRENT_USER)",
    "ALTER POLICY owners ON chest USING (open)",
)

CASES = (
    Case("a label of an earlier file is used", _MOODS, "INSERT INTO bear VALUES (1, 'hungry')"),
    Case(
        "a label of a renamed enum is used",
        (*_MOODS, "ALTER TYPE mood RENAME TO temper"),
        "INSERT INTO bear VALUES (1, 'hungry')",
    ),
    Case("the column of a trigger has another type", _WATCHED, "ALTER TABLE hive ALTER bees TYPE bigint"),
    Case(
        "the column of a trigger that is gone has another type",
        (*_WATCHED, "DROP TRIGGER watch_bees ON hive"),
        "ALTER TABLE hive ALTER bees TYPE bigint",
    ),
    Case(
        "the column of a trigger that went with its function is dropped",
        (*_WATCHED, "DROP FUNCTION note_hive CASCADE"),
        "ALTER TABLE hive DROP bees",
    ),
    Case(
        "a column of an index's condition has another type, once more",
        (
            "CREATE TABLE jar (id int, grams int, filled timestamp)",
            "CREATE INDEX jar_full ON jar (filled DESC) WHERE grams > 0",
            "ALTER TABLE jar ALTER filled TYPE timestamptz",
        ),
        "ALTER TABLE jar ALTER grams TYPE float",
    ),
    Case(
        "a column is added after the last one was dropped",
        ("CREATE TABLE comb (a int, b int)", "ALTER TABLE comb DROP b", "ALTER TABLE comb ADD c int NOT NULL"),
        "ALTER TABLE comb DROP c",
    ),
    Case(
        "NOT NULL of an added column is a constraint",
        ("CREATE TABLE comb (a int)", "ALTER TABLE comb ADD c int CONSTRAINT always NOT NULL, ADD d int NOT NULL"),
        "ALTER TABLE comb DROP CONSTRAINT comb_d_not_null",
    ),
    Case(
        "a key is said twice",
        ("CREATE TABLE queen (name text CONSTRAINT one UNIQUE PRIMARY KEY, hive int UNIQUE)",),
        "ALTER TABLE queen ADD UNIQUE (name)",
    ),
    Case("an owner is dropped", _KEEPERS, "DROP ROLE files_keeper"),
    Case("an owner who gave all away is dropped", _HANDED_OVER, "DROP ROLE files_keeper"),
    Case("who was given all is dropped", _HANDED_OVER, "DROP ROLE files_heir"),
    Case(
        "who owned only what is dropped is dropped",
        (*_KEEPERS, "DROP TABLE barn.cow"),
        "DROP ROLE IF EXISTS files_keeper",
    ),
    Case("all that an owner has is dropped", _KEEPERS, "DROP OWNED BY files_keeper"),
    Case(
        "what is made belongs to the role that was set",
        (
            "CREATE ROLE files_keeper; GRANT ALL ON SCHEMA public TO files_keeper",
            "SET ROLE files_keeper; CREATE TABLE cow (id serial PRIMARY KEY); CREATE TYPE milk AS ENUM ('raw')",
            "CREATE VIEW herd AS SELECT id FROM cow",
        ),
        "DROP OWNED BY files_keeper CASCADE",
    ),
    Case(
        "a schema and what it begins with belong to a role",
        ("CREATE ROLE files_keeper", "CREATE SCHEMA AUTHORIZATION files_keeper CREATE TABLE cow (id int)"),
        "DROP OWNED BY files_keeper",
    ),
    Case("who was granted something is dropped", _GUESTS, "DROP ROLE files_guest"),
    Case(
        "who was granted something that is gone is dropped",
        (*_GUESTS, "DROP TABLE cow"),
        "DROP ROLE files_guest",
    ),
    Case(
        "whom everything was taken from is dropped",
        (*_GUESTS, "DROP OWNED BY files_guest"),
        "DROP ROLE files_guest",
    ),
    Case(
        "a role that is gone is granted something",
        (*_GUESTS, "DROP OWNED BY files_guest; DROP ROLE files_guest"),
        "GRANT SELECT ON cow TO files_guest",
    ),
    Case(
        "an array of an enum keeps it",
        ("CREATE TYPE mood AS ENUM ('calm'); CREATE TABLE bear (id int, moods mood[] DEFAULT '{calm}')",),
        "DROP TYPE mood",
    ),
    Case(
        "an array of an enum goes with it",
        ("CREATE TYPE mood AS ENUM ('calm'); CREATE TABLE bear (id int, moods mood[])",),
        "DROP TYPE mood CASCADE",
    ),
    Case(
        "an enum is free once its column has another one",
        (
            "CREATE TYPE mood AS ENUM ('calm'); CREATE TABLE bear (id int, mood mood NOT NULL DEFAULT 'calm')",
            "CREATE TYPE temper AS ENUM ('calm', 'hungry');"
            "ALTER TABLE bear ALTER mood DROP DEFAULT, ALTER mood TYPE temper USING mood::text::temper;"
            "ALTER TABLE bear ALTER mood SET DEFAULT 'hungry'",
        ),
        "DROP TYPE mood",
    ),
    Case(
        "a function takes a type",
        (
            "CREATE TYPE mood AS ENUM ('calm');"
            "CREATE FUNCTION calms(mood[]) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
        ),
        "DROP TYPE mood",
    ),
    Case(
        "a function gives rows of a table",
        ("CREATE TABLE bear (id int);CREATE FUNCTION bears() RETURNS SETOF bear LANGUAGE sql AS 'SELECT * FROM bear'",),
        "DROP TABLE bear",
    ),
    Case(
        "a column holds rows of a table",
        ("CREATE TABLE bear (id int, name text); CREATE TABLE den (id int, bear bear)",),
        "ALTER TABLE bear ALTER id TYPE bigint",
    ),
    Case(
        "a table is dropped whose rows a column holds",
        ("CREATE TABLE bear (id int, name text); CREATE TABLE den (id int, bear bear)",),
        "DROP TABLE bear",
    ),
    Case(
        "a domain is made of an enum",
        ("CREATE TYPE mood AS ENUM ('calm', 'gruff'); CREATE DOMAIN gentle AS mood CHECK (VALUE <> 'gruff')",),
        "DROP TYPE mood",
    ),
    Case(
        "a view groups by a primary key",
        (
            "CREATE TABLE bear (id int CONSTRAINT known PRIMARY KEY, name text); CREATE TABLE meal (bear int);"
            "CREATE VIEW meals AS SELECT b.name, count(*) FROM bear b JOIN meal m ON m.bear = b.id GROUP BY b.id",
        ),
        "ALTER TABLE bear DROP CONSTRAINT known",
    ),
    Case(
        "a rule writes a column",
        (
            "CREATE TABLE bear (id int, name text, seen timestamptz); CREATE TABLE visit (bear int);"
            "CREATE RULE note AS ON INSERT TO visit DO ALSO UPDATE bear SET seen = now() WHERE id = new.bear",
        ),
        "ALTER TABLE bear DROP seen",
    ),
    Case(
        "a rule goes with a column",
        (
            "CREATE TABLE bear (id int, name text, seen timestamptz); CREATE TABLE visit (bear int, day date);"
            "CREATE RULE note AS ON DELETE TO visit DO ALSO INSERT INTO bear (id) VALUES (old.bear)",
        ),
        "ALTER TABLE visit DROP bear CASCADE",
    ),
    Case("a wrapper that is needed is dropped", _ABROAD, "DROP FOREIGN DATA WRAPPER post"),
    Case("a server goes with its tables", _ABROAD, "DROP SERVER abroad CASCADE"),
    Case(
        "a server is made again",
        (*_ABROAD, "DROP SERVER abroad CASCADE"),
        "CREATE SERVER abroad FOREIGN DATA WRAPPER post",
    ),
    Case(
        "a publication under its new name is dropped",
        (
            "CREATE TABLE leaf (id int); CREATE PUBLICATION news FOR TABLE leaf",
            "ALTER PUBLICATION news RENAME TO notes",
        ),
        "DROP PUBLICATION one",
    ),
    Case(
        "statistics are dropped",
        ("CREATE TABLE leaf (id int, edge text); CREATE STATISTICS leaf_stats ON id, edge FROM leaf",),
        "DROP STATISTICS leaf_stats",
    ),
    Case(
        "statistics that went with a column are made again",
        (
            "CREATE TABLE leaf (id int, edge text); CREATE STATISTICS leaf_stats ON id, edge FROM leaf",
            "ALTER TABLE leaf DROP edge, ADD tip text",
        ),
        "CREATE STATISTICS leaf_stats ON id, tip FROM leaf",
    ),
    Case(
        "a collation that a column has is dropped",
        ('CREATE COLLATION plain FROM "C"; CREATE TABLE leaf (edge text COLLATE plain)',),
        "DROP COLLATION plain",
    ),
    Case(
        "a collation goes with an index",
        ('CREATE COLLATION plain FROM "C"; CREATE TABLE leaf (edge text); CREATE INDEX ON leaf (edge COLLATE plain)',),
        "DROP COLLATION plain CASCADE",
    ),
    Case(
        "a collation that a column no longer has is dropped",
        (
            'CREATE COLLATION plain FROM "C"; CREATE TABLE leaf (edge text COLLATE plain)',
            'ALTER TABLE leaf ALTER edge TYPE text COLLATE "C"',
        ),
        "DROP COLLATION plain",
    ),
    Case("a function that an operator calls is dropped", _EQUAL, "DROP FUNCTION alike"),
    Case("an operator is made again", (*_EQUAL, "DROP OPERATOR === (leaf, leaf)"), _EQUAL[2]),
    Case("rows are compared by an operator", _EQUAL, "SELECT a === b FROM leaf a, leaf b"),
    Case("a type of attributes that a cast and tables need", _SIZES, "DROP TYPE size"),
    Case("an attribute that a row has not", _SIZES, "SELECT (outer_size).depth FROM box"),
    Case(
        "an attribute of rows in an array",
        (*_SIZES, "ALTER TABLE box DROP outer_size"),
        "ALTER TYPE size ALTER ATTRIBUTE width TYPE bigint CASCADE",
    ),
    Case(
        "a type that a table is no longer of",
        (_SIZES[0], "CREATE TABLE plan OF size; DROP TABLE box", "ALTER TABLE plan NOT OF"),
        "DROP TYPE size",
    ),
    Case(
        "an operator class that an index uses is dropped",
        (
            "CREATE OPERATOR CLASS ups FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =,"
            " OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int, int)",
            "CREATE TABLE leaf (id int); CREATE INDEX ON leaf (id ups)",
        ),
        "DROP OPERATOR CLASS ups USING btree",
    ),
    Case(
        "a schema holds a function",
        ("CREATE SCHEMA grove; CREATE FUNCTION grove.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",),
        "DROP SCHEMA grove",
    ),
    Case(
        "a schema from which all has moved",
        (
            "CREATE SCHEMA grove; CREATE FUNCTION grove.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "ALTER FUNCTION grove.f() SET SCHEMA public",
        ),
        "DROP SCHEMA grove",
    ),
    Case("a type of an extension becomes a built-in one", _BROUGHT, "ALTER TABLE herb ALTER name TYPE text"),
    Case(
        "a type of an extension that nobody lists becomes text",
        ("CREATE EXTENSION isn; CREATE TABLE book (number text)",),
        "CREATE INDEX ON book ((number::isbn::text))",
    ),
    Case("an extension whose type a column has", _BROUGHT, "DROP EXTENSION citext"),
    Case("an extension goes with what uses it", _BROUGHT, "DROP EXTENSION hstore CASCADE"),
    Case("a schema that an extension is in", _BROUGHT, "DROP SCHEMA tools"),
    Case("a function in a schema that is not searched", _BROUGHT, "SELECT similarity('basil', 'mint')"),
    Case("a function of an extension", _BROUGHT, "SELECT tools.similarity('basil', 'mint'), notes -> 'use' FROM herb"),
    Case(
        "a type that went with its extension",
        (*_BROUGHT, "DROP EXTENSION hstore CASCADE"),
        "ALTER TABLE herb ADD notes hstore",
    ),
    Case(
        "an extension that nothing uses any more",
        (*_BROUGHT, "ALTER TABLE herb DROP notes", "DROP EXTENSION hstore"),
        "CREATE TABLE spice (notes hstore)",
    ),
    Case("a table that has moved is dropped", _MOVED, "DROP TABLE bed.tulip CASCADE"),
    Case("what has moved is not where it was", _MOVED, "SELECT id FROM tulip"),
    Case("a function of a schema under its new name", _MOVED, "DROP FUNCTION bed.dig"),
    Case("a type that has moved is had by columns", _MOVED, "DROP TYPE bed.hue"),
    Case("a partition's part of a key is dropped", _DIVIDED, "ALTER TABLE tally_1 DROP CONSTRAINT tally_1_pkey"),
    Case("a key that became a part is dropped", _DIVIDED, "ALTER TABLE tally_2 DROP CONSTRAINT own"),
    Case(
        "an index that has parts has another name",
        (*_DIVIDED, "ALTER INDEX tally_pkey RENAME TO tally_key"),
        "ALTER TABLE tally DROP CONSTRAINT tally_key",
    ),
    Case("a column that nothing is computed from any more", _COMPUTED, "ALTER TABLE plank DROP length"),
    Case("a column that a policy no longer names", _GUARDED, "ALTER TABLE chest DROP owner"),
    Case("a column that a policy names since", _GUARDED, "ALTER TABLE chest DROP open"),
    Case(
        "a temporary table of another session",
        ("CREATE TEMP TABLE slip (id int); INSERT INTO slip VALUES (1)",),
        "CREATE TEMP TABLE slip (id int, note text)",
    ),
    Case(
        "a column that another one is computed from",
        (_COMPUTED[0],),
        "ALTER TABLE plank DROP length",
    ),
    Case(
        "a type is looked for before a default",
        ("CREATE TABLE plank (length int)",),
        "CREATE TABLE beam (length int DEFAULT measured(), wood wood)",
    ),
    Case(
        "an index's condition holds a label of the type that was",
        (*_MOODS, "CREATE INDEX ON bear (id) WHERE mood = 'gruff'"),
        "ALTER TABLE bear ALTER mood TYPE text",
    ),
    Case(
        "a constraint holds labels of the type that was",
        (*_MOODS, "ALTER TABLE bear ADD CHECK (mood IN ('gruff', 'calm'))"),
        "ALTER TABLE bear ALTER mood TYPE text",
    ),
    Case(
        "a condition that serves the other type",
        (
            "CREATE TABLE bear (id int, age int, name varchar(9))",
            "CREATE INDEX ON bear (id) WHERE age > 3 AND name <> 'x'",
        ),
        "ALTER TABLE bear ALTER age TYPE bigint, ALTER name TYPE text",
    ),
    Case(
        "a materialized view without data is read",
        ("CREATE TABLE bear (id int); CREATE MATERIALIZED VIEW dens AS SELECT id FROM bear WITH NO DATA",),
        "SELECT id FROM dens",
    ),
)
