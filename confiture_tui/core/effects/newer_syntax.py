"""Syntax that an older server does not know: the grammar that reads statements here is PostgreSQL 18's.

A server refuses such a statement before it looks at anything else (42601), so that nothing that it names matters.

Source: the grammars of PostgreSQL 14 to 18 (``gram.y``) and their release notes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

Node = dict[str, Any]


class Newer(NamedTuple):
    """A piece of syntax, the first major version that knows it, and what an older one says of it."""

    since: int
    what: str
    sqlstate: str = "42601"


def newer_syntax(kind: str, node: Node, major: int, sql: str = "") -> Newer | None:
    """A piece of a statement that a server of that major does not know; ``None``: it knows all of it.

    Args:
        kind: of its syntax tree's top node; ``node``: its fields.
        major: 14 for example.
        sql: its text: a few words leave no trace in the tree.
    """
    later: Newer | None = None
    for found in _newer(kind, node, _OF_DOMAINS if kind in _DOMAINS else _LOOKS):
        if found.since > major:
            if found.sqlstate == "42601":
                return found
            later = found
    return _of_words(kind, sql, major) or later


def newer_call(kind: str, node: Node, major: int) -> str | None:
    """A function that a server of that major takes for a user's, though it is a part of the grammar today."""
    for found in _newer(kind, node, _CALLS):
        if found.since > major:
            return found.what
    return None


def _newer(kind: str, node: Node, looks: Mapping[str, Callable[[Node], Iterator[Newer]]]) -> Iterator[Newer]:
    waiting: list[object] = [{kind: node}]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting.extend(inner for inner in one if isinstance(inner, dict | list))
        elif isinstance(one, dict):
            for key, value in one.items():
                if isinstance(value, dict):
                    if key in looks:
                        yield from looks[key](value)
                    waiting.append(value)
                elif isinstance(value, list):
                    waiting.append(value)


def _constraint(node: Node) -> Iterator[Newer]:
    kind = node.get("contype")
    if node.get("nulls_not_distinct"):
        yield Newer(15, "NULLS NOT DISTINCT")
    if node.get("fk_del_set_cols"):
        yield Newer(15, "the columns of ON DELETE SET NULL or SET DEFAULT")
    if kind in ("CONSTR_ATTR_ENFORCED", "CONSTR_ATTR_NOT_ENFORCED"):
        yield Newer(18, "ENFORCED")
    if kind in ("CONSTR_CHECK", "CONSTR_FOREIGN") and not node.get("is_enforced"):
        yield Newer(18, "NOT ENFORCED")
    if kind == "CONSTR_GENERATED" and node.get("generated_kind") == "v":
        yield Newer(18, "a virtual generated column")
    if kind == "CONSTR_NOTNULL" and (node.get("keys") or node.get("is_no_inherit")):
        yield Newer(18, "NOT NULL as a table's constraint")
    if node.get("without_overlaps"):
        yield Newer(18, "WITHOUT OVERLAPS")
    if node.get("fk_with_period") or node.get("pk_with_period"):
        yield Newer(18, "PERIOD")


def _index(node: Node) -> Iterator[Newer]:
    if node.get("nulls_not_distinct"):
        yield Newer(15, "NULLS NOT DISTINCT")


def _column(node: Node) -> Iterator[Newer]:
    if "storage_name" in node:
        yield Newer(16, "STORAGE of a new column")


def _command(node: Node) -> Iterator[Newer]:
    match node.get("subtype"):
        case "AT_SetAccessMethod":
            yield Newer(15, "SET ACCESS METHOD")
            if "name" not in node:
                yield Newer(17, "SET ACCESS METHOD DEFAULT")
        case "AT_SetStatistics" if "def" not in node:
            yield Newer(17, "SET STATISTICS DEFAULT")
        case "AT_SetStorage" if node.get("def", {}).get("String", {}).get("sval") == "default":
            yield Newer(16, "SET STORAGE DEFAULT")
        case "AT_SetExpression":
            yield Newer(17, "SET EXPRESSION")


def _altered_constraint(node: Node) -> Iterator[Newer]:
    if node.get("alterEnforceability"):
        yield Newer(18, "ALTER CONSTRAINT … ENFORCED")
    if node.get("alterInheritability"):
        # NO INHERIT has always been among the attributes that a constraint's ALTER may have; of none but a new one.
        yield Newer(18, "ALTER CONSTRAINT … INHERIT", "0A000" if node.get("noinherit") else "42601")


def _altered_domain(node: Node) -> Iterator[Newer]:
    if node.get("def", {}).get("Constraint", {}).get("contype") == "CONSTR_NOTNULL":
        yield Newer(17, "NOT NULL as a domain's constraint")


def _altered_statistics(node: Node) -> Iterator[Newer]:
    if "stxstattarget" not in node:
        yield Newer(17, "SET STATISTICS DEFAULT")


def _created_statistics(node: Node) -> Iterator[Newer]:
    if not node.get("defnames"):
        yield Newer(16, "CREATE STATISTICS without a name")


def _reindex(node: Node) -> Iterator[Newer]:
    if node.get("kind") in ("REINDEX_OBJECT_DATABASE", "REINDEX_OBJECT_SYSTEM") and "name" not in node:
        yield Newer(16, "REINDEX without a database's name")


def _grant(node: Node) -> Iterator[Newer]:
    if node.get("objtype") == "OBJECT_PARAMETER_ACL":
        yield Newer(15, "GRANT on a parameter")


def _grant_role(node: Node) -> Iterator[Newer]:
    for one in node.get("opt", ()):
        element = one["DefElem"]
        if element.get("defname") != "admin":
            yield Newer(16, f"the option {str(element.get('defname')).upper()} of a membership")
        elif node.get("is_grant") and not element.get("arg", {}).get("Boolean", {}).get("boolval"):
            yield Newer(16, "ADMIN FALSE")


def _default_privileges(node: Node) -> Iterator[Newer]:
    if node.get("action", {}).get("objtype") == "OBJECT_LARGEOBJECT":
        yield Newer(18, "default privileges of large objects")


def _published(node: Node) -> Iterator[Newer]:
    table = node.get("pubtable", {})
    if node.get("pubobjtype") != "PUBLICATIONOBJ_TABLE":
        yield Newer(15, "TABLES IN SCHEMA")
    if "columns" in table or "whereClause" in table:
        yield Newer(15, "columns or rows of a published table")


def _merge(node: Node) -> Iterator[Newer]:
    yield Newer(15, "MERGE")
    if "returningClause" in node or "returningList" in node:
        yield Newer(17, "MERGE … RETURNING")
    for one in node.get("mergeWhenClauses", ()):
        if one["MergeWhenClause"].get("matchKind") == "MERGE_WHEN_NOT_MATCHED_BY_SOURCE":
            yield Newer(17, "NOT MATCHED BY SOURCE")


def _common_table(node: Node) -> Iterator[Newer]:
    if "MergeStmt" in node.get("ctequery", {}):
        yield Newer(17, "MERGE in WITH", "0A000")


def _copy(node: Node) -> Iterator[Newer]:
    query = node.get("query")
    if query is not None and "MergeStmt" in query:
        yield Newer(17, "COPY of a MERGE")


def _returning(node: Node) -> Iterator[Newer]:
    if node.get("options"):
        yield Newer(18, "RETURNING WITH")


def _subselect(node: Node) -> Iterator[Newer]:
    if "alias" not in node:
        yield Newer(16, "a query in FROM without an alias")


def _call(node: Node) -> Iterator[Newer]:
    if node.get("funcformat") == "COERCE_SQL_SYNTAX":
        name = node["funcname"][-1].get("String", {}).get("sval") if node.get("funcname") else None
        if name == "timezone" and len(node.get("args", ())) == 1:
            yield Newer(17, "AT LOCAL")
        if name == "system_user":
            yield Newer(16, "SYSTEM_USER", "42703")  # a column's name, for whoever does not know it


def _xml(node: Node) -> Iterator[Newer]:
    if node.get("indent"):
        yield Newer(16, "XMLSERIALIZE … INDENT")


def _operator(node: Node) -> Iterator[Newer]:
    for one in node.get("options", ()):
        if one["DefElem"].get("defname") in ("commutator", "negator", "hashes", "merges"):
            yield Newer(17, "ALTER OPERATOR … SET of more than its estimators")


def _vacuumed(node: Node) -> Iterator[Newer]:
    if not node.get("relation", {}).get("inh", False):
        yield Newer(18, "VACUUM ONLY, ANALYZE ONLY")


def _subscription(node: Node) -> Iterator[Newer]:
    if node.get("kind") == "ALTER_SUBSCRIPTION_SKIP":
        yield Newer(15, "ALTER SUBSCRIPTION … SKIP")


def _json_object(node: Node) -> Iterator[Newer]:
    # Without anything inside it is a call of a function, for whoever does not know it.
    if node.get("exprs") or "output" in node:
        yield Newer(16, "JSON_OBJECT of keys and values")


def _json_array(node: Node) -> Iterator[Newer]:
    # NULL ON NULL is absent_on_null being absent: of an array, and only there, that is not what is meant by itself.
    if "output" in node or (node.get("exprs") and not node.get("absent_on_null")):
        yield Newer(16, "JSON_ARRAY with its own clauses")


def _json_aggregate(node: Node) -> Iterator[Newer]:
    if "output" in node.get("constructor", {}) or "key" in node.get("arg", {}):
        yield Newer(16, "an aggregate of JSON with its own clauses")


def _json_parse(node: Node) -> Iterator[Newer]:
    if node.get("unique_keys"):
        yield Newer(17, "JSON(… WITH UNIQUE KEYS)")


def _json_serialize(node: Node) -> Iterator[Newer]:
    if "output" in node:
        yield Newer(17, "JSON_SERIALIZE(… RETURNING …)")


def _json_function(node: Node) -> Iterator[Newer]:
    plain = node.get("wrapper", "JSW_UNSPEC") == "JSW_UNSPEC" and node.get("quotes") in (None, "JS_QUOTES_UNSPEC")
    if not plain or node.keys() & {"output", "passing", "on_empty", "on_error", "column_name"}:
        yield Newer(17, "a query of JSON with its own clauses")


def _always(since: int, what: str) -> Callable[[Node], Iterator[Newer]]:
    def look(_node: Node) -> Iterator[Newer]:
        yield Newer(since, what)

    return look


_LOOKS: dict[str, Callable[[Node], Iterator[Newer]]] = {
    "Constraint": _constraint,
    "IndexStmt": _index,
    "ColumnDef": _column,
    "AlterTableCmd": _command,
    "ATAlterConstraint": _altered_constraint,
    "AlterDomainStmt": _altered_domain,
    "AlterStatsStmt": _altered_statistics,
    "CreateStatsStmt": _created_statistics,
    "ReindexStmt": _reindex,
    "GrantStmt": _grant,
    "GrantRoleStmt": _grant_role,
    "AlterDefaultPrivilegesStmt": _default_privileges,
    "PublicationObjSpec": _published,
    "MergeStmt": _merge,
    "CopyStmt": _copy,
    "CommonTableExpr": _common_table,
    "returningClause": _returning,
    "RangeSubselect": _subselect,
    "FuncCall": _call,
    "XmlSerialize": _xml,
    "AlterOperatorStmt": _operator,
    "VacuumRelation": _vacuumed,
    "AlterSubscriptionStmt": _subscription,
    "AlterDatabaseRefreshCollStmt": _always(15, "REFRESH COLLATION VERSION"),
    "JsonObjectConstructor": _json_object,
    "JsonArrayConstructor": _json_array,
    "JsonArrayQueryConstructor": _always(16, "JSON_ARRAY of a query"),
    "JsonObjectAgg": _json_aggregate,
    "JsonArrayAgg": _json_aggregate,
    "JsonIsPredicate": _always(16, "IS JSON"),
    "JsonParseExpr": _json_parse,
    "JsonSerializeExpr": _json_serialize,
    "JsonFuncExpr": _json_function,
    "JsonTable": _always(17, "JSON_TABLE"),
}
"""By the key under which a node stands in the syntax tree."""
_DOMAINS = frozenset({"CreateDomainStmt", "AlterDomainStmt"})
_OF_DOMAINS = {key: look for key, look in _LOOKS.items() if key != "Constraint"}
# The constraints of a domain are others than a table's.

_CALLS: dict[str, Callable[[Node], Iterator[Newer]]] = {
    "JsonObjectConstructor": _always(16, "json_object"),
    "JsonArrayConstructor": _always(16, "json_array"),
    "JsonObjectAgg": _always(16, "json_objectagg"),
    "JsonArrayAgg": _always(16, "json_arrayagg"),
    "JsonScalarExpr": _always(17, "json_scalar"),
    "JsonSerializeExpr": _always(17, "json_serialize"),
    "JsonFuncExpr": lambda node: iter((Newer(17, str(node.get("op", "")).removesuffix("_OP").lower()),)),
    "MergeSupportFunc": _always(17, "merge_action"),
}

_TABLES = frozenset({"CreateStmt", "AlterTableStmt", "CreateForeignTableStmt", "IndexStmt"})
_PUBLICATIONS = frozenset({"CreatePublicationStmt", "AlterPublicationStmt"})
_WORDS: tuple[tuple[frozenset[str], int, str, re.Pattern[str]], ...] = (
    (_TABLES, 15, "NULLS DISTINCT", re.compile(r"\bNULLS\s+DISTINCT\b", re.IGNORECASE)),
    (_TABLES, 18, "ENFORCED", re.compile(r"(?:\)|\bREFERENCES\s+[\w.]+)\s*ENFORCED\b", re.IGNORECASE)),
    (frozenset({"GrantRoleStmt"}), 16, "ADMIN TRUE", re.compile(r"\bADMIN\s+TRUE\b", re.IGNORECASE)),
    (frozenset({"MergeStmt"}), 17, "BY TARGET", re.compile(r"\bMATCHED\s+BY\s+TARGET\b", re.IGNORECASE)),
    (_PUBLICATIONS, 15, "TABLE before each table", re.compile(r",\s*TABLE\b", re.IGNORECASE)),
)
"""Words that leave no trace in the tree: of which statements, since when, what they are."""

_BLANK = re.compile(r"""--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$.*?\$\1\$""", re.DOTALL)
"""Comments, and what is quoted: none of it is a word of the grammar."""


_NUMBERS = re.compile(r"(?<![\w$.])(?:0[xXoObB][0-9a-fA-F]|[0-9]+_[0-9])")
_NUMBERS_SINCE, _JUNK_SINCE = 16, 15
# Before 15 what follows the digits is a word of its own, which here and there may stand.


def _of_words(kind: str, sql: str, major: int) -> Newer | None:
    text: str | None = None
    if _JUNK_SINCE <= major < _NUMBERS_SINCE and _NUMBERS.search(sql):
        text = _BLANK.sub(" x ", sql)
        if _NUMBERS.search(text):
            return Newer(_NUMBERS_SINCE, "a number in hexadecimal, octal or binary, or with underscores")
    for kinds, since, what, pattern in _WORDS:
        if kind in kinds and since > major and pattern.search(sql):
            text = _BLANK.sub(" x ", sql) if text is None else text
            if pattern.search(text):
                return Newer(since, what)
    return None
