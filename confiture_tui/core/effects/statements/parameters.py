"""Storage parameters: which ones a relation of a kind takes.

Source: PostgreSQL documentation, CREATE TABLE, "Storage Parameters", CREATE VIEW, and ``reloptions.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_VACUUM = frozenset(
    {
        "autovacuum_enabled",
        "autovacuum_freeze_max_age",
        "autovacuum_freeze_min_age",
        "autovacuum_freeze_table_age",
        "autovacuum_multixact_freeze_max_age",
        "autovacuum_multixact_freeze_min_age",
        "autovacuum_multixact_freeze_table_age",
        "autovacuum_vacuum_cost_delay",
        "autovacuum_vacuum_cost_limit",
        "autovacuum_vacuum_insert_scale_factor",
        "autovacuum_vacuum_insert_threshold",
        "autovacuum_vacuum_max_threshold",
        "autovacuum_vacuum_scale_factor",
        "autovacuum_vacuum_threshold",
        "log_autovacuum_min_duration",
        "vacuum_index_cleanup",
        "vacuum_max_eager_freeze_failure_rate",
        "vacuum_truncate",
    }
)
_HEAP = _VACUUM | {
    "autovacuum_analyze_scale_factor",
    "autovacuum_analyze_threshold",
    "fillfactor",
    "parallel_workers",
    "toast_tuple_target",
    "user_catalog_table",
}
_VIEW = frozenset({"check_option", "security_barrier", "security_invoker"})
_BY_KIND = {"table": _HEAP, "materialized view": _HEAP, "view": _VIEW}
_SINCE = {
    "autovacuum_vacuum_max_threshold": 180000,
    "vacuum_max_eager_freeze_failure_rate": 180000,
    "security_invoker": 150000,
}


def refuse_parameter(step: Step, element: Node, kind: str, *, resets: bool) -> None:
    """See that a relation of a kind takes a parameter; RESET takes any.

    Args:
        step: told of the refusal.
        element: the ``DefElem``.
        kind: of the relation, ``materialized view`` for example.
        resets: it is RESET.

    Raises:
        Refused: it does not.
    """
    name, namespace = element.get("defname", ""), element.get("defnamespace")
    known = _BY_KIND.get(kind)
    if known is None or resets or (name == "oids" and namespace is None):
        return
    if namespace is not None:
        if namespace != "toast" or kind == "view":
            step.refuse("22023", f'unrecognized parameter namespace "{namespace}"')
        known = _VACUUM
    if name not in known or step.schema.server_version_num < _SINCE.get(name, 0):
        step.refuse("22023", f'unrecognized parameter "{name}"')
