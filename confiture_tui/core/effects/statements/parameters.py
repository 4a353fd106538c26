"""Storage parameters: which ones a relation of a kind takes.

Source: PostgreSQL documentation, CREATE TABLE, "Storage Parameters", CREATE VIEW, and ``reloptions.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.statements.options import option_text

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
_OF_METHODS = {
    "btree": frozenset({"fillfactor", "deduplicate_items", "vacuum_cleanup_index_scale_factor"}),
    "hash": frozenset({"fillfactor"}),
    "gist": frozenset({"fillfactor", "buffering"}),
    "spgist": frozenset({"fillfactor"}),
    "gin": frozenset({"fastupdate", "gin_pending_list_limit"}),
    "brin": frozenset({"pages_per_range", "autosummarize"}),
}
# CREATE INDEX, "Index Storage Parameters".
_SINCE = {
    "autovacuum_vacuum_max_threshold": 180000,
    "vacuum_max_eager_freeze_failure_rate": 180000,
    "security_invoker": 150000,
}


_MIN_FILL, _MAX_FILL = 10, 100


def _number(element: Node) -> int:
    text = option_text(element.get("arg"))
    return int(text) if text.lstrip("-").isdecimal() else _MAX_FILL


def refuse_index_parameter(step: Step, element: Node, method: str) -> None:
    """See that an index of a method takes a parameter.

    Raises:
        Refused: it does not.
    """
    name = element.get("defname", "")
    known = _OF_METHODS.get(method)
    if known is not None and name not in known:
        step.refuse("22023", f'unrecognized parameter "{name}"')
    if name == "fillfactor" and not _MIN_FILL <= _number(element) <= _MAX_FILL:
        step.refuse("22023", f'value {_number(element)} out of bounds for option "fillfactor"')


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
    if name == "fillfactor" and not _MIN_FILL <= _number(element) <= _MAX_FILL:
        step.refuse("22023", f'value {_number(element)} out of bounds for option "fillfactor"')
    if name not in known or step.schema.server_version_num < _SINCE.get(name, 0):
        step.refuse("22023", f'unrecognized parameter "{name}"')
