"""The names of the options that statements take, and the first major version that knows each.

Source: PostgreSQL documentation, VACUUM, ANALYZE, REINDEX, CLUSTER, EXPLAIN, COPY, CREATE DATABASE, CREATE COLLATION,
CREATE PUBLICATION and CREATE SUBSCRIPTION, of 14 to 18.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.statements.options import find_option, option_text, truth
from confiture_tui.core.effects.statements.settings import major_of

if TYPE_CHECKING:
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_NAMES = {
    "VACUUM": "full freeze verbose analyze disable_page_skipping skip_locked index_cleanup truncate parallel"
    " process_toast process_main:16 buffer_usage_limit:16 skip_database_stats:16 only_database_stats:16",
    "ANALYZE": "verbose skip_locked buffer_usage_limit:16",
    "REINDEX": "verbose concurrently tablespace",
    "CLUSTER": "verbose",
    "EXPLAIN": "analyze verbose costs settings generic_plan:16 buffers serialize:17 wal timing summary memory:17"
    " format",
    "COPY": "format freeze delimiter null default:16 header quote escape force_quote force_not_null force_null"
    " convert_selectively encoding on_error:17 log_verbosity:17 reject_limit:18",
    "CREATE DATABASE": "tablespace owner template encoding strategy:15 locale lc_collate lc_ctype builtin_locale:17"
    " icu_locale:15 icu_rules:16 locale_provider:15 collation_version:15 allow_connections connection_limit"
    " is_template oid:15 location",
    "CREATE COLLATION": "from locale lc_collate lc_ctype provider deterministic rules:16 version",
    "PUBLICATION": "publish publish_via_partition_root publish_generated_columns:18",
    "CREATE SUBSCRIPTION": "connect enabled create_slot slot_name copy_data synchronous_commit binary streaming"
    " two_phase:15 disable_on_error:15 password_required:16 run_as_owner:16 origin:16 failover:17",
}
_KNOWN: dict[str, dict[str, int]] = {
    what: {name: int(since or 0) for name, _, since in (one.partition(":") for one in names.split())}
    for what, names in _NAMES.items()
}
_FORMATS = frozenset({"text", "xml", "json", "yaml"})
_EVENTS = frozenset({"insert", "update", "delete", "truncate"})
_WORKERS = 1024
_CLEANUPS = frozenset({"auto", "true", "false", "on", "off", "0", "1"})
_HEADER_OF_TEXT = 15
_STAR = 17


def refuse_unknown_options(step: Step, what: str, elements: list[Node]) -> None:
    """See that a server knows the options of a statement.

    Args:
        step: told of the refusal.
        what: the statement, ``VACUUM`` for example.
        elements: ``DefElem`` nodes.

    Raises:
        Refused: there is one that it does not know.
    """
    known, major = _KNOWN[what], major_of(step)
    for one in elements:
        name = str(one.get("DefElem", {}).get("defname", ""))
        since = known.get(name)
        if since is None or (major is not None and major < since):
            step.refuse("42601", f'unrecognized {what} option "{name}"')


def refuse_explain_options(step: Step, node: Node) -> None:
    """See that EXPLAIN's options are known, and go with each other.

    Raises:
        Refused: they are not, or do not.
    """
    refuse_unknown_options(step, "EXPLAIN", node.get("options", []))
    given = {one["DefElem"]["defname"]: one["DefElem"].get("arg") for one in node.get("options", ())}
    if "format" in given and option_text(given["format"]).lower() not in _FORMATS:
        step.refuse("22023", f'unrecognized value for EXPLAIN option "format": "{option_text(given["format"])}"')
    analyzes = "analyze" in given and truth(given["analyze"])
    for name in ("wal", "timing"):
        if name in given and truth(given[name]) and not analyzes:
            step.refuse("22023", f"EXPLAIN option {name.upper()} requires ANALYZE")
    serialized = option_text(given.get("serialize")).lower() if "serialize" in given else "none"
    if serialized not in ("none", "off") and not analyzes:
        step.refuse("22023", "EXPLAIN option SERIALIZE requires ANALYZE")
    if "generic_plan" in given and truth(given["generic_plan"]) and analyzes:
        step.refuse("22023", "EXPLAIN options ANALYZE and GENERIC_PLAN cannot be used together")


def refuse_copy_options(step: Step, node: Node) -> None:
    """See that COPY's options are known, are given once, and go with each other.

    Raises:
        Refused: they are not, or do not.
    """
    elements = node.get("options", [])
    refuse_unknown_options(step, "COPY", elements)
    names = [one["DefElem"]["defname"] for one in elements]
    for name in names:
        if names.count(name) > 1:
            step.refuse("42601", "conflicting or redundant options")
    given = {one["DefElem"]["defname"]: one["DefElem"].get("arg") for one in elements}
    major = major_of(step)
    form = option_text(given.get("format")).lower() if "format" in given else "text"
    if form not in ("text", "csv", "binary"):
        step.refuse("22023", f'COPY format "{form}" not recognized')
    for name in ("force_not_null", "force_null"):
        if "A_Star" in (given.get(name) or {}) and major is not None and major < _STAR:
            step.refuse("22023", f'argument to option "{name}" must be a list of column names')
    matches = option_text(given.get("header")).lower() == "match"
    if matches and major is not None and major < _HEADER_OF_TEXT:
        step.refuse("42601", "header requires a Boolean value")
    if form == "binary" and given.keys() & {"delimiter", "null", "default"}:
        step.refuse("42601", "cannot specify DELIMITER, NULL or DEFAULT in BINARY mode")
    header = "header" in given and (matches or truth(given["header"]))
    if header and (form == "binary" or (form == "text" and major is not None and major < _HEADER_OF_TEXT)):
        step.refuse("0A000", f"cannot specify HEADER in {form.upper()} mode")
    for name in ("quote", "escape", "force_quote", "force_not_null", "force_null"):
        if name in given and form != "csv":
            step.refuse("0A000", f"COPY {name.upper()} requires CSV mode")
    _refuse_marks(step, given, form)
    if not node.get("is_from"):
        _refuse_reading(step, given)
    if matches and not node.get("is_from"):
        step.refuse("0A000", 'cannot use "match" with HEADER in COPY TO')


_OF_READING = frozenset({"freeze", "force_not_null", "force_null", "on_error", "reject_limit", "default"})


def _refuse_reading(step: Step, given: dict[str, Node | None]) -> None:
    """What COPY TO has no use for; which SQLSTATE says so, differs between versions."""
    for name in _OF_READING & given.keys():
        newer = (major_of(step) or _STAR) >= _STAR
        if name != "freeze" or (newer and truth(given[name])):
            code = "22023" if newer or name in ("on_error", "reject_limit") else "0A000"
            step.refuse(code, f"COPY {name.upper()} cannot be used with COPY TO")


def _refuse_marks(step: Step, given: dict[str, Node | None], form: str) -> None:
    """Delimiter, quote, escape and NULL."""
    for name in ("delimiter", "quote", "escape"):
        if name in given and len(option_text(given[name]).encode()) != 1:
            step.refuse("0A000", f"COPY {name} must be a single one-byte character")
    delimiter = option_text(given.get("delimiter")) if "delimiter" in given else "," if form == "csv" else "\t"
    null = option_text(given.get("null")) if "null" in given else ""
    if "\n" in null or "\r" in null or delimiter in ("\n", "\r"):
        step.refuse("22023", "COPY delimiter and null representation cannot use newline or carriage return")
    if form != "binary" and delimiter in null:
        code = "22023" if (major_of(step) or _STAR) >= _STAR else "0A000"
        step.refuse(code, "COPY delimiter character must not appear in the NULL specification")
    if form == "text" and delimiter in "\\.abcdefghijklmnopqrstuvwxyz0123456789":
        step.refuse("22023", f'COPY delimiter cannot be "{delimiter}"')
    if "encoding" in given:
        step.may_fail("22023", "the encoding may not be known")


def refuse_publication_options(step: Step, node: Node) -> None:
    """See that a publication's parameters are known, and those events too that it is to publish.

    Raises:
        Refused: one is not.
    """
    refuse_unknown_options(step, "PUBLICATION", node.get("options", []))
    publish = find_option(node, "publish")
    if publish is not None:
        for one in option_text(publish.get("arg")).split(","):
            if one.strip() and one.strip().lower() not in _EVENTS:
                step.refuse("42601", f'unrecognized value for publication option "publish": "{one.strip()}"')


def refuse_vacuum_options(step: Step, node: Node, *, tables: bool) -> None:
    """See that the options of VACUUM or ANALYZE are known, and go with each other.

    Args:
        step: told of the refusal.
        node: the ``VacuumStmt``.
        tables: it names tables.

    Raises:
        Refused: they are not, or do not.
    """
    vacuum = bool(node.get("is_vacuumcmd"))
    refuse_unknown_options(step, "VACUUM" if vacuum else "ANALYZE", node.get("options", []))
    given = {one["DefElem"]["defname"]: one["DefElem"].get("arg") for one in node.get("options", ())}

    def has(name: str) -> bool:
        return name in given and truth(given[name])

    columns = any("va_cols" in one.get("VacuumRelation", {}) for one in node.get("rels", ()))
    if columns and vacuum and not has("analyze"):
        step.refuse("0A000", "ANALYZE option must be specified when a column list is provided")
    if not vacuum:
        return
    workers = option_text(given.get("parallel"))
    if "parallel" in given and not (workers.isdigit() and int(workers) <= _WORKERS):
        step.refuse("42601", f"parallel workers for vacuum must be between 0 and {_WORKERS}")
    cleanup = option_text(given.get("index_cleanup")).lower()
    if given.get("index_cleanup") is not None and cleanup not in _CLEANUPS:
        step.refuse("42601", "index_cleanup requires a Boolean value")
    if has("full") and workers.isdigit() and int(workers) > 0:
        step.refuse("0A000", "VACUUM FULL cannot be performed in parallel")
    if has("full") and has("disable_page_skipping"):
        step.refuse("0A000", "VACUUM option DISABLE_PAGE_SKIPPING cannot be used with FULL")
    if has("full") and "process_toast" in given and not has("process_toast"):
        step.refuse("0A000", "PROCESS_TOAST required with VACUUM FULL")
    if has("only_database_stats") and tables:
        step.refuse("0A000", "ONLY_DATABASE_STATS cannot be specified with a list of tables")
