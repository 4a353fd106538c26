"""Statistics objects, publications, foreign data, operators, casts, languages, text search: what has no storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.catalog.models.types import TypeKind
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.statements.collations import read_create_collation
from confiture_tui.core.effects.statements.creation import new_place
from confiture_tui.core.effects.statements.definitions import names_in
from confiture_tui.core.effects.statements.known_options import refuse_publication_options
from confiture_tui.core.effects.statements.made_objects import make
from confiture_tui.core.effects.statements.named_objects import find_named
from confiture_tui.core.effects.statements.operators import read_define_operator
from confiture_tui.core.effects.statements.privileges import find_schema_quietly
from confiture_tui.core.effects.statements.routines import define_aggregate
from confiture_tui.core.effects.statements.targets import find_existing
from confiture_tui.core.effects.statements.text_search import read_create_text_search
from confiture_tui.core.effects.statements.types import new_type, place_of_type
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_SUE = LockMode.SHARE_UPDATE_EXCLUSIVE


def read_alter_statistics(node: Node, step: Step) -> None:
    """ALTER STATISTICS … SET STATISTICS"""
    if step.schema.known:
        items = {"List": {"items": node.get("defnames", [])}}
        find_named("OBJECT_STATISTIC_EXT", items, step, missing_ok=bool(node.get("missing_ok")))


def read_create_publication(node: Node, step: Step) -> None:
    """CREATE PUBLICATION"""
    refuse_publication_options(step, node)
    make(step, "publication", quote_identifier(str(node["pubname"])))
    _published(node, step)


def read_alter_publication(node: Node, step: Step) -> None:
    """ALTER PUBLICATION"""
    identity = quote_identifier(str(node["pubname"]))
    publication = step.now.other("publication", identity)
    if publication is None:
        step.refuse("42704", f"publication {identity} does not exist")
    refuse_publication_options(step, node)
    _published(node, step, _tables_of(publication))
    if node.get("action") == "AP_SetObjects":
        for name in _tables_of(publication):
            found = step.now.find(name)
            step.lock(found, _SUE, "it leaves the publication, or stays in it")


def _tables_of(publication: Any) -> list[str]:
    """The tables that a publication has now, by their qualified names; a part of it where that cannot be read."""
    properties = dict(getattr(publication, "properties", ()))
    listed = properties.get("tables") or ""
    return [one.split(" (")[0].split(" WHERE ")[0] for one in listed.split(", ") if one]


def _published(node: Node, step: Step, listed_now: Sequence[str] = ()) -> None:
    for one in node.get("pubobjects", []):
        listed = one["PublicationObjSpec"]
        if "name" in listed and listed.get("pubobjtype") == "PUBLICATIONOBJ_TABLES_IN_SCHEMA":
            find_schema_quietly(step, listed["name"])
        table = listed.get("pubtable", {}).get("relation")
        if table is None:
            continue
        found = find_existing(step, table)
        if found is None:
            continue
        step.lock(found, _SUE, "the publication's tables are locked against other DDL")
        relation = found.relation
        if relation is None or not found.known:
            step.unknown_reach("without a catalog the tables that inherit from it are not known")
            continue
        if relation.kind not in (RelationKind.TABLE, RelationKind.PARTITIONED_TABLE):
            step.refuse("22023", f'cannot add relation "{relation.name}" to publication')
        for column in names_in(listed["pubtable"], "columns"):
            if relation.column(column) is None:
                step.refuse("42703", f'column "{column}" of relation "{relation.name}" does not exist')
        known = step.schema.known and relation.qualified_name in listed_now
        if node.get("action") == "AP_AddObjects" and known:
            step.refuse("42710", f'relation "{relation.name}" is already member of publication "{node["pubname"]}"')
        if node.get("action") == "AP_DropObjects" and listed_now and not known:
            step.refuse("42704", f'relation "{relation.name}" is not part of the publication')
        if table.get("inh") and relation.kind is RelationKind.TABLE:
            for child in step.now.descendants(relation):
                step.lock(child, _SUE, "tables that inherit are published too")


def read_define(node: Node, step: Step) -> None:
    """CREATE AGGREGATE, OPERATOR, TYPE (base), COLLATION, TEXT SEARCH …"""
    kind = str(node.get("kind"))
    if kind == "OBJECT_AGGREGATE":
        define_aggregate(node, step)
        return
    parts = names_in(node, "defnames")
    if kind == "OBJECT_TYPE":
        if node.get("definition"):
            step.opaque("the functions of a base type are not read")
            schema = new_place(step, parts[-2] if len(parts) > 1 else None)
            step.change.put_type(new_type(step, schema, parts[-1], TypeKind.BASE))
        else:
            schema, name = place_of_type(step, parts)
            step.change.put_type(new_type(step, schema, name, TypeKind.SHELL))
        return
    if kind == "OBJECT_COLLATION":
        read_create_collation(node, step)
        return
    if kind == "OBJECT_OPERATOR":
        read_define_operator(node, step)
        return
    read_create_text_search(node, step)


def read_depends(node: Node, step: Step) -> None:
    """ALTER … DEPENDS ON EXTENSION"""
    extension = str(node.get("extname", {}).get("sval", ""))
    if "relation" in node:
        found = find_existing(step, node["relation"])
        if found is not None:
            trigger = node.get("objectType") == "OBJECT_TRIGGER"
            mode = LockMode.ACCESS_SHARE if trigger else LockMode.ACCESS_EXCLUSIVE
            step.lock(found, mode, "it is tied to the extension")
    if step.now.other("extension", extension) is None:
        step.refuse("42704", f'extension "{extension}" does not exist')
