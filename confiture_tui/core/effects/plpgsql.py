"""The tree of a PL/pgSQL body, as libpg_query writes it, read into the statements that it may run."""

from __future__ import annotations

import re
from collections.abc import Iterator

from confiture_tui.core.effects.body_parts import OTHERS, Body, Node, Part, catches, state_of, statements_of
from confiture_tui.core.effects.constant_text import constant_text
from confiture_tui.core.sql.parser import parse
from confiture_tui.core.sql.statement import SyntaxProblem

_ERROR = 21
"""``elog_level`` of RAISE EXCEPTION (elog.h); what is below it only tells."""

_ASSIGNED = re.compile(r"\A[^:=]*:?=")
_ENDS = frozenset({"PLpgSQL_stmt_return", "PLpgSQL_stmt_exit"})
_INERT = frozenset({"PLpgSQL_stmt_return_next", "PLpgSQL_stmt_getdiag", "PLpgSQL_stmt_fetch", "PLpgSQL_stmt_close"})
# They name variables and cursors only; the cursor's query is read where it is opened.

_OF_TRIGGERS = {
    "tg_name": "name",
    "tg_when": "text",
    "tg_level": "text",
    "tg_op": "text",
    "tg_relid": "oid",
    "tg_relname": "name",
    "tg_table_name": "name",
    "tg_table_schema": "name",
    "tg_nargs": "int4",
    "tg_argv": "_text",
    "tg_event": "text",
    "tg_tag": "text",
}
# The variables that a trigger's function has besides NEW and OLD (PostgreSQL documentation, 41.10 "Trigger Functions"):
# they are in the tree without their names.


class PlpgsqlReader:
    """Walks the tree of one PL/pgSQL body."""

    def __init__(self, function: Node) -> None:
        self._datums: list[Node] = function.get("datums", [])
        self._action: Node = function.get("action", {})
        self._parts: list[Part] = []
        self._opaque: dict[str, None] = {}
        self._raised: list[tuple[str, str]] = []
        self._raises: tuple[str, str] | None = None
        self._commits = False
        self._maybe = 0
        self._caught: list[frozenset[str]] = []
        self._texts: dict[str, str] = {}

    def body(self) -> Body:
        """The whole of it."""
        self._declarations()
        self._statement(self._action)
        return Body(
            tuple(self._parts),
            dict(self._variables()),
            self._commits,
            self._raises,
            tuple(self._raised),
            tuple(self._opaque),
        )

    def _variables(self) -> Iterator[tuple[str, str | None]]:
        if {} in self._datums:
            yield from _OF_TRIGGERS.items()
        for datum in self._datums:
            variable = datum.get("PLpgSQL_var")
            if variable is not None:
                written = variable.get("datatype", {}).get("PLpgSQL_type", {}).get("typname")
                yield variable["refname"], written
            elif "PLpgSQL_rec" in datum:
                yield datum["PLpgSQL_rec"]["refname"], None

    def _declarations(self) -> None:
        """Values that variables start with; a constant text is remembered for EXECUTE."""
        for datum in self._datums:
            variable = datum.get("PLpgSQL_var", {})
            default = variable.get("default_val")
            if default is not None:
                self._expression(default)
                query = default["PLpgSQL_expr"]["query"]
                text = constant_text(query, {})
                if variable.get("isconst") and text is not None:
                    self._texts[variable["refname"]] = text

    def _block(self, statements: list[Node]) -> bool:
        """Read statements one after the other; whether the end of them is reached for certain."""
        before = self._maybe
        for statement in statements:
            ((kind, node),) = statement.items()
            if kind in _ENDS:
                self._expressions(node)
                if "cond" in node:
                    self._maybe += 1
                    continue
                self._maybe = before
                return False
            if kind == "PLpgSQL_stmt_raise" and self._raise(node):
                self._maybe = before
                return False
            if not self._statement(statement):
                # A branch of it may leave the body, so that what follows may not be run.
                self._maybe += 1
        ended = self._maybe == before
        self._maybe = before
        return ended

    def _branch(self, statements: list[Node]) -> bool:
        self._maybe += 1
        ended = self._block(statements)
        self._maybe -= 1
        return ended

    def _raise(self, node: Node) -> bool:
        """Whether the RAISE is an error, so that nothing after it runs."""
        self._expressions(node)
        if node.get("elog_level") != _ERROR:
            return False
        name = node.get("condname")
        failure = (state_of(name or "raise_exception"), str(node.get("message") or name or "an error is raised again"))
        for option in node.get("options", ()):
            if not option.get("PLpgSQL_raise_option", {}).get("opt_type"):  # 0: ERRCODE
                written = option["PLpgSQL_raise_option"].get("expr", {}).get("PLpgSQL_expr", {}).get("query", "NULL")
                failure = (state_of(constant_text(written, {}) or ""), failure[1])
        if self._maybe or self._caught or self._raises is not None:
            if not any(catches(one, failure[0]) for one in self._caught):
                self._raised.append(failure)
        else:
            self._raises = failure
        return True

    def _statement(self, statement: Node) -> bool:
        """Read one statement; whether what follows it is reached for certain."""
        if not statement:
            return True
        ((kind, node),) = statement.items()
        match kind:
            case "PLpgSQL_stmt_block":
                return self._nested_block(node)
            case "PLpgSQL_stmt_if":
                return self._if(node)
            case "PLpgSQL_stmt_case":
                self._optional(node.get("t_expr"))
                ended = [self._when(one["PLpgSQL_case_when"]) for one in node.get("case_when_list", ())]
                return self._branch(node.get("else_stmts", [])) and all(ended)
            case "PLpgSQL_stmt_fori":
                return self._counted(node)
            case "PLpgSQL_stmt_loop":
                return self._block(node.get("body", [])) or True
            case "PLpgSQL_stmt_while":
                self._optional(node.get("cond"))
                return self._branch(node.get("body", []))
            case "PLpgSQL_stmt_fors" | "PLpgSQL_stmt_foreach_a":
                self._optional(node.get("query") or node.get("expr"))
                return self._branch(node.get("body", []))
            case "PLpgSQL_stmt_forc" | "PLpgSQL_stmt_open":
                self._cursor(node)
                return self._branch(node.get("body", []))
            case "PLpgSQL_stmt_dynfors":
                self._dynamic(node.get("query"))
                return self._branch(node.get("body", []))
            case "PLpgSQL_stmt_dynexecute":
                self._dynamic(node.get("query"))
                for parameter in node.get("params", ()):
                    self._expression(parameter)
            case "PLpgSQL_stmt_return_query":
                self._optional(node.get("query"))
                if "dynquery" in node:
                    self._dynamic(node["dynquery"])
            case "PLpgSQL_stmt_execsql":
                self._expression(node["sqlstmt"])
            case "PLpgSQL_stmt_commit" | "PLpgSQL_stmt_rollback":
                self._commits = True
            case "PLpgSQL_stmt_raise":
                self._raise(node)
            case "PLpgSQL_stmt_perform" | "PLpgSQL_stmt_call" | "PLpgSQL_stmt_assign" | "PLpgSQL_stmt_assert":
                self._expressions(node)
                if kind == "PLpgSQL_stmt_assert":
                    self._raised.append(("P0004", "an ASSERT may not hold"))
            case _ if kind in _INERT:
                self._expressions(node)
            case _:
                self._opaque[f"{kind.removeprefix('PLpgSQL_stmt_')} in a body is not read"] = None
        return True

    def _counted(self, node: Node) -> bool:
        """FOR over numbers: with bounds that are written out it is known whether it runs."""
        for bound in ("lower", "upper", "step"):
            self._optional(node.get(bound))
        texts = [constant_text(node[bound]["PLpgSQL_expr"]["query"], {}) for bound in ("lower", "upper")]
        numbers = [int(text) for text in texts if text is not None and text.isdecimal()]
        if len(numbers) < 2:
            return self._branch(node.get("body", []))
        first, last = reversed(numbers) if node.get("reverse") else numbers
        return self._block(node.get("body", [])) if first <= last else True

    def _nested_block(self, node: Node) -> bool:
        handlers = node.get("exceptions", {}).get("PLpgSQL_exception_block", {}).get("exc_list", [])
        if not handlers:
            return self._block(node.get("body", []))
        names = frozenset(
            state_of(str(condition["PLpgSQL_condition"].get("condname", OTHERS)))
            for one in handlers
            for condition in one["PLpgSQL_exception"].get("conditions", ())
        )
        self._caught.append(names)
        ended = self._block(node.get("body", []))
        self._caught.pop()
        for one in handlers:
            self._branch(one["PLpgSQL_exception"].get("action", []))
        return ended

    def _if(self, node: Node) -> bool:
        self._optional(node.get("cond"))
        ended = [self._branch(node.get("then_body", []))]
        for one in node.get("elsif_list", ()):
            branch = one["PLpgSQL_if_elsif"]
            self._optional(branch.get("cond"))
            ended.append(self._branch(branch.get("stmts", [])))
        ended.append(self._branch(node.get("else_body", [])))
        return all(ended)

    def _when(self, node: Node) -> bool:
        self._optional(node.get("expr"))
        return self._branch(node.get("stmts", []))

    def _cursor(self, node: Node) -> None:
        self._optional(node.get("query"))
        if "dynquery" in node:
            self._dynamic(node["dynquery"])
        number = node.get("curvar", 0)
        variable = self._datums[number].get("PLpgSQL_var", {}) if number < len(self._datums) else {}
        self._optional(variable.get("cursor_explicit_expr"))

    def _dynamic(self, node: Node | None) -> None:
        """EXECUTE: read when its text can be told beforehand."""
        if node is None:
            return
        query = node["PLpgSQL_expr"]["query"]
        text = constant_text(query, self._texts)
        if text is None:
            self._expression(node)
            self._opaque["dynamic SQL cannot be read beforehand"] = None
            return
        inner = statements_of(text)
        for reason in inner.opaque:
            self._opaque[reason] = None
        for part in inner.parts:
            self._add(part.kind, part.node)

    def _optional(self, node: Node | None) -> None:
        if node is not None:
            self._expression(node)

    def _expressions(self, node: Node) -> None:
        """Every expression inside a node that holds no statements."""
        waiting: list[object] = [node]
        while waiting:
            one = waiting.pop(0)
            if isinstance(one, list):
                waiting.extend(one)
            elif isinstance(one, dict):
                if "PLpgSQL_expr" in one:
                    self._expression(one)
                else:
                    waiting.extend(inside for inside in one.values() if isinstance(inside, dict | list))

    def _expression(self, node: Node) -> None:
        expression = node["PLpgSQL_expr"]
        query = str(expression.get("query", ""))
        mode = expression.get("parseMode", 0)
        if mode == 2:
            query = f"SELECT {query}"
        elif mode > 2:
            query = f"SELECT {_ASSIGNED.sub('', query, count=1)}"
        tree = parse(query)
        if isinstance(tree, SyntaxProblem):
            self._opaque["a statement in a body cannot be read"] = None
            return
        self._add(*tree)

    def _add(self, kind: str, node: Node) -> None:
        if kind == "SelectStmt" and _is_plain(node):
            return
        caught = frozenset[str]().union(*self._caught)
        self._parts.append(Part(kind, node, self._maybe > 0, caught))


def _is_plain(select: Node) -> bool:
    """``SELECT`` of constants and variables: nothing that touches anything."""
    targets = select.get("targetList", [])
    return select.keys() <= {"targetList", "limitOption", "op"} and all(
        {"A_Const", "ColumnRef"} & target.get("ResTarget", {}).get("val", {}).keys() for target in targets
    )
