"""CREATE TABLE AS, SELECT INTO, and CREATE TABLE … AS EXECUTE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.relations import Persistence, RelationKind
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.changes import blank_relation
from confiture_tui.core.effects.statements.create_table_checks import refuse_storage
from confiture_tui.core.effects.statements.creation import is_taken, new_relation, refuse_taken_relation
from confiture_tui.core.effects.statements.definitions import blank_column, type_oid
from confiture_tui.core.effects.statements.queries import read_query
from confiture_tui.core.effects.statements.queries_of_views import require_names
from confiture_tui.core.effects.statements.views import read_create_materialized_view
from confiture_tui.core.sql.identifiers import qualified_name

if TYPE_CHECKING:
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_PERSISTENCE = {"p": Persistence.PERMANENT, "u": Persistence.UNLOGGED, "t": Persistence.TEMPORARY}


def read_create_table_as(node: Node, step: Step) -> None:
    """Read a ``CreateTableAsStmt``."""
    if node.get("objtype") == "OBJECT_MATVIEW":
        read_create_materialized_view(node, step)
        return
    into = node["into"]
    schema, name = new_relation(step, into["rel"])
    if node.get("if_not_exists") and is_taken(step, schema, name):
        step.note(f"relation {qualified_name(schema, name)} exists already: skipped")
        return
    ((kind, query),) = node["query"].items()
    columns = None
    if kind == "SelectStmt":
        columns = read_query(query, step, execute=not into.get("skipData"))
    else:
        step.run(kind, query)
    refuse_taken_relation(step, schema, name)
    persistence = Persistence.TEMPORARY if schema == "pg_temp" else _PERSISTENCE[into["rel"].get("relpersistence", "p")]
    full = qualified_name(schema, name)
    relation = blank_relation(step.change.new_oid(), schema, name, full, RelationKind.TABLE, persistence)
    given = [one["String"].get("sval", "") for one in into.get("colNames", ())]
    types = [one.type for one in columns.values()] if columns is not None else []
    names = require_names(step, columns, given, too_many="too many column names were specified")
    for number, column in enumerate(names, start=1):
        kind_of = types[number - 1] if number <= len(types) else None
        text = "text" if kind_of == "unknown" else kind_of or ""
        made = replace(blank_column(full, column, number), type=text, type_oid=type_oid(text, step.now))
        relation = replace(relation, columns=(*relation.columns, made))
    storage = {"options": into.get("options", ()), "oncommit": into.get("onCommit", "ONCOMMIT_NOOP")}
    named = {"accessMethod": into.get("accessMethod"), "tablespacename": into.get("tableSpaceName")}
    refuse_storage(step, relation, storage | {key: value for key, value in named.items() if value})
    step.create(relation)
    step.change.put(relation)
