"""The door to the grammar: trees, problems with their places, and texts that would break a careless reader."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confiture_tui.core.sql import parser
from confiture_tui.core.sql.json_tree import _read_iteratively, read_json
from confiture_tui.core.sql.nesting import depth_bound
from confiture_tui.core.sql.parser import fingerprint, parse, parse_plpgsql
from confiture_tui.core.sql.statement import SyntaxProblem
from confiture_tui.errors import ConfitureError

if TYPE_CHECKING:
    from collections.abc import Callable

NESTED: dict[str, Callable[[int], str]] = {
    "sum": lambda n: "select " + "+".join(["1"] * n),
    "minus": lambda n: "select " + "- " * n + "x",
    "not": lambda n: "select " + "not " * n + "true",
    "casts": lambda n: "select 1" + "::a" * n,
    "is null": lambda n: "select a" + " isnull" * n,
    "brackets": lambda n: "select " + "(" * n + "1" + ")" * n,
    "array": lambda n: "select array" + "[" * n + "1" + "]" * n,
    "rows": lambda n: "select " + "(1," * n + "1" + ")" * n,
    "functions": lambda n: "select " + "f(" * n + "1" + ")" * n,
    "case": lambda n: "select " + "case when true then " * n + "1" + " end" * n,
    "union": lambda n: " union all ".join(["select 1, 2"] * n),
    "subselects": lambda n: "select * from (" * n + "select 1" + ") x" * n,
    "scalar subselects": lambda n: "select " + "(select " * n + "1" + ")" * n,
    "joins": lambda n: "select * from a " + "join b on a " * n,
    "with": lambda n: "with a as (" * n + "select 1" + ") select 1" * n,
    "functions with bodies": lambda n: "create function f(a int, b int) begin atomic select 1, 2; " * n + "end; " * n,
    "json": lambda n: "select * from json_table(a,'a' columns(" + "nested 'a' columns(" * n + "a int" + ")" * n + "))",
}  # fmt: skip


def problem(sql: str) -> SyntaxProblem:
    found = parse(sql)
    assert isinstance(found, SyntaxProblem)
    return found


def tree_depth(tree: Any) -> int:
    """Nodes on the longest way down, without recursion."""
    deepest, left = 0, [(tree, 0)]
    while left:
        value, depth = left.pop()
        deepest = max(deepest, depth)
        if isinstance(value, dict):
            left += [(inner, depth + 1) for inner in value.values()]
        elif isinstance(value, list):
            left += [(inner, depth) for inner in value]
    return deepest // 2


def json_size(tree: Any) -> int:
    """Nodes in the whole tree, without recursion."""
    count, left = 0, [tree]
    while left:
        value = left.pop()
        count += 1
        if isinstance(value, dict):
            left += value.values()
        elif isinstance(value, list | tuple):
            left += value
    return count


def test_a_tree() -> None:
    found = parse("ALTER TABLE shop.orders ADD COLUMN note text")
    assert not isinstance(found, SyntaxProblem)
    kind, node = found
    assert kind == "AlterTableStmt"
    assert node["relation"]["schemaname"] == "shop"
    assert node["cmds"][0]["AlterTableCmd"]["subtype"] == "AT_AddColumn"


@pytest.mark.parametrize(
    ("sql", "position", "line", "column"),
    [
        ("alter table a\n  ad clumn é", 17, 2, 3),
        ("select 'é', éé é é", 18, 1, 18),
        ("select 1,\n\n 'é' ||\n 'never closed", 21, 4, 2),
        ("select 1, /* never closed", 11, 1, 11),
        ("select (1", 10, 1, 10),
    ],
)
def test_a_problem_has_its_place_in_characters(sql: str, position: int, line: int, column: int) -> None:
    found = problem(sql)
    assert (found.position, found.line, found.column) == (position, line, column)


@pytest.mark.parametrize(
    ("sql", "position", "words"),
    [
        ("select 'a\0b'", 10, "NUL"),
        ("select '\ud800'", 9, "UTF-8"),
        ("", 1, "no statement"),
        ("-- nothing", 1, "no statement"),
        ("select 'é'; select 2", 13, "more than one"),
    ],
)
def test_texts_that_are_no_statement_are_problems(sql: str, position: int, words: str) -> None:
    found = problem(sql)
    assert words in found.message
    assert found.position == position


@pytest.mark.parametrize("kind", NESTED)
def test_the_depth_of_a_tree_is_never_underestimated(kind: str) -> None:
    for count in (1, 2, 5, 40, 300):
        sql = NESTED[kind](count)
        found = parse(sql)
        if not isinstance(found, SyntaxProblem):
            assert tree_depth(found[1]) <= depth_bound(sql) + 10


EXPRESSIONS = st.recursive(
    st.sampled_from(["1", "a", "'x,('", "$$;)$$", '"(,"', "e'\\'('", "a.b", "null"]),
    lambda inner: st.one_of(
        st.builds("{}+{}".format, inner, inner),
        st.builds("f({}, {})".format, inner, inner),
        st.builds("({}, {})".format, inner, inner),
        st.builds("({})".format, inner),
        st.builds("array[{}, {}]".format, inner, inner),
        st.builds("not {}".format, inner),
        st.builds("case when {} then {} else {} end".format, inner, inner, inner),
        st.builds("(select {}, {} union select {} from t, u)".format, inner, inner, inner),
        st.builds("{} in ({}, {})".format, inner, inner, inner),
        st.builds("({} /* ,( */ ) is null -- ,)\n".format, inner),
    ),
    max_leaves=25,
)


@settings(max_examples=200, deadline=None)
@given(EXPRESSIONS)
def test_the_depth_of_generated_trees_is_never_underestimated(expression: str) -> None:
    found = parse(f"select {expression}, 1")
    if not isinstance(found, SyntaxProblem):
        assert tree_depth(found[1]) <= depth_bound(f"select {expression}, 1") + 10


@pytest.mark.parametrize(
    ("kind", "count"),
    [("sum", 20_000), ("casts", 20_000), ("brackets", 5_000), ("union", 300), ("subselects", 40), ("joins", 2_000)],
)
def test_deep_trees_are_read(kind: str, count: int) -> None:
    found = parse(NESTED[kind](count))
    assert not isinstance(found, SyntaxProblem)
    assert found[0] == "SelectStmt"


def test_a_deep_tree_is_read_on_a_thread_with_a_small_stack() -> None:
    found: list[object] = []
    before = threading.stack_size(2 * 1024 * 1024)
    try:
        thread = threading.Thread(target=lambda: found.append(parse(NESTED["sum"](20_000))))
        thread.start()
        thread.join()
        assert threading.stack_size() == 2 * 1024 * 1024, "as it was found"
    finally:
        threading.stack_size(before)
    assert isinstance(found[0], tuple)


def test_no_depth_stops_the_interpreter() -> None:
    # On a thread of one megabyte, which trees of this depth would run through more than twice.
    code = (
        "import sys, threading; sys.path.insert(0, '.')\n"
        "from tests.core.sql.test_parser import NESTED, parse, fingerprint, parse_plpgsql\n"
        "def run():\n"
        "    for make in NESTED.values():\n"
        "        for count in (2_000, 20_000):\n"
        "            found = parse(make(count))\n"
        "            assert isinstance(found, tuple) or 'too deeply nested' in found.message, found\n"
        "        fingerprint(make(20_000))\n"
        "    fingerprint(NESTED['sum'](600_000))\n"
        "    for body in ('begin ' * 50_000, 'begin ' * 2_000 + 'null;' + 'end;' * 2_000):\n"
        "        parse_plpgsql(f'do $$ {body} $$')\n"
        "    print('survived')\n"
        "threading.stack_size(1024 * 1024)\n"
        "thread = threading.Thread(target=run); thread.start(); thread.join()\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=110)
    assert run.stdout == "survived\n", (run.returncode, run.stderr[-2000:])


def test_a_stack_that_the_system_will_not_give_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "_STACK_PER_LEVEL", 1 << 50)
    monkeypatch.setattr(parser, "_STACK_LIMIT", 1 << 60)
    assert "too deeply nested" in problem("select " + "+".join(["1"] * 50)).message


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
)


@given(JSON, st.booleans(), st.sampled_from([(",", ":"), (" , ", " :\n")]))
def test_the_reader_for_deep_trees_reads_what_the_common_one_reads(
    value: Any, ascii_only: bool, separators: tuple[str, str]
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, separators=separators)
    assert _read_iteratively(text) == json.loads(text)


def test_depth_does_not_stop_the_reader() -> None:
    value = read_json('{"a":[' * 100_000 + "1" + "]}" * 100_000)
    for _ in range(100_000):
        value = value["a"][0]
    assert value == 1


@given(st.text())
def test_what_a_string_holds_comes_back(text: str) -> None:
    text = text.replace("\0", "")
    found = parse("select '" + text.replace("'", "''") + "'")
    assert not isinstance(found, SyntaxProblem)
    constant = found[1]["targetList"][0]["ResTarget"]["val"]["A_Const"]
    assert constant["sval"].get("sval", "") == text


@settings(max_examples=300)
@given(st.text(alphabet=st.sampled_from("select 1fromt(,)*'\"$;:=<>-+/é\n{}[]\\")))
def test_no_text_stops_the_parser(text: str) -> None:
    found = parse(text)
    if isinstance(found, SyntaxProblem):
        assert found.message
        assert 1 <= found.position <= len(text) + 1
        assert text.count("\n", 0, found.position - 1) == found.line - 1


def test_many_threads_may_parse_at_once() -> None:
    lengths = [number % 7 * 60 + 1 for number in range(100)]
    with ThreadPoolExecutor(8) as executor:
        found = list(executor.map(parse, ("select " + "+".join(["1"] * length) for length in lengths)))
    for tree, length in zip(found, lengths, strict=True):
        assert not isinstance(tree, SyntaxProblem)
        assert json_size(tree) == json_size(parse("select " + "+".join(["1"] * length)))


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("select 'a' -- é it's\n 'b', $x$ 'c' -- no\n 'd' $x$", "ab"),
        ("select E'a' -- it's\n 'b\\';x' -- y\n  -- z\n\t'c', \"a\" -- 'd'\n", "ab';xc"),
        ("select /* 'a' -- b\n 'c' */ 'a' -- b\n 'c'", "ac"),
    ],
)
def test_comments_between_the_parts_of_a_string_are_blanks(sql: str, value: str) -> None:
    found = parse(sql)
    assert not isinstance(found, SyntaxProblem)
    assert found[1]["targetList"][0]["ResTarget"]["val"]["A_Const"]["sval"]["sval"] == value


def test_a_block_comment_between_the_parts_of_a_string_is_an_error() -> None:
    assert isinstance(parse("select 'a' /* no */\n 'b'"), SyntaxProblem)


def test_plpgsql_bodies() -> None:
    found = parse_plpgsql("create function f() returns int language plpgsql as $$ begin return 1; end $$")
    assert isinstance(found, list)
    assert "PLpgSQL_stmt_return" in found[0]["PLpgSQL_function"]["action"]["PLpgSQL_stmt_block"]["body"][0]
    assert parse_plpgsql("select 1") == []


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        ("\n\ndo $$ begin\n perform 1;\n retur é; end $$", 5),
        ("create function f() returns int\nlanguage plpgsql\nas $$\nbegin\n  retur 1;\nend $$", 5),
        ("do $$ beg $$", 1),
        ("do do", 1),
    ],
)
def test_a_mistake_in_a_body_has_its_line(sql: str, line: int) -> None:
    found = parse_plpgsql(sql)
    assert isinstance(found, SyntaxProblem)
    assert found.line == line


def test_fingerprints_look_past_constants_and_layout() -> None:
    assert fingerprint("select 1 from t") == fingerprint("SELECT\n 2 FROM t")
    assert fingerprint("select 1 from t") != fingerprint("select 1 from u")
    assert isinstance(fingerprint("selec 1"), SyntaxProblem)


def test_without_the_library_a_user_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    parser._library.cache_clear()
    try:
        with pytest.raises(ConfitureError, match="libpg_query") as caught:
            parse("select 1")
        assert "postgast" in caught.value.hint
    finally:
        parser._library.cache_clear()


def test_importing_the_door_opens_nothing() -> None:
    code = (
        "import sys, confiture_tui.core.sql.script as s\n"
        "from confiture_tui.core.sql.parser import _library\n"
        "assert _library.cache_info().currsize == 0\n"
        "s.Script('select 1').statements\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('postgast', 'google', 'psycopg', 'textual')])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_body_of_a_trigger_function_is_read() -> None:
    # The library writes a trigger's own variables with a brace too many; a text that looks like that stays as it is.
    found = parse_plpgsql(
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.x := '[{}},{}}'; RETURN NEW; END $$"
    )
    assert isinstance(found, list)
    (function,) = found
    (assignment, _) = function["PLpgSQL_function"]["action"]["PLpgSQL_stmt_block"]["body"]
    assert assignment["PLpgSQL_stmt_assign"]["expr"]["PLpgSQL_expr"]["query"] == "NEW.x := '[{}},{}}'"
