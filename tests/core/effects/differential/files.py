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
)
