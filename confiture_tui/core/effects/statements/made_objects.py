"""Objects that are no relation, type or routine, as a file makes them: known by name, linked with what they need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.dependencies import PG_EVENT_TRIGGER, PG_NAMESPACE, ObjectAddress
from confiture_tui.core.catalog.models.objects import OtherObject
from confiture_tui.core.catalog.names import split_name
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.history import UNKNOWN
from confiture_tui.core.effects.statements.named_objects import find_named
from confiture_tui.core.effects.taking_away import PG_STATISTIC_EXT
from confiture_tui.core.sql.identifiers import qualified_name, quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from confiture_tui.core.effects.step import Step

_CLASSES = {
    "access method": 2601,
    "cast": 2605,
    "collation": 3456,
    "conversion": 2607,
    "event trigger": PG_EVENT_TRIGGER,
    "foreign data wrapper": 2328,
    "foreign server": 1417,
    "language": 2612,
    "operator": 2617,
    "operator class": 2616,
    "operator family": 2753,
    "publication": 6104,
    "statistics object": PG_STATISTIC_EXT,
    "text search configuration": 3602,
    "text search dictionary": 3600,
    "text search parser": 3601,
    "text search template": 3764,
    "transform": 3576,
    "user mapping": 1418,
}
# The oids of their catalogs: PostgreSQL's sources, src/include/catalog.


def make(
    step: Step,
    kind: str,
    identity: str,
    *,
    schema: str | None = None,
    needs: Iterable[ObjectAddress] = (),
    properties: Mapping[str, str | None] | None = None,
    if_not_exists: bool = False,
    replaces: bool = False,
    sqlstate: str = "42710",
) -> OtherObject | None:
    """An object is made; ``None`` when it is there and that is no error.

    Args:
        step: changes its schema.
        kind, identity: as the catalog has them.
        schema: that it is in; ``None`` for what is in none.
        needs: what it needs, without which it goes only with CASCADE.
        properties: what else is known of it, as the catalog would have it.
        if_not_exists, replaces: as written.
        sqlstate: of the error when it is there.

    Raises:
        Refused: it is there.
    """
    found = step.now.other(kind, identity)
    if is_there(found) and not replaces:
        if if_not_exists:
            step.note(f"{kind} {identity} already exists, skipping")
            return None
        step.refuse(sqlstate, f"{kind} {identity} already exists")
    if found is UNKNOWN and not replaces and not if_not_exists:
        step.may_fail(sqlstate, f"{kind} {identity} may exist")
    made = OtherObject(
        class_oid=_CLASSES.get(kind, 0),
        oid=step.change.new_oid(),
        kind=kind,
        identity=identity,
        owner=step.session.role,
        properties=tuple((properties or {}).items()),
        extension=None,
        acl=None,
        comment=None,
    )
    step.change.put_other(kind, identity, made)
    place = step.now.namespace(schema) if schema is not None else None
    address = ObjectAddress(made.class_oid, made.oid)
    if place is not None:
        step.change.depend(address, ObjectAddress(PG_NAMESPACE, place.oid))
    for one in needs:
        step.change.depend(address, one)
    return made


def move_object(step: Step, object_type: str, node: dict[str, Any], *, name: str = "", schema: str = "") -> None:
    """An object gets another name, or goes into another schema.

    Raises:
        Refused: it certainly does not exist, or one of that name does.
    """
    named = find_named(object_type, node, step)
    found = step.now.other_by_oid(named.address.oid) if named is not None else None
    if not isinstance(found, OtherObject):
        return
    written, using, method = found.identity.partition(" USING ")
    place, old = (("", *split_name(written))[-2:]) if found.kind not in ("cast", "operator") else ("", "")
    if not old:
        return
    place, new = schema or place, name or old
    identity = (qualified_name(place, new) if place else quote_identifier(new)) + using + method
    if is_there(step.now.other(found.kind, identity)):
        step.refuse("42710", f"{found.kind} {identity} already exists")
    step.change.put_other(found.kind, found.identity, None)
    step.change.put_other(found.kind, identity, replace(found, identity=identity))


def is_there(found: object) -> bool:
    """Whether what ``Schema.other`` gave out is an object that certainly exists."""
    return found is not None and found is not UNKNOWN and found is not False


def addresses(step: Step, kind: str, identity: str) -> list[ObjectAddress]:
    """The address of an object, if it is known."""
    found = step.now.other(kind, identity)
    return [ObjectAddress(found.class_oid, found.oid)] if isinstance(found, OtherObject) else []
