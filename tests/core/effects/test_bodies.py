"""Bodies are read into the statements that they may run; what cannot be read is said."""

from __future__ import annotations

from typing import Any

import pytest

from confiture_tui.core.effects.bodies import Body, catches, read_do, state_of
from confiture_tui.core.effects.constant_text import constant_text
from confiture_tui.core.sql.parser import parse
from confiture_tui.core.sql.statement import SyntaxProblem


def _node(sql: str) -> dict[str, Any]:
    tree = parse(sql)
    assert not isinstance(tree, SyntaxProblem), sql
    return tree[1]


def _do(body: str, declarations: str = "") -> Body:
    return read_do(_node(f"DO $body$ {declarations} BEGIN {body} END $body$"))


def _kinds(body: Body) -> list[tuple[str, bool]]:
    return [(part.kind, part.maybe) for part in body.parts]


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ("UPDATE t SET a = 1;", [("UpdateStmt", False)]),
        ("NULL;", []),
        ("IF f(1) THEN UPDATE t SET a = 1; END IF;", [("SelectStmt", False), ("UpdateStmt", True)]),
        ("IF true THEN DELETE FROM t; ELSE UPDATE t SET a = 1; END IF;", [("DeleteStmt", True), ("UpdateStmt", True)]),
        ("RETURN; DELETE FROM t;", []),
        ("IF true THEN RETURN; END IF; DELETE FROM t;", [("DeleteStmt", True)]),
        ("LOOP DELETE FROM t; EXIT WHEN NOT FOUND; END LOOP;", [("DeleteStmt", False), ("SelectStmt", False)]),
        ("LOOP EXIT WHEN f(); DELETE FROM t; END LOOP;", [("SelectStmt", False), ("DeleteStmt", True)]),
        ("WHILE f() LOOP DELETE FROM t; END LOOP;", [("SelectStmt", False), ("DeleteStmt", True)]),
        ("FOR i IN 1..3 LOOP DELETE FROM t; END LOOP;", [("DeleteStmt", False)]),
        ("FOR i IN REVERSE 3..1 LOOP DELETE FROM t; END LOOP;", [("DeleteStmt", False)]),
        ("FOR i IN 3..1 LOOP DELETE FROM t; END LOOP;", []),
        ("FOR i IN 1..f() LOOP DELETE FROM t; END LOOP;", [("SelectStmt", False), ("DeleteStmt", True)]),
        ("PERFORM f(1);", [("SelectStmt", False)]),
        ("CALL p();", [("CallStmt", False)]),
        ("EXECUTE 'DROP TABLE t';", [("DropStmt", False)]),
        ("EXECUTE 'DROP TABLE a; DROP TABLE b';", [("DropStmt", False), ("DropStmt", False)]),
        ("EXECUTE format('DROP TABLE %I', 'T');", [("DropStmt", False)]),
        ("EXECUTE 'DROP ' || 'TABLE ' || quote_ident('T');", [("DropStmt", False)]),
        ("CASE WHEN f() THEN DELETE FROM t; END CASE;", [("SelectStmt", False), ("DeleteStmt", True)]),
        (
            "BEGIN DELETE FROM t; EXCEPTION WHEN OTHERS THEN UPDATE t SET a = 1; END;",
            [("DeleteStmt", False), ("UpdateStmt", True)],
        ),
    ],
)
def test_what_a_body_may_run(body: str, parts: list[tuple[str, bool]]) -> None:
    read = _do(body)
    assert _kinds(read) == parts
    assert not read.opaque


@pytest.mark.parametrize(
    "body",
    [
        "EXECUTE 'DROP TABLE ' || x;",
        "EXECUTE format('DROP TABLE %I', x);",
        "EXECUTE x;",
        "FOR r IN EXECUTE x LOOP NULL; END LOOP;",
        "EXECUTE 'nonsense';",
    ],
)
def test_dynamic_sql_is_opaque(body: str) -> None:
    assert _do(body, "DECLARE x text := f(); r record;").opaque


def test_a_constant_is_known_to_execute() -> None:
    read = _do("EXECUTE 'DROP TABLE ' || x;", "DECLARE x CONSTANT text := 't';")
    assert _kinds(read) == [("DropStmt", False)]
    # A variable may be given another value.
    assert _do("EXECUTE 'DROP TABLE ' || x;", "DECLARE x text := 't';").opaque


def test_what_is_said_of_the_end() -> None:
    assert _do("COMMIT;").commits
    assert _do("ROLLBACK;").commits
    assert not _do("NULL;").commits
    assert _do("RAISE EXCEPTION 'no %', 1;").raises == ("P0001", "no %")
    assert _do("RAISE EXCEPTION 'no' USING ERRCODE = '22023';").raises == ("22023", "no")
    assert _do("RAISE division_by_zero;").raises == ("22012", "division_by_zero")
    assert _do("RAISE NOTICE 'hello';").raises is None
    maybe = _do("IF true THEN RAISE EXCEPTION 'no'; END IF;")
    assert maybe.raises is None
    assert maybe.may_raise == (("P0001", "no"),)
    caught = _do("BEGIN RAISE EXCEPTION 'no'; EXCEPTION WHEN OTHERS THEN NULL; END;")
    assert caught.raises is None
    assert caught.may_raise == ()


def test_what_handlers_catch() -> None:
    read = _do("BEGIN CREATE TYPE m AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN NULL; END;")
    assert read.parts[0].caught == {"42710"}
    assert catches({"42710"}, "42710")
    assert not catches({"42710"}, "42P07")
    assert catches({"others"}, "42P07")
    assert catches({state_of("integrity_constraint_violation")}, "23505")


def test_other_languages_and_broken_bodies_are_opaque() -> None:
    assert read_do(_node("DO LANGUAGE plpython3u 'x = 1'")).opaque
    assert _do("THIS IS NO PLPGSQL;").opaque


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("'a'", "a"),
        ("'a' || 1", "a1"),
        ("format('%s.%I = %L', 'a', 'B', 'it''s')", "a.\"B\" = 'it''s'"),
        ("format('%1$s%1$s%%', 'a')", "aa%"),
        ("format('%s %s', 'a')", None),
        ("quote_literal('a')", "'a'"),
        ("concat('a', 'b')", "ab"),
        ("'a'::text", "a"),
        ("k", "known"),
        ("x", None),
        ("'a' || x", None),
        ("upper('a')", None),
        ("(SELECT 'a')", None),
        ("1,", None),
    ],
)
def test_constant_text(expression: str, text: str | None) -> None:
    assert constant_text(expression, {"k": "known"}) == text
