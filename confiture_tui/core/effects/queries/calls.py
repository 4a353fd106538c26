"""What calling functions does: sequences, settings, large objects, and the bodies of the user's own routines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.columns import Volatility
from confiture_tui.core.catalog.models.relations import Sequence
from confiture_tui.core.catalog.models.routines import RoutineKind
from confiture_tui.core.catalog.names import split_name
from confiture_tui.core.effects.bodies import read_routine
from confiture_tui.core.effects.constant_text import constant_of
from confiture_tui.core.effects.expressions.calls import candidate_of
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.queries.running import run_body, unknown
from confiture_tui.core.effects.rights import is_restricted, may_use
from confiture_tui.core.effects.setting_names import is_unknown
from confiture_tui.core.effects.setting_values import Taken, takes

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.routines import Routine
    from confiture_tui.core.effects.expressions.reads import Call, Facts
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_SEQUENCE_FUNCTIONS = frozenset({"nextval", "setval", "currval"})

_LARGE_OBJECTS = frozenset(
    {
        "lo_create",
        "lo_creat",
        "lo_from_bytea",
        "lo_import",
        "lo_put",
        "lo_truncate",
        "lo_truncate64",
        "lowrite",
        "lo_unlink",
    }
)
_RUNS_TEXT = frozenset(
    {
        "query_to_xml",
        "query_to_xmlschema",
        "query_to_xml_and_xmlschema",
        "cursor_to_xml",
        "table_to_xml",
        "schema_to_xml",
        "database_to_xml",
        "ts_stat",
        "ts_rewrite",
    }
)
# PostgreSQL's own functions that run a query which is given to them as text.

_OUTSIDE = frozenset(
    {
        "pg_terminate_backend",
        "pg_cancel_backend",
        "pg_reload_conf",
        "pg_rotate_logfile",
        "pg_promote",
        "pg_switch_wal",
        "pg_create_restore_point",
        "pg_drop_replication_slot",
        "pg_create_physical_replication_slot",
        "pg_create_logical_replication_slot",
        "pg_logical_emit_message",
        "pg_stat_reset",
        "lo_export",
        "pg_notify",
    }
)
# They act on the server or on other sessions, and no ROLLBACK takes that back.

_HARMLESS_EXTENSIONS = frozenset(
    {
        "uuid-ossp",
        "pgcrypto",
        "citext",
        "pg_trgm",
        "hstore",
        "ltree",
        "unaccent",
        "btree_gin",
        "btree_gist",
        "intarray",
        "cube",
        "earthdistance",
        "fuzzystrmatch",
        "isn",
        "lo",
        "pageinspect",
        "pg_stat_statements",
        "postgis",
        "seg",
        "tablefunc",
        "vector",
    }
)
# Extensions whose functions in C compute, and touch no table (PostgreSQL documentation, appendix F).
_RUN_TEXT_IN_EXTENSIONS = frozenset(
    {
        "crosstab",
        "crosstabn",
        "connectby",
        "st_estimatedextent",
        "addgeometrycolumn",
        "dropgeometrycolumn",
        "dropgeometrytable",
        "populate_geometry_columns",
        "lo_manage",
        "updategeometrysrid",
    }
)


def note_calls(step: Step, facts: Facts) -> None:
    """What the calls of a statement do, once each."""
    seen: set[tuple[str, tuple[int, ...]]] = set()
    for call in facts.calls:
        name = call.name.removeprefix("pg_catalog.")
        if call.system:
            if name in _SPECIAL:
                _note_system_call(step, name, call)
            continue
        key = (call.name, tuple(one.oid for one in call.candidates))
        if key in seen:
            continue
        seen.add(key)
        if len(call.candidates) > 1:
            _note_ambiguous(step, call)
        elif call.candidates:
            note_routine(step, call.candidates[0].oid, call.name, maybe=call.maybe)
    for name in dict.fromkeys(facts.unknown_calls):
        unknown(step, f"what {name} does is not known")


def _note_ambiguous(step: Step, call: Call) -> None:
    for one in call.candidates:
        if one.oid:
            note_routine(step, one.oid, call.name, maybe=True)


def note_routine(step: Step, oid: int, name: str, *, maybe: bool = False) -> None:
    """What running a user's routine does."""
    routine = step.now.routine_by_oid(oid)
    if routine is None:
        unknown(step, f"what {name} does is not known")
    elif oid not in step.running:
        run_routine(step, routine, maybe=maybe)


def run_routine(step: Step, routine: Routine, *, maybe: bool = False) -> None:
    """Read the body of a routine into the step."""
    if routine.kind in (RoutineKind.AGGREGATE, RoutineKind.WINDOW):
        return
    if routine.language in ("c", "internal"):
        known = routine.extension in _HARMLESS_EXTENSIONS and routine.name not in _RUN_TEXT_IN_EXTENSIONS
        if routine.volatility is Volatility.VOLATILE and not known:
            unknown(step, f"{routine.qualified_name} is written in C: what it does cannot be read")
        return
    body = read_routine(routine)
    if body.opaque and routine.volatility is not Volatility.VOLATILE:
        # It may read what it likes; the server lets it write nothing.
        step.unknown_reach(f"what {routine.qualified_name} reads cannot be told: {body.opaque[0]}")
        return
    candidate = candidate_of(routine)
    arguments = dict(zip(candidate.argument_names, candidate.arguments, strict=False))
    path = next((one for one in routine.configuration if one.startswith("search_path=")), None)
    before = step.settings["search_path"]
    step.running += (routine.oid,)
    if path is not None:
        step.session.set("search_path", path.partition("=")[2])
    try:
        run_body(step, body, maybe=maybe, what=routine.qualified_name, variables=arguments)
    finally:
        step.running = step.running[:-1]
        if path is not None:
            step.session.set("search_path", before)


def _note_system_call(step: Step, name: str, call: Call) -> None:
    if (name in _OUTSIDE or name in _GUARDED) and is_restricted(step):
        step.may_fail("42501", f"permission denied for function {name}")
    if name in _SEQUENCE_FUNCTIONS:
        _note_sequence(step, name, call)
    elif name == "set_config":
        texts = [constant_of(one) for one in call.arguments]
        if texts and texts[0] is not None and not call.maybe:
            _refuse_setting(step, texts[0].lower(), texts[1] if len(texts) > 1 else None)
        if len(texts) == 3 and texts[0] is not None and texts[1] is not None and not call.maybe:
            step.session.set(texts[0], texts[1], local=_is_true(call.arguments[2]))
    elif name in _LARGE_OBJECTS:
        step.changes_data(True)
        step.may_fail("42704", "the large object may not exist")
        step.may_fail("23505", "a large object of that number may exist")
        if name in ("lo_unlink", "lo_truncate", "lo_truncate64"):
            step.destroys_data(True)
    elif name in _RUNS_TEXT and call.arguments and (name != "ts_rewrite" or len(call.arguments) == 2):
        unknown(step, f"{name} runs a query that is given to it as text")
    elif name == "current_setting":
        text = constant_of(call.arguments[0]) if len(call.arguments) == 1 else None
        if text is not None and not call.maybe and is_unknown(text.lower(), _major(step)):
            step.fails("42704", f'unrecognized configuration parameter "{text}"')
        elif text is not None and "." in text and text.lower() not in step.settings:
            step.may_fail("42704", f'unrecognized configuration parameter "{text}"')
    elif name == "lastval":
        step.unknown_reach("lastval looks at the sequence that the session has used last")
    elif name in _OUTSIDE:
        step.note(f"{name} acts at once, and no ROLLBACK takes that back")


def _refuse_setting(step: Step, name: str, value: str | None) -> None:
    if is_unknown(name, _major(step)):
        step.fails("42704", f'unrecognized configuration parameter "{name}"')
    elif value is not None and takes(name, value, _major(step)) is Taken.NO:
        step.fails("22023", f'invalid value for parameter "{name}": "{value}"')


def _major(step: Step) -> int | None:
    return step.schema.server_version_num // 10000 if step.schema.known else None


_GUARDED = frozenset(
    {
        "lo_export",
        "lo_import",
        "pg_create_restore_point",
        "pg_ls_dir",
        "pg_read_binary_file",
        "pg_read_file",
        "pg_stat_file",
        "pg_stat_reset",
        "pg_switch_wal",
    }
)
# PostgreSQL's own functions that not everybody may call.

_SPECIAL = (
    _GUARDED
    | _SEQUENCE_FUNCTIONS
    | _LARGE_OBJECTS
    | _RUNS_TEXT
    | _OUTSIDE
    | {"set_config", "current_setting", "lastval"}
)


def _is_true(node: Node) -> bool:
    constant = node.get("A_Const", {})
    return bool(constant.get("boolval", {}).get("boolval", False)) or constant.get("sval", {}).get("sval") in (
        "t",
        "true",
        "on",
    )


def _note_sequence(step: Step, name: str, call: Call) -> None:
    sequence = _sequence_named(step, call.arguments[0]) if call.arguments else None
    if sequence is None:
        step.unknown_reach(f"which sequence {name} uses cannot be told")
        return
    found = step.now.find(sequence)
    if found.missing:
        step.fails("42P01", f'relation "{sequence}" does not exist')
    elif found.known and not isinstance(found.object, Sequence):
        step.fails("42809", f'"{found.key[1]}" is not a sequence')
    else:
        if isinstance(found.object, Sequence) and is_restricted(step):
            needed = ("UPDATE",) if name == "setval" else ("USAGE", "UPDATE", "SELECT")
            if may_use(step, found.object, needed) is False:
                step.fails("42501", f"permission denied for sequence {found.name}")
        step.lock(found, LockMode.ROW_EXCLUSIVE, f"{name} uses the sequence")
        if not found.known:
            step.unknown_reach("what its sequences are is not known without a catalog")
            step.may_fail("42P01", f"{found.name} may not exist")
            step.may_fail("42809", f"{found.name} may be no sequence")


def _sequence_named(step: Step, node: Node) -> str | None:
    """The name of the sequence that an argument of nextval and its like means; ``None`` where it cannot be told."""
    while "TypeCast" in node:
        node = node["TypeCast"].get("arg", {})
    text = constant_of(node)
    if text is None:
        return _serial_sequence(step, node)
    try:
        split_name(text)
    except ValueError:
        return None
    return text


def _serial_sequence(step: Step, node: Node) -> str | None:
    """``pg_get_serial_sequence('table', 'column')``."""
    call = node.get("FuncCall", {})
    names = [part.get("String", {}).get("sval", "") for part in call.get("funcname", ())]
    arguments = [constant_of(one) for one in call.get("args", ())]
    if names[-1:] != ["pg_get_serial_sequence"] or len(arguments) != 2 or None in arguments:
        return None
    try:
        table = step.now.relation(str(arguments[0]))
    except ValueError:
        return None
    column = table.column(str(arguments[1])) if table is not None else None
    if table is None or column is None:
        return None
    owned = [one for one in step.now.owned_sequences(table) if one.owned_by_number == column.number]
    return owned[0].qualified_name if owned else None
