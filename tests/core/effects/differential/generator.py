"""Random tables and random ALTER TABLE statements on them.

A table has columns of many types with defaults, NOT NULL, checks and indexes, and perhaps foreign keys in both
directions, views, partitions or a child. Values fit: most statements succeed, and those that cannot are as good.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

VALUES = {
    "smallint": "i % 100",
    "integer": "i",
    "bigint": "i",
    "numeric(10,2)": "i",
    "real": "i",
    "text": "'v' || i",
    "varchar(20)": "'v' || i",
    "char(6)": "'v' || i",
    "boolean": "i % 2 = 0",
    "date": "date '2024-01-01' + i",
    "timestamp": "timestamp '2024-01-01' + i * interval '1 hour'",
    "timestamptz": "timestamptz '2024-01-01 00:00+00' + i * interval '1 hour'",
    "jsonb": "'{}'",
    "json": "'{}'",
    "integer[]": "ARRAY[i]",
    "fruit": "'apple'",
    "small": "1 + i % 50",
    "wide": "'w' || i",
}
"""Types, and a value of each for row number i."""

CONSTANTS = {
    "smallint": "1",
    "integer": "1",
    "bigint": "1",
    "numeric(10,2)": "1.5",
    "real": "1",
    "text": "'x'",
    "varchar(20)": "'x'",
    "char(6)": "'x'",
    "boolean": "true",
    "date": "'2024-01-01'",
    "timestamp": "'2024-01-01'",
    "timestamptz": "'2024-01-01 00:00+00'",
    "jsonb": "'{}'",
    "json": "'{}'",
    "integer[]": "'{}'",
    "fruit": "'apple'",
    "small": "5",
    "wide": "'x'",
}

TARGETS = (*VALUES, "numeric", "numeric(12,2)", "numeric(12,3)", "varchar(40)", "varchar", "timestamp(3)", "xml")
"""Types that a column may be changed to."""

_NOT_INDEXABLE = {"json"}
_NUMBERS = {"smallint", "integer", "bigint", "numeric(10,2)", "real"}

PRELUDE = """
CREATE TYPE fruit AS ENUM ('apple', 'pear');
CREATE DOMAIN small AS integer CHECK (VALUE > 0);
CREATE DOMAIN wide AS text;
CREATE FUNCTION vague() RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE TABLE target (id integer PRIMARY KEY, other text UNIQUE);
INSERT INTO target SELECT i, 't' || i FROM generate_series(0, 400) i;
"""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the random table."""

    name: str
    type: str
    not_null: bool
    default: bool
    check: str


@dataclass(frozen=True, slots=True)
class Table:
    """A random table, called ``subject``: the script that makes it, and the names that statements may use."""

    setup: str
    columns: tuple[Column, ...]
    constraints: tuple[str, ...]
    indexes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A table, and statements to be tried on it, each by itself."""

    table: Table
    statements: tuple[str, ...]


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """A random table."""
    types = draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=2, max_size=6))
    columns = tuple(
        Column(
            f"c{number}",
            kind,
            draw(st.booleans()),
            draw(st.booleans()),
            draw(st.sampled_from(("", "", "", "valid", "not valid"))),
        )
        for number, kind in enumerate(types, start=1)
    )
    shape = draw(st.sampled_from(("plain", "plain", "plain", "partitioned", "parent")))
    key = draw(st.sampled_from(("", "PRIMARY KEY (id)", "UNIQUE (id)")))
    lines = ["id integer NOT NULL"]
    for one in columns:
        line = f"{one.name} {one.type}"
        if one.default:
            line += f" DEFAULT {CONSTANTS[one.type]}"
        lines.append(line + (" NOT NULL" if one.not_null else ""))
    if key:
        lines.append(f"CONSTRAINT subject_key {key}")
    script = [
        f"CREATE TABLE subject ({', '.join(lines)})" + (" PARTITION BY RANGE (id)" if shape == "partitioned" else "")
    ]
    if shape == "partitioned":
        script += [
            "CREATE TABLE subject_1 PARTITION OF subject FOR VALUES FROM (0) TO (200)",
            "CREATE TABLE subject_2 PARTITION OF subject DEFAULT",
        ]
    if shape == "parent":
        script.append("CREATE TABLE subject_child (extra integer) INHERITS (subject)")
    # Never empty: what a scan of nothing spares the planner is not what these are about.
    rows = 300
    values = ", ".join(VALUES[one.type] for one in columns)
    names = ", ".join(one.name for one in columns)
    filled = ("subject", "subject_child") if shape == "parent" else ("subject",)
    for name in filled:
        script.append(f"INSERT INTO {name} (id, {names}) SELECT i, {values} FROM generate_series(1, {rows}) i")
    constraints = ["subject_key"] if key else []
    for one in columns:
        if one.check:
            valid = " NOT VALID" if one.check == "not valid" else ""
            script.append(f"ALTER TABLE subject ADD CONSTRAINT {one.name}_there CHECK ({one.name} IS NOT NULL){valid}")
            constraints.append(f"{one.name}_there")
    indexes = []
    for number in range(draw(st.integers(0, 3))):
        usable = [one for one in columns if one.type not in _NOT_INDEXABLE]
        if not usable:
            break
        chosen = draw(st.lists(st.sampled_from(usable), min_size=1, max_size=2, unique=True))
        where = draw(st.sampled_from(("", "", " WHERE id > 10")))
        indexes.append(f"subject_ix{number}")
        script.append(f"CREATE INDEX subject_ix{number} ON subject ({', '.join(one.name for one in chosen)}){where}")
    numbers = [one for one in columns if one.type == "integer"]
    if draw(st.booleans()) and numbers:
        valid = " NOT VALID" if shape != "partitioned" and draw(st.booleans()) else ""
        script.append(
            f"ALTER TABLE subject ADD CONSTRAINT subject_fk FOREIGN KEY ({numbers[0].name}) REFERENCES target{valid}"
        )
        constraints.append("subject_fk")
    if draw(st.booleans()) and key:
        script.append("CREATE TABLE referrer (id integer, subject integer CONSTRAINT back REFERENCES subject (id))")
        script.append(f"INSERT INTO referrer SELECT i, i FROM generate_series(1, {rows}) i")
    if draw(st.integers(0, 3)) == 0:
        viewed = draw(st.lists(st.sampled_from(columns), min_size=1, max_size=2, unique=True))
        script.append(f"CREATE VIEW looker AS SELECT id, {', '.join(one.name for one in viewed)} FROM subject")
    setup = PRELUDE + ";\n".join(script) + ";\nANALYZE;"
    return Table(setup, columns, tuple(constraints), tuple(indexes))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A random table, and some random statements on it."""
    table = draw(tables())
    statements = draw(st.lists(_statements(table), min_size=4, max_size=8))
    return Case(table, tuple(statements))


def _statements(table: Table) -> st.SearchStrategy[str]:
    return st.lists(_commands(table), min_size=1, max_size=3).map(
        lambda commands: "ALTER TABLE subject " + ", ".join(commands)
    )


@st.composite
def _commands(draw: st.DrawFn, table: Table) -> str:
    """One sub-command."""
    column = draw(st.sampled_from(table.columns))
    name = column.name
    number = draw(st.integers(1, 3))
    kinds = [
        *(_added(draw, number) for _ in range(1)),
        f"DROP COLUMN {name}" + draw(st.sampled_from(("", " CASCADE"))),
        _changed(draw, column),
        f"ALTER COLUMN {name} SET DEFAULT {CONSTANTS[column.type]}",
        f"ALTER COLUMN {name} DROP DEFAULT",
        f"ALTER COLUMN {name} SET NOT NULL",
        f"ALTER COLUMN {name} DROP NOT NULL",
        f"ALTER COLUMN {name} SET STATISTICS 50",
        f"ADD CONSTRAINT fresh{number} CHECK ({name} IS NOT NULL)" + draw(st.sampled_from(("", " NOT VALID"))),
        f"ADD CONSTRAINT fresh{number} CHECK (id > 0 AND {name} IS NOT NULL)",
        f"ADD CONSTRAINT fresh{number} UNIQUE (id, {name})",
        f"ADD CONSTRAINT fresh{number} PRIMARY KEY (id)",
        f"ADD CONSTRAINT fresh{number} FOREIGN KEY (id) REFERENCES target" + draw(st.sampled_from(("", " NOT VALID"))),
        "REPLICA IDENTITY FULL",
        "ENABLE ROW LEVEL SECURITY",
        "DISABLE TRIGGER ALL",
        "SET (fillfactor = 70)",
        "SET UNLOGGED",
        "SET WITHOUT CLUSTER",
    ]
    if table.constraints:
        constraint = draw(st.sampled_from(table.constraints))
        kinds += [
            f"DROP CONSTRAINT {constraint}" + draw(st.sampled_from(("", " CASCADE"))),
            f"VALIDATE CONSTRAINT {constraint}",
        ]
    if table.indexes:
        kinds.append(f"CLUSTER ON {draw(st.sampled_from(table.indexes))}")
    return draw(st.sampled_from(kinds))


def _added(draw: st.DrawFn, number: int) -> str:
    kind = draw(st.sampled_from(sorted(VALUES)))
    default = draw(
        st.sampled_from(
            (
                "",
                f" DEFAULT {CONSTANTS[kind]}",
                f" DEFAULT {CONSTANTS[kind]} NOT NULL",
                " NOT NULL",
                f" DEFAULT {CONSTANTS[kind]} CHECK (x{number} IS NOT NULL)",
            )
        )
    )
    forms = (
        f"ADD COLUMN x{number} {kind}{default}",
        f"ADD COLUMN x{number} {kind}{default}",
        f"ADD COLUMN x{number} integer DEFAULT vague()",
        f"ADD COLUMN x{number} double precision DEFAULT random()",
        f"ADD COLUMN x{number} timestamptz DEFAULT now()",
        f"ADD COLUMN x{number} uuid DEFAULT gen_random_uuid() UNIQUE",
        f"ADD COLUMN x{number} integer GENERATED ALWAYS AS (id * 2) STORED",
        f"ADD COLUMN x{number} integer REFERENCES target",
        f"ADD COLUMN x{number} integer DEFAULT 1 REFERENCES target",
        f"ADD COLUMN x{number} serial",
    )
    return draw(st.sampled_from(forms))


def _changed(draw: st.DrawFn, column: Column) -> str:
    target = draw(st.sampled_from(TARGETS))
    using = draw(st.sampled_from(("", "", f" USING {column.name}::text::{target}")))
    return f"ALTER COLUMN {column.name} TYPE {target}{using}"
