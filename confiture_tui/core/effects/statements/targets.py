"""What a statement names: found, missing, one of PostgreSQL's own, or of the wrong kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.indexes import Index
from confiture_tui.core.catalog.models.relations import Relation, RelationKind, Sequence
from confiture_tui.core.effects.schema import Found, Presence
from confiture_tui.core.effects.system_names import is_system_catalog

if TYPE_CHECKING:
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_ARTICLES = {
    "OBJECT_SEQUENCE": "a sequence",
    "OBJECT_VIEW": "a view",
    "OBJECT_MATVIEW": "a materialized view",
    "OBJECT_FOREIGN_TABLE": "a foreign table",
    "OBJECT_TYPE": "a composite type",
    "OBJECT_INDEX": "an index",
}
_KINDS = {
    "OBJECT_VIEW": RelationKind.VIEW,
    "OBJECT_MATVIEW": RelationKind.MATERIALIZED_VIEW,
    "OBJECT_FOREIGN_TABLE": RelationKind.FOREIGN_TABLE,
    "OBJECT_TYPE": RelationKind.COMPOSITE_TYPE,
}


def find_existing(step: Step, relation: Node, *, missing_ok: bool = False) -> Found | None:
    """What a statement's relation is; ``None`` when it may be missing and is, or is one of PostgreSQL's own.

    Raises:
        Refused: it certainly does not exist, nor its schema.
    """
    catalog = step.schema.catalog
    if catalog is not None and relation.get("catalogname", catalog.database) != catalog.database:
        written = f"{relation['catalogname']}.{relation.get('schemaname', '')}.{relation['relname']}"
        step.refuse("0A000", f"cross-database references are not implemented: {written}")
    found = step.now.find(relation)
    if found.presence is Presence.SYSTEM:
        step.unknown_reach(f"{found.name} is one of PostgreSQL's own relations")
        return None
    if found.missing:
        _refuse_missing(step, found, relation, missing_ok=missing_ok)
        return None
    return found


def refuse_system_catalog(step: Step, relation: Node) -> None:
    """See that a statement does not alter one of PostgreSQL's own tables, which not even a superuser may.

    Raises:
        Refused: it does.
    """
    found = step.now.find(relation)
    allowed = step.settings.get("allow_system_table_mods", "off").lower() not in ("off", "false", "no", "0")
    own = found.key[0] == "pg_catalog" and is_system_catalog(found.key[1])
    if found.presence is Presence.SYSTEM and own and not allowed:
        step.refuse("42501", f'permission denied: "{found.key[1]}" is a system catalog')


def _refuse_missing(step: Step, found: Found, relation: Node, *, missing_ok: bool) -> None:
    schema = relation.get("schemaname")
    if missing_ok:
        step.note(f"{found.name} does not exist: skipped")
        return
    if schema is not None and step.now.has_schema(schema) is False:
        step.refuse("3F000", f'schema "{schema}" does not exist')
    written = f"{schema}.{relation['relname']}" if schema is not None else relation["relname"]
    step.refuse("42P01", f'relation "{written}" does not exist')


def is_kind(found: object, object_type: str) -> bool:
    """Whether an object is of the kind that a statement's words call for, ``OBJECT_VIEW`` for example."""
    if object_type == "OBJECT_SEQUENCE":
        return isinstance(found, Sequence)
    if object_type == "OBJECT_INDEX":
        return isinstance(found, Index)
    kind = _KINDS.get(object_type)
    return kind is None or (isinstance(found, Relation) and found.kind is kind)


def kind_of(object_type: str) -> RelationKind:
    """The kind of relation that a statement's words call for; a table, where they fit many kinds."""
    return _KINDS.get(object_type, RelationKind.TABLE)


def require_kind(step: Step, found: Found, object_type: str, *, renames: bool = False) -> None:
    """See that an object is of the kind that the words of an ALTER call for; ALTER TABLE fits nearly all.

    Raises:
        Refused: it is of another kind.
    """
    if not found.known:
        return
    name = found.key[-1]
    lenient = renames and object_type == "OBJECT_INDEX"
    if not lenient and not is_kind(found.object, object_type):
        step.refuse("42809", f'"{name}" is not {_ARTICLES[object_type]}')
    relation = found.relation
    if relation is not None and relation.kind is RelationKind.COMPOSITE_TYPE and object_type != "OBJECT_TYPE":
        step.refuse("42809", f'"{name}" is a composite type')


def find_altered(step: Step, found: Found, sqlstate: str, why: str) -> Relation | None:
    """The relation that something is hung on; ``None`` when nothing is known of it."""
    if found.relation is None or not found.known:
        if found.object is not None and found.relation is None:
            step.refuse("42809", f'"{found.key[1]}" is not a table')
        step.may_fail(sqlstate, why)
        return None
    return found.relation
