"""Which statements cannot run inside a transaction block.

Source: PostgreSQL documentation, the page of each command ("cannot be executed inside a transaction block"), versions
14 to 18, tried against a server in the tests. ALTER TYPE … ADD VALUE is not among them: since version 12 only *using*
the new value in the same transaction fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from confiture_tui.core.sql.statement import Statement

_Node = Mapping[str, Any]


def refusal_in_transaction_block(statement: Statement) -> str | None:
    """Why the server refuses the statement inside a transaction block: one sentence; ``None`` when it does not.

    The text alone decides, so three cases remain that only a server or a catalog can tell: REINDEX and CLUSTER of a
    partitioned table, DROP SUBSCRIPTION of one without a slot (refused here, as with a slot), and CALL or DO of code
    that ends transactions itself. A statement that could not be parsed is not judged: ``None``.
    """
    rule = _RULES.get(statement.node_kind or "")
    form = rule(statement.node or {}) if rule else None
    return form and f"{form} cannot run inside a transaction block."


def holds_up_others(statement: Statement) -> bool:
    """Whether a statement that cannot run inside a transaction block takes locks for which readers or writers wait:
    VACUUM FULL, and CLUSTER and REINDEX of many tables; CREATE INDEX CONCURRENTLY and its like do not."""
    node = statement.node or {}
    match statement.node_kind:
        case "VacuumStmt":
            return _option(node, "full", default=False)
        case "ReindexStmt":
            return not _option(node, "concurrently", default=False, field="params")
    return statement.node_kind == "ClusterStmt"


def _always(form: str) -> Callable[[_Node], str | None]:
    return lambda _node: form


def _option(node: _Node, name: str, default: bool, field: str = "options") -> bool:
    """A boolean option as the server reads it: absent is the default, without a value is true."""
    for one in node.get(field, ()):
        element = one.get("DefElem", {})
        if element.get("defname") == name:
            return _truth(element.get("arg"))
    return default


def _truth(argument: _Node | None) -> bool:
    """How the server reads an option's value: ``off`` and ``false`` in any case, and 0, are false."""
    if argument is None:
        return True
    if "Integer" in argument:
        return bool(argument["Integer"].get("ival", 0))
    if "Boolean" in argument:
        return bool(argument["Boolean"].get("boolval", False))
    word = argument.get("String", {}).get("sval", "")
    if "TypeName" in argument:
        word = argument["TypeName"]["names"][-1]["String"]["sval"]
    return str(word).lower() not in ("off", "false")


def _alter_database(node: _Node) -> str | None:
    moves = any(one.get("DefElem", {}).get("defname") == "tablespace" for one in node.get("options", ()))
    return "ALTER DATABASE … SET TABLESPACE" if moves else None


def _alter_table(node: _Node) -> str | None:
    for one in node.get("cmds", ()):
        definition = one.get("AlterTableCmd", {}).get("def", {})
        if definition.get("PartitionCmd", {}).get("concurrent"):
            return "ALTER TABLE … DETACH PARTITION … CONCURRENTLY"
    return None


def _alter_subscription(node: _Node) -> str | None:
    kind = str(node.get("kind"))
    if kind == "ALTER_SUBSCRIPTION_REFRESH":
        return "ALTER SUBSCRIPTION … REFRESH PUBLICATION"
    if kind.endswith("_PUBLICATION") and _option(node, "refresh", default=True):
        verb = kind.removeprefix("ALTER_SUBSCRIPTION_").removesuffix("_PUBLICATION")
        return f"ALTER SUBSCRIPTION … {verb} PUBLICATION with a refresh"
    if kind == "ALTER_SUBSCRIPTION_OPTIONS":
        for one in node.get("options", ()):
            if (name := one.get("DefElem", {}).get("defname")) in ("two_phase", "failover"):
                return f"ALTER SUBSCRIPTION … SET ({name})"
    return None


def _create_subscription(node: _Node) -> str | None:
    connects = _option(node, "connect", default=True)
    return "CREATE SUBSCRIPTION with a new slot" if _option(node, "create_slot", default=connects) else None


def _reindex(node: _Node) -> str | None:
    if _option(node, "concurrently", default=False, field="params"):
        return "REINDEX CONCURRENTLY"
    whole = str(node.get("kind")).removeprefix("REINDEX_OBJECT_")
    return f"REINDEX {whole}" if whole in ("DATABASE", "SYSTEM", "SCHEMA") else None


def _transaction(node: _Node) -> str | None:
    forms = {"TRANS_STMT_COMMIT_PREPARED": "COMMIT PREPARED", "TRANS_STMT_ROLLBACK_PREPARED": "ROLLBACK PREPARED"}
    return forms.get(str(node.get("kind")))


_RULES: dict[str, Callable[[_Node], str | None]] = {
    "AlterDatabaseStmt": _alter_database,
    "AlterSubscriptionStmt": _alter_subscription,
    "AlterSystemStmt": _always("ALTER SYSTEM"),
    "AlterTableStmt": _alter_table,
    "ClusterStmt": lambda node: None if "relation" in node else "CLUSTER of all tables",
    "CreateSubscriptionStmt": _create_subscription,
    "CreateTableSpaceStmt": _always("CREATE TABLESPACE"),
    "CreatedbStmt": _always("CREATE DATABASE"),
    "DiscardStmt": lambda node: "DISCARD ALL" if node.get("target") == "DISCARD_ALL" else None,
    "DropStmt": lambda node: "DROP INDEX CONCURRENTLY" if node.get("concurrent") else None,
    "DropSubscriptionStmt": _always("DROP SUBSCRIPTION of one with a slot"),
    "DropTableSpaceStmt": _always("DROP TABLESPACE"),
    "DropdbStmt": _always("DROP DATABASE"),
    "IndexStmt": lambda node: "CREATE INDEX CONCURRENTLY" if node.get("concurrent") else None,
    "ReindexStmt": _reindex,
    "TransactionStmt": _transaction,
    "VacuumStmt": lambda node: "VACUUM" if node.get("is_vacuumcmd") else None,
}
