"""Roles that statements name. A catalog does not list roles: those that own or were granted something are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_tui.core.catalog.catalog import Catalog
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_RESERVED = "pg_"
_SINCE = {
    "pg_checkpoint": 15,
    "pg_use_reserved_connections": 16,
    "pg_create_subscription": 16,
    "pg_maintain": 17,
    "pg_signal_autovacuum_worker": 18,
}
"""Predefined roles that not every major version has, and the first that does (documentation, "Predefined Roles")."""
_ALWAYS = frozenset(
    {
        "pg_database_owner",
        "pg_execute_server_program",
        "pg_monitor",
        "pg_read_all_data",
        "pg_read_all_settings",
        "pg_read_all_stats",
        "pg_read_server_files",
        "pg_signal_backend",
        "pg_stat_scan_tables",
        "pg_write_all_data",
        "pg_write_server_files",
    }
)
_OF_CATALOGS: WeakKeyDictionary[Catalog, frozenset[str]] = WeakKeyDictionary()


def require_roles(step: Step, roles: list[Node]) -> None:
    """Note that a role which nothing shows to exist may be missing; one that a file has dropped certainly is.

    Args:
        step: where that is noted.
        roles: ``RoleSpec`` nodes, or their fields.

    Raises:
        Refused: a file has dropped one.
    """
    for one in roles:
        name = one.get("RoleSpec", one).get("rolename")
        if name is None:
            continue
        if name.startswith(_RESERVED):
            known = step.schema.known and step.schema.server_version_num // 10000
            if known and known < _SINCE.get(name, 0):
                step.refuse("42704", f'role "{name}" does not exist')
            if name not in _SINCE and name not in _ALWAYS:
                step.may_fail("42704", f'role "{name}" may not exist')
            continue
        found = step.now.other("role", name)
        if found is True:
            continue
        if found is False:
            step.refuse("42704", f'role "{name}" does not exist')
        catalog = step.schema.catalog
        if catalog is None or name not in known_roles(catalog):
            step.may_fail("42704", f'role "{name}" may not exist')


def known_roles(catalog: Catalog) -> frozenset[str]:
    """The roles that a catalog shows to exist; worked out once for each catalog."""
    known = _OF_CATALOGS.get(catalog)
    if known is None:
        known = _OF_CATALOGS[catalog] = frozenset(_roles(catalog))
    return known


def _roles(catalog: Catalog) -> Iterator[str]:
    yield from (catalog.session.role, catalog.session.session_role)
    for family in (catalog.schemas, catalog.relations, catalog.sequences, catalog.types, catalog.routines):
        for one in family.values():
            yield one.owner
            for grant in one.acl or ():
                yield from (grant.grantee, grant.grantor)
    for default in catalog.default_privileges:
        yield default.role
        for grant in default.acl:
            yield from (grant.grantee, grant.grantor)
