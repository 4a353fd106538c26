"""What the role that runs the statements may do, as far as the catalog tells.

Nothing is said of a role that the files have taken on themselves, or without a catalog.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.access import PUBLIC

if TYPE_CHECKING:
    from collections.abc import Collection

    from confiture_tui.core.catalog.models.access import Acl
    from confiture_tui.core.catalog.models.relations import Relation, Sequence
    from confiture_tui.core.effects.step import Step

_READS, _WRITES, _MAINTAINS = "pg_read_all_data", "pg_write_all_data", "pg_maintain"
_OF_ROLES = {_READS: {"SELECT"}, _WRITES: {"INSERT", "UPDATE", "DELETE"}, _MAINTAINS: {"MAINTAIN"}}


def is_restricted(step: Step) -> bool:
    """Whether it is known that the role that runs it is no superuser, and which others it acts for.

    What a function of SECURITY DEFINER does is its owner's doing, of whom nothing is said.
    """
    catalog = step.schema.catalog
    if catalog is None or catalog.session.is_superuser or step.session.role not in ("", catalog.session.role):
        return False
    routines = (step.now.routine_by_oid(oid) for oid in step.running)
    return all(one is not None and not one.security_definer for one in routines)


def owns(step: Step, owner: str | None) -> bool:
    """Whether the role owns what a role owns: it is that role, or acts for it. In doubt, yes."""
    catalog = step.schema.catalog
    if catalog is None or not owner or not is_restricted(step):
        return True
    return owner == catalog.session.role or owner in catalog.session.acts_for


def holds(step: Step, acl: Acl | None, privileges: Collection[str]) -> bool:
    """Whether grants give the role, those that it acts for or everybody one of these privileges."""
    catalog = step.schema.catalog
    if catalog is None:
        return True
    mine = {PUBLIC, catalog.session.role, *catalog.session.acts_for}
    if any(_OF_ROLES[one] & set(privileges) for one in _OF_ROLES.keys() & mine):
        return True
    return any(one.grantee in mine and set(one.privileges) & set(privileges) for one in acl or ())


def may_use(step: Step, relation: Relation | Sequence, privileges: Collection[str]) -> bool | None:
    """Whether the role has one of these privileges on a relation; ``None``: on some of its columns."""
    if owns(step, relation.owner) or holds(step, relation.acl, privileges):
        return True
    columns = getattr(relation, "columns", ())
    return None if any(holds(step, one.acl, privileges) for one in columns if one.acl) else False


def may_create_in(step: Step, schema: str) -> bool:
    """Whether the role may make objects in a schema. In doubt, yes."""
    if not is_restricted(step) or schema == "pg_temp":
        return True
    found = step.now.namespace(schema)
    if found is None or owns(step, found.owner):
        return True
    return holds(step, found.acl, ("CREATE",))
