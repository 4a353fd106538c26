"""Where an object of the schema comes from: the file and line of the migration that made it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from confiture_tui.core.sql.identifiers import qualified_name, quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.lint.model import Violation
    from confiture_tui.core.migrations.model import Migration

DEFAULT_SCHEMA = "public"


class Origin(NamedTuple):
    """A place in a file; ``line`` is 1-based."""

    path: Path
    line: int


def origins_of(migrations: Iterable[Migration], *, default_schema: str = DEFAULT_SCHEMA) -> Mapping[str, Origin]:
    """The place of each object that these migrations make, by its quoted qualified name; the last one that does.

    What is made by dynamic SQL, or under another search_path, is not found.
    """
    found: dict[str, Origin] = {}
    for migration in migrations:
        if migration.path is None:
            continue
        for statement in migration.up.statements:
            if statement.node_kind is None or statement.node is None:
                continue
            for name in _made(statement.node_kind, statement.node, default_schema):
                found[name] = Origin(migration.path, statement.line)
    return found


def origin_of(violation: Violation, origins: Mapping[str, Origin]) -> Origin | None:
    """The place to which a violation is best told: that of its object, else that of its table."""
    for name in (violation.object, violation.object.partition("(")[0], violation.relation):
        if name and name in origins:
            return origins[name]
    return None


def _made(kind: str, node: dict[str, Any], schema: str) -> Iterator[str]:
    match kind:
        case "CreateStmt" | "ViewStmt" | "CreateTableAsStmt" | "CreateForeignTableStmt" | "CreateSeqStmt":
            base = node.get("base") or node.get("baseStmt") or node
            into = base.get("into") or {}
            relation = base.get("relation") or base.get("view") or base.get("sequence") or into.get("rel")
            if relation:
                name = _relation(relation, schema)
                yield name
                yield from _parts(name, base.get("tableElts", ()))
        case "AlterTableStmt":
            name = _relation(node.get("relation", {}), schema)
            for wrapped in node.get("cmds", ()):
                command = wrapped.get("AlterTableCmd", wrapped)
                yield from _parts(name, [command["def"]] if command.get("def") else ())
        case "IndexStmt":
            index, relation = node.get("idxname"), node.get("relation", {})
            if index:
                yield qualified_name(relation.get("schemaname") or schema, index)
        case "CreateFunctionStmt":
            yield _listed(node.get("funcname", ()), schema)
        case "CreateEnumStmt" | "CreateRangeStmt":
            yield _listed(node.get("typeName", ()), schema)
        case "CreateDomainStmt":
            yield _listed(node.get("domainname", ()), schema)
        case "CompositeTypeStmt":
            yield _relation(node.get("typevar", {}), schema)
        case "CreateSchemaStmt":
            if node.get("schemaname"):
                yield quote_identifier(node["schemaname"])
        case "CreateTrigStmt":
            yield f"{_relation(node.get('relation', {}), schema)}.{quote_identifier(node.get('trigname', ''))}"
        case "CreatePolicyStmt":
            yield f"{_relation(node.get('table', {}), schema)}.{quote_identifier(node.get('policy_name', ''))}"
        case "CreateExtensionStmt":
            yield quote_identifier(node.get("extname", ""))


def _parts(table: str, elements: Iterable[Any]) -> Iterator[str]:
    """The columns and the named constraints among the elements of a table."""
    for element in elements:
        column, constraint = element.get("ColumnDef"), element.get("Constraint")
        if column and column.get("colname"):
            yield f"{table}.{quote_identifier(column['colname'])}"
            for inner in column.get("constraints", ()):
                name = inner.get("Constraint", {}).get("conname")
                if name:
                    yield f"{table}.{quote_identifier(name)}"
        elif constraint and constraint.get("conname"):
            yield f"{table}.{quote_identifier(constraint['conname'])}"


def _relation(node: dict[str, Any], schema: str) -> str:
    node = node.get("RangeVar", node)
    return qualified_name(node.get("schemaname") or schema, node.get("relname", ""))


def _listed(names: Iterable[Any], schema: str) -> str:
    texts = [one.get("String", {}).get("sval", "") for one in names]
    return qualified_name(texts[-2] if len(texts) > 1 else schema, texts[-1] if texts else "")
