"""Which privileges there are, and on what.

Source: PostgreSQL documentation, "Privileges", table of the privileges of each kind of object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.statements.settings import major_of

if TYPE_CHECKING:
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_ROUTINE = frozenset({"execute"})
_TYPE = frozenset({"usage"})
_OF_COLUMNS = frozenset({"select", "insert", "update", "references"})
_SEQUENCE = frozenset({"select", "update", "usage"})
_TABLE = _OF_COLUMNS | {"delete", "truncate", "trigger", "maintain"}
_BY_KIND = {
    # GRANT … ON TABLE may name a sequence, and then takes its privileges too.
    "OBJECT_TABLE": _TABLE | _SEQUENCE,
    "OBJECT_SEQUENCE": _SEQUENCE,
    "OBJECT_DATABASE": frozenset({"create", "temporary", "temp", "connect"}),
    "OBJECT_SCHEMA": frozenset({"create", "usage"}),
    "OBJECT_FUNCTION": _ROUTINE,
    "OBJECT_PROCEDURE": _ROUTINE,
    "OBJECT_ROUTINE": _ROUTINE,
    "OBJECT_LANGUAGE": _TYPE,
    "OBJECT_TYPE": _TYPE,
    "OBJECT_DOMAIN": _TYPE,
    "OBJECT_FDW": _TYPE,
    "OBJECT_FOREIGN_SERVER": _TYPE,
    "OBJECT_TABLESPACE": frozenset({"create"}),
    "OBJECT_LARGEOBJECT": frozenset({"select", "update"}),
    "OBJECT_PARAMETER_ACL": frozenset({"set", "alter system"}),
}
_SINCE = {"maintain": 17, "set": 15, "alter system": 15}
_ALL = frozenset[str]().union(*_BY_KIND.values())


def refuse_privileges(step: Step, node: Node, *, default: bool = False) -> None:
    """See that there are the privileges that a GRANT or REVOKE names, and that its kind of object has them.

    Args:
        step: told of the refusal.
        node: the ``GrantStmt``.
        default: it stands in ALTER DEFAULT PRIVILEGES.

    Raises:
        Refused: there is no such privilege, or none on that kind.
    """
    kind, major = str(node.get("objtype")), major_of(step)
    fitting = _BY_KIND.get(kind)
    if default and kind == "OBJECT_TABLE":
        fitting = _TABLE
    for one in node.get("privileges", ()):
        written, columns = one["AccessPriv"].get("priv_name"), "cols" in one["AccessPriv"]
        if written is None:
            continue
        name = str(written)
        if name not in _ALL or (major is not None and major < _SINCE.get(name, 0)):
            step.refuse("42601", f'unrecognized privilege type "{name}"')
        if fitting is not None and (name not in fitting or (columns and name not in _OF_COLUMNS)):
            step.refuse("0LP01", f"invalid privilege type {name.upper()} for this kind of object")
