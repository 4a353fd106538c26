"""Storage parameters: which ones a relation of a kind takes.

Source: PostgreSQL documentation, CREATE TABLE, "Storage Parameters", CREATE VIEW, and ``reloptions.c``.
"""

from __future__ import annotations

import math
import re
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


_LARGEST = 2**31 - 1
_AGE, _LONG_AGE = 1_000_000_000, 2_000_000_000
_BOOLEANS = frozenset(
    {
        "autosummarize",
        "autovacuum_enabled",
        "deduplicate_items",
        "fastupdate",
        "security_barrier",
        "security_invoker",
        "user_catalog_table",
        "vacuum_truncate",
    }
)
_TRUTHS = re.compile(r"t|tr|tru|true|f|fa|fal|fals|false|y|ye|yes|n|no|on|of|off|1|0", re.IGNORECASE)
_ENUMS = {
    "buffering": {"auto", "on", "off"},
    "check_option": {"local", "cascaded"},
    "vacuum_index_cleanup": {"auto", "on", "off", "true", "false", "yes", "no", "1", "0"},
}
_WHOLE = {
    "autovacuum_analyze_threshold": (0, _LARGEST),
    "autovacuum_freeze_max_age": (100_000, _LONG_AGE),
    "autovacuum_freeze_min_age": (0, _AGE),
    "autovacuum_freeze_table_age": (0, _LONG_AGE),
    "autovacuum_multixact_freeze_max_age": (10_000, _LONG_AGE),
    "autovacuum_multixact_freeze_min_age": (0, _AGE),
    "autovacuum_multixact_freeze_table_age": (0, _LONG_AGE),
    "autovacuum_vacuum_cost_limit": (1, 10_000),
    "autovacuum_vacuum_insert_threshold": (-1, _LARGEST),
    "autovacuum_vacuum_max_threshold": (-1, _LARGEST),
    "autovacuum_vacuum_threshold": (0, _LARGEST),
    "fillfactor": (10, 100),
    "gin_pending_list_limit": (64, _LARGEST),
    "log_autovacuum_min_duration": (-1, _LARGEST),
    "pages_per_range": (1, 131_072),
    "parallel_workers": (0, 1024),
    "toast_tuple_target": (128, 8160),
}
_REAL = {
    "autovacuum_analyze_scale_factor": (0, 100),
    "autovacuum_vacuum_cost_delay": (0, 100),
    "autovacuum_vacuum_insert_scale_factor": (0, 100),
    "autovacuum_vacuum_scale_factor": (0, 100),
    "n_distinct": (-1, math.inf),
    "n_distinct_inherited": (-1, math.inf),
    "vacuum_cleanup_index_scale_factor": (0, 1e10),
    "vacuum_max_eager_freeze_failure_rate": (0, 1),
}
# Types and bounds: boolRelOpts, enumRelOpts, intRelOpts, realRelOpts in src/backend/access/common/reloptions.c.


def refuse_value(step: Step, element: Node) -> None:
    """See that a parameter that there is takes the value that it is given.

    Raises:
        Refused: it does not.
    """
    name, argument = element.get("defname", ""), element.get("arg")
    text = option_text(argument) if argument is not None else "true"
    if name in _BOOLEANS:
        if not _TRUTHS.fullmatch(text):
            step.refuse("22023", f'invalid value for boolean option "{name}": {text}')
    elif name in _ENUMS:
        if text.lower() not in _ENUMS[name]:
            step.refuse("22023", f'invalid value for enum option "{name}": {text}')
    elif name in _WHOLE or name in _REAL:
        low, high = _WHOLE[name] if name in _WHOLE else _REAL[name]
        try:
            number = float(text)
        except ValueError:
            kind = "integer" if name in _WHOLE else "floating point"
            step.refuse("22023", f'invalid value for {kind} option "{name}": {text}')
        if not low <= number <= high:
            step.refuse("22023", f'value {text} out of bounds for option "{name}"')


def refuse_index_parameter(step: Step, element: Node, method: str) -> None:
    """See that an index of a method takes a parameter.

    Raises:
        Refused: it does not.
    """
    name = element.get("defname", "")
    known = _OF_METHODS.get(method)
    if known is not None and name not in known:
        step.refuse("22023", f'unrecognized parameter "{name}"')
    if known is not None:
        refuse_value(step, element)


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
    refuse_value(step, element)
