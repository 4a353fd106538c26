"""What acts beyond the transaction and at once: no rollback undoes it, so a dry run in place does not run it.

Rights keep most of it from a plain role: what such a role may not do is run, and fails as it will fail for good
(42501). What the role may do (end sessions of its own role, call ``dblink`` with a password, use functions of somebody
who may more) is found by name: in the statement, in the body of a DO block, and in the bodies of the functions that
they name. A name that is put together at run time is not found; what the role may do then is the limit.

Sources: PostgreSQL documentation, "System Administration Functions", "Monitoring Statistics", COPY, LOAD, "dblink".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from confiture_tui.core.dry_run.calm import calm_transaction

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.sql.statement import Statement

_SLOTS = "makes, moves or drops a replication slot"
_FILES = "writes or removes a file on the server"
_COUNTERS = "throws the server's counters away"
_BACKUP = "acts on the server's backup or its write-ahead log"

_AT_ONCE: Mapping[str, str] = {
    "pg_terminate_backend": "ends another session",
    "pg_cancel_backend": "cancels another session's statement",
    "pg_reload_conf": "makes the server read its configuration again",
    "pg_rotate_logfile": "begins a new log file",
    "pg_promote": "promotes a standby",
    "pg_switch_wal": _BACKUP,
    "pg_create_restore_point": _BACKUP,
    "pg_logical_emit_message": _BACKUP,
    "pg_backup_start": _BACKUP,
    "pg_backup_stop": _BACKUP,
    "pg_start_backup": _BACKUP,
    "pg_stop_backup": _BACKUP,
    "lo_export": _FILES,
    "pg_file_write": _FILES,
    "pg_file_rename": _FILES,
    "pg_file_unlink": _FILES,
    "pg_stat_reset": _COUNTERS,
    "pg_stat_reset_shared": _COUNTERS,
    "pg_stat_reset_single_table_counters": _COUNTERS,
    "pg_stat_reset_single_function_counters": _COUNTERS,
    "pg_stat_reset_slru": _COUNTERS,
    "pg_stat_reset_replication_slot": _COUNTERS,
    "pg_stat_reset_subscription_stats": _COUNTERS,
    "pg_stat_reset_backend_stats": _COUNTERS,
    "pg_stat_statements_reset": _COUNTERS,
}
"""Functions, and what each does at once."""

_SLOT_FUNCTIONS: Mapping[str, str] = dict.fromkeys(
    (
        "pg_create_physical_replication_slot",
        "pg_create_logical_replication_slot",
        "pg_copy_physical_replication_slot",
        "pg_copy_logical_replication_slot",
        "pg_drop_replication_slot",
        "pg_replication_slot_advance",
        "pg_logical_slot_get_changes",
        "pg_logical_slot_get_binary_changes",
        "pg_sync_replication_slots",
    ),
    _SLOTS,
)
"""Those that need REPLICATION; anybody may call them, and be refused."""

_REACHING_EXTENSIONS = ("dblink", "http", "adminpack", "aws_s3", "aws_lambda", "pg_background")
"""Extensions whose functions act on other connections, servers or files."""

_CALLABLE = """
SELECT p.proname::text FROM pg_catalog.pg_proc p
 WHERE p.proname = ANY(%s) AND EXISTS (
   SELECT FROM pg_catalog.pg_roles r
    WHERE pg_catalog.pg_has_role(session_user, r.oid, 'MEMBER')
      AND pg_catalog.has_function_privilege(r.oid, p.oid, 'EXECUTE'))
"""
_OF_EXTENSIONS = """
SELECT p.proname::text, e.extname::text FROM pg_catalog.pg_depend d
  JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = ANY(%s)
  JOIN pg_catalog.pg_proc p ON p.oid = d.objid
 WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.refclassid = 'pg_catalog.pg_extension'::regclass
   AND d.deptype = 'e'
"""
# An untrusted language may do whatever the server's own user may (documentation, CREATE LANGUAGE).
_OF_LANGUAGES = """
SELECT p.proname::text, l.lanname::text FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
 WHERE NOT l.lanpltrusted AND l.lanname NOT IN ('internal', 'c')
"""
_BODIES = """
SELECT p.proname::text, coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc)
  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
 WHERE l.lanname IN ('sql', 'plpgsql') AND p.oid >= 16384
"""
_TRIGGERS = """
SELECT DISTINCT c.relname::text, p.proname::text
  FROM pg_catalog.pg_trigger t
  JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid AND p.proname = ANY(%s)
  JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
"""

_WORD = re.compile(r"[A-Za-z_\u0080-\U0010ffff][\w$]*")
_PROGRAM_OR_FILE = re.compile(r"\bcopy\b[^;]*?\b(?:to|from)\s+program\b|\bcopy\b[^;]*?\bto\s+(?:%|''|E?'[^']*')", re.I)


_DEFINE = frozenset(
    {
        "CreateEventTrigStmt",
        "CreateFunctionStmt",
        "CreatePolicyStmt",
        "CreateTrigStmt",
        "PrepareStmt",
        "RuleStmt",
        "ViewStmt",
    }
)
"""What names functions without calling them."""
_CHANGE_ROWS = frozenset({"CopyStmt", "DeleteStmt", "InsertStmt", "MergeStmt", "TruncateStmt", "UpdateStmt"})


class Escapes:
    """What in this database, for this role, acts at once.

    Args:
        names: functions that act at once, in lower case, and what each of them does.
        triggers: tables, without schema, with triggers that call such functions, and the function's name.
        powerful: the role may do what no rollback undoes: run programs, write files, load libraries.
    """

    def __init__(self, names: Mapping[str, str], triggers: Mapping[str, str], *, powerful: bool) -> None:
        self._names = dict(names)
        self._triggers = dict(triggers)
        self._prepared: dict[str, str] = {}
        self.powerful = powerful

    @classmethod
    def read(cls, conn: psycopg.Connection[Any], *, powerful: bool) -> Escapes:
        """Ask an idle connection in autocommit mode."""
        known = dict(_AT_ONCE) | (dict(_SLOT_FUNCTIONS) if powerful else {})
        with calm_transaction(conn):
            callable_ = {str(name) for (name,) in conn.execute(_CALLABLE, (list(known),))}
            names = {name: does for name, does in known.items() if name in callable_}
            for name, extension in conn.execute(_OF_EXTENSIONS, (list(_REACHING_EXTENSIONS),)):
                names[name.lower()] = f"is of the extension {extension}, which reaches beyond this database"
            for name, language in conn.execute(_OF_LANGUAGES):
                names[name.lower()] = f"is written in {language}, which may do anything on the server"
            own = set(_calling(conn.execute(_BODIES), names, powerful=powerful))
            reaching = sorted({*own, *(name for name in names if name not in known)})
            triggers = dict(conn.execute(_TRIGGERS, (reaching,)).fetchall()) if reaching else {}
        return cls(names, triggers, powerful=powerful)

    def reason(self, statement: Statement) -> str | None:
        """Why a statement is not to be run in place; ``None`` when nothing speaks against it."""
        node = statement.node or {}
        kind = statement.node_kind
        if kind == "CopyStmt" and self.powerful:
            if node.get("is_program"):
                return "It runs a program on the server: no rollback undoes that."
            if node.get("filename") and not node.get("is_from"):
                return "It writes a file on the server: no rollback undoes that."
        if kind == "LoadStmt" and (self.powerful or str(node.get("filename", "")).startswith("$libdir/plugins/")):
            return "It loads a library into the session: no rollback undoes that."
        if kind == "CheckPointStmt" and self.powerful:
            return "It makes the server write a checkpoint at once: no rollback undoes that."
        if kind in _DEFINE:
            return None
        if kind == "ExecuteStmt":
            return self._prepared.get(str(node.get("name", "")))
        return self._called_by(statement) or self._fired_by(statement)

    def learn(self, statement: Statement) -> None:
        """Take note of what a statement defined that later ones may call: functions, triggers, prepared statements."""
        node = statement.node or {}
        if statement.node_kind == "PrepareStmt":
            reason = self._called_by(statement)
            if reason:
                self._prepared[str(node.get("name", ""))] = reason
        elif statement.node_kind == "CreateFunctionStmt":
            name = _last_name(node.get("funcname", ()))
            found = self._named(_words(statement.sql) - {name}, statement.sql)
            if name and found:
                self._names[name] = _calls(found, self._names)
        elif statement.node_kind == "CreateTrigStmt":
            function = _last_name(node.get("funcname", ()))
            if function in self._names:
                self._triggers[str(node.get("relation", {}).get("relname", ""))] = function

    def trigger_on(self, relation: str) -> str | None:
        """The function that acts at once and that changing rows of a table, named with its schema, may call."""
        return self._triggers.get(relation.rsplit(".", 1)[-1].strip('"'))

    def _called_by(self, statement: Statement) -> str | None:
        if statement.node is None or statement.node_kind == "DoStmt":
            found = self._named(_words(statement.sql), statement.sql)
        else:
            found = self._named(set(_called(statement.node)), "")
        if found is None:
            return None
        does = self._names.get(found)
        return f"{found}{f' {does}' if does else ''}: no rollback undoes that. Dry-run on the shadow."

    def _fired_by(self, statement: Statement) -> str | None:
        if statement.node_kind not in _CHANGE_ROWS or not self._triggers:
            return None
        for name in _relations(statement.node or {}):
            if name in self._triggers:
                function = self._triggers[name]
                return f"A trigger of {name} calls {function}, which acts at once: no rollback undoes that."
        return None

    def _named(self, words: set[str], code: str) -> str | None:
        """What in some words, or in the code that they are from, acts at once."""
        name = next((word for word in sorted(words) if word in self._names), None)
        return name or ("COPY to a program or a file" if self.powerful and _PROGRAM_OR_FILE.search(code) else None)


def _calling(rows: Iterable[tuple[Any, ...]], names: dict[str, str], *, powerful: bool) -> Iterator[str]:
    """Add the functions whose bodies name one of ``names``, and those that name them in turn; yields each."""
    bodies = [(str(name).lower(), _words(str(body or "")), str(body or "")) for name, body in rows]
    grown = True
    while grown:
        grown = False
        for name, words, body in bodies:
            if name in names:
                continue
            called = next((word for word in sorted(words) if word in names), None)
            if called is None and powerful and _PROGRAM_OR_FILE.search(body):
                called = "COPY to a program or a file"
            if called is not None:
                names[name] = _calls(called, names)
                grown = True
                yield name


def _calls(called: str, names: Mapping[str, str]) -> str:
    does = names.get(called)
    return f"calls {called}{f', which {does}' if does else ''}"


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)}


def _called(node: Any) -> Iterator[str]:
    """The last part of the name of each function that is called somewhere in a syntax tree."""
    stack = [node]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            names = one.get("funcname")
            if isinstance(names, list):
                yield _last_name(names)
            stack.extend(one.values())
        elif isinstance(one, list):
            stack.extend(one)


def _relations(node: Mapping[str, Any]) -> Iterator[str]:
    """The tables, without schema, that a statement changes the rows of."""
    for one in (node.get("relation"), *node.get("relations", ())):
        if isinstance(one, dict):
            yield str(one.get("RangeVar", one).get("relname", ""))


def _last_name(names: Any) -> str:
    parts = [one.get("String", {}).get("sval", "") for one in names if isinstance(one, dict)]
    return str(parts[-1]).lower() if parts else ""
