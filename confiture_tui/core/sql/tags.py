"""PostgreSQL's command tags, from the syntax tree.

Source: PostgreSQL documentation, "Event Trigger Firing Matrix" (the tag of each command) and "SQL Commands"; checked
against a server in the tests. Where the tag that a client is shown depends on the outcome (``SELECT 5`` for CREATE
TABLE AS), the tag of the documentation stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from confiture_tui.core.sql.lexical import leading_words

_Node = Mapping[str, Any]

_OBJECTS = {
    "OBJECT_ATTRIBUTE": "TYPE",
    "OBJECT_COLUMN": "TABLE",
    "OBJECT_DOMCONSTRAINT": "DOMAIN",
    "OBJECT_FDW": "FOREIGN DATA WRAPPER",
    "OBJECT_FOREIGN_SERVER": "SERVER",
    "OBJECT_LARGEOBJECT": "LARGE OBJECT",
    "OBJECT_MATVIEW": "MATERIALIZED VIEW",
    "OBJECT_OPCLASS": "OPERATOR CLASS",
    "OBJECT_OPFAMILY": "OPERATOR FAMILY",
    "OBJECT_STATISTIC_EXT": "STATISTICS",
    "OBJECT_TABCONSTRAINT": "TABLE",
    "OBJECT_TSCONFIGURATION": "TEXT SEARCH CONFIGURATION",
    "OBJECT_TSDICTIONARY": "TEXT SEARCH DICTIONARY",
    "OBJECT_TSPARSER": "TEXT SEARCH PARSER",
    "OBJECT_TSTEMPLATE": "TEXT SEARCH TEMPLATE",
}
"""Object types whose name in a tag is not simply their own, with spaces."""

_FIXED = {
    "AlterCollationStmt": "ALTER COLLATION",
    "AlterDatabaseRefreshCollStmt": "ALTER DATABASE",
    "AlterDatabaseSetStmt": "ALTER DATABASE",
    "AlterDatabaseStmt": "ALTER DATABASE",
    "AlterDefaultPrivilegesStmt": "ALTER DEFAULT PRIVILEGES",
    "AlterDomainStmt": "ALTER DOMAIN",
    "AlterEnumStmt": "ALTER TYPE",
    "AlterEventTrigStmt": "ALTER EVENT TRIGGER",
    "AlterExtensionContentsStmt": "ALTER EXTENSION",
    "AlterExtensionStmt": "ALTER EXTENSION",
    "AlterFdwStmt": "ALTER FOREIGN DATA WRAPPER",
    "AlterForeignServerStmt": "ALTER SERVER",
    "AlterOpFamilyStmt": "ALTER OPERATOR FAMILY",
    "AlterOperatorStmt": "ALTER OPERATOR",
    "AlterPolicyStmt": "ALTER POLICY",
    "AlterPublicationStmt": "ALTER PUBLICATION",
    "AlterRoleSetStmt": "ALTER ROLE",
    "AlterRoleStmt": "ALTER ROLE",
    "AlterSeqStmt": "ALTER SEQUENCE",
    "AlterStatsStmt": "ALTER STATISTICS",
    "AlterSubscriptionStmt": "ALTER SUBSCRIPTION",
    "AlterSystemStmt": "ALTER SYSTEM",
    "AlterTSConfigurationStmt": "ALTER TEXT SEARCH CONFIGURATION",
    "AlterTSDictionaryStmt": "ALTER TEXT SEARCH DICTIONARY",
    "AlterTableSpaceOptionsStmt": "ALTER TABLESPACE",
    "AlterTypeStmt": "ALTER TYPE",
    "AlterUserMappingStmt": "ALTER USER MAPPING",
    "CallStmt": "CALL",
    "CheckPointStmt": "CHECKPOINT",
    "ClusterStmt": "CLUSTER",
    "CommentStmt": "COMMENT",
    "CompositeTypeStmt": "CREATE TYPE",
    "ConstraintsSetStmt": "SET CONSTRAINTS",
    "CopyStmt": "COPY",
    "CreateAmStmt": "CREATE ACCESS METHOD",
    "CreateCastStmt": "CREATE CAST",
    "CreateConversionStmt": "CREATE CONVERSION",
    "CreateDomainStmt": "CREATE DOMAIN",
    "CreateEnumStmt": "CREATE TYPE",
    "CreateEventTrigStmt": "CREATE EVENT TRIGGER",
    "CreateExtensionStmt": "CREATE EXTENSION",
    "CreateFdwStmt": "CREATE FOREIGN DATA WRAPPER",
    "CreateForeignServerStmt": "CREATE SERVER",
    "CreateForeignTableStmt": "CREATE FOREIGN TABLE",
    "CreateOpClassStmt": "CREATE OPERATOR CLASS",
    "CreateOpFamilyStmt": "CREATE OPERATOR FAMILY",
    "CreatePLangStmt": "CREATE LANGUAGE",
    "CreatePolicyStmt": "CREATE POLICY",
    "CreatePublicationStmt": "CREATE PUBLICATION",
    "CreateRangeStmt": "CREATE TYPE",
    "CreateRoleStmt": "CREATE ROLE",
    "CreateSchemaStmt": "CREATE SCHEMA",
    "CreateSeqStmt": "CREATE SEQUENCE",
    "CreateStatsStmt": "CREATE STATISTICS",
    "CreateStmt": "CREATE TABLE",
    "CreateSubscriptionStmt": "CREATE SUBSCRIPTION",
    "CreateTableSpaceStmt": "CREATE TABLESPACE",
    "CreateTransformStmt": "CREATE TRANSFORM",
    "CreateTrigStmt": "CREATE TRIGGER",
    "CreateUserMappingStmt": "CREATE USER MAPPING",
    "CreatedbStmt": "CREATE DATABASE",
    "DeclareCursorStmt": "DECLARE CURSOR",
    "DeleteStmt": "DELETE",
    "DoStmt": "DO",
    "DropOwnedStmt": "DROP OWNED",
    "DropRoleStmt": "DROP ROLE",
    "DropSubscriptionStmt": "DROP SUBSCRIPTION",
    "DropTableSpaceStmt": "DROP TABLESPACE",
    "DropUserMappingStmt": "DROP USER MAPPING",
    "DropdbStmt": "DROP DATABASE",
    "ExecuteStmt": "EXECUTE",
    "ExplainStmt": "EXPLAIN",
    "ImportForeignSchemaStmt": "IMPORT FOREIGN SCHEMA",
    "IndexStmt": "CREATE INDEX",
    "InsertStmt": "INSERT",
    "ListenStmt": "LISTEN",
    "LoadStmt": "LOAD",
    "LockStmt": "LOCK TABLE",
    "MergeStmt": "MERGE",
    "NotifyStmt": "NOTIFY",
    "PrepareStmt": "PREPARE",
    "ReassignOwnedStmt": "REASSIGN OWNED",
    "RefreshMatViewStmt": "REFRESH MATERIALIZED VIEW",
    "ReindexStmt": "REINDEX",
    "RuleStmt": "CREATE RULE",
    "SecLabelStmt": "SECURITY LABEL",
    "TruncateStmt": "TRUNCATE TABLE",
    "UnlistenStmt": "UNLISTEN",
    "UpdateStmt": "UPDATE",
    "VariableShowStmt": "SHOW",
    "ViewStmt": "CREATE VIEW",
}

_TRANSACTIONS = {
    "TRANS_STMT_BEGIN": "BEGIN",
    "TRANS_STMT_START": "START TRANSACTION",
    "TRANS_STMT_COMMIT": "COMMIT",
    "TRANS_STMT_ROLLBACK": "ROLLBACK",
    "TRANS_STMT_SAVEPOINT": "SAVEPOINT",
    "TRANS_STMT_RELEASE": "RELEASE",
    "TRANS_STMT_ROLLBACK_TO": "ROLLBACK",
    "TRANS_STMT_PREPARE": "PREPARE TRANSACTION",
    "TRANS_STMT_COMMIT_PREPARED": "COMMIT PREPARED",
    "TRANS_STMT_ROLLBACK_PREPARED": "ROLLBACK PREPARED",
}


def _object(object_type: object) -> str:
    name = str(object_type)
    return _OBJECTS.get(name) or name.removeprefix("OBJECT_").replace("_", " ")


def _select(node: _Node) -> str:
    # INTO belongs to the leftmost SELECT of a UNION.
    while isinstance(left := node.get("larg"), Mapping):
        node = left
    return "SELECT INTO" if "intoClause" in node else "SELECT"


def _create_table_as(node: _Node) -> str:
    if node.get("objtype") == "OBJECT_MATVIEW":
        return "CREATE MATERIALIZED VIEW"
    return "SELECT INTO" if node.get("is_select_into") else "CREATE TABLE AS"


def _rename(node: _Node) -> str:
    kind = node.get("renameType")
    return f"ALTER {_object(node.get('relationType') if kind == 'OBJECT_COLUMN' else kind)}"


_BY_FIELDS: dict[str, Callable[[_Node], str]] = {
    "AlterFunctionStmt": lambda node: f"ALTER {_object(node.get('objtype'))}",
    "AlterObjectDependsStmt": lambda node: f"ALTER {_object(node.get('objectType'))}",
    "AlterObjectSchemaStmt": lambda node: f"ALTER {_object(node.get('objectType'))}",
    "AlterOwnerStmt": lambda node: f"ALTER {_object(node.get('objectType'))}",
    "AlterTableMoveAllStmt": lambda node: f"ALTER {_object(node.get('objtype'))}",
    "AlterTableStmt": lambda node: f"ALTER {_object(node.get('objtype'))}",
    "ClosePortalStmt": lambda node: "CLOSE CURSOR" if node.get("portalname") else "CLOSE CURSOR ALL",
    "CreateFunctionStmt": lambda node: "CREATE PROCEDURE" if node.get("is_procedure") else "CREATE FUNCTION",
    "CreateTableAsStmt": _create_table_as,
    "DeallocateStmt": lambda node: "DEALLOCATE ALL" if node.get("isall") else "DEALLOCATE",
    "DefineStmt": lambda node: f"CREATE {_object(node.get('kind'))}",
    "DiscardStmt": lambda node: str(node.get("target")).replace("_", " "),
    "DropStmt": lambda node: f"DROP {_object(node.get('removeType'))}",
    "FetchStmt": lambda node: "MOVE" if node.get("ismove") else "FETCH",
    "GrantRoleStmt": lambda node: "GRANT ROLE" if node.get("is_grant") else "REVOKE ROLE",
    "GrantStmt": lambda node: "GRANT" if node.get("is_grant") else "REVOKE",
    "RenameStmt": _rename,
    "SelectStmt": _select,
    "TransactionStmt": lambda node: _TRANSACTIONS.get(str(node.get("kind")), "TRANSACTION"),
    "VacuumStmt": lambda node: "VACUUM" if node.get("is_vacuumcmd") else "ANALYZE",
    "VariableSetStmt": lambda node: "RESET" if str(node.get("kind")).startswith("VAR_RESET") else "SET",
}

_MODIFIERS = (
    "or replace temp temporary global local unlogged unique recursive constraint trusted procedural concurrently"
)
_OBJECT_TYPES = (
    "ACCESS_METHOD AGGREGATE CAST COLLATION CONVERSION DATABASE DOMAIN EVENT_TRIGGER EXTENSION FDW FOREIGN_SERVER "
    "FOREIGN_TABLE FUNCTION INDEX LANGUAGE LARGEOBJECT MATVIEW OPCLASS OPERATOR OPFAMILY POLICY PROCEDURE PUBLICATION "
    "ROLE ROUTINE RULE SCHEMA SEQUENCE STATISTIC_EXT SUBSCRIPTION TABLE TABLESPACE TRANSFORM TRIGGER TSCONFIGURATION "
    "TSDICTIONARY TSPARSER TSTEMPLATE TYPE USER_MAPPING VIEW"
)
_VERBS = ("ALTER", "CREATE", "DROP")
_FIRST_WORDS = (
    "ALTER ANALYZE CLOSE CREATE DEALLOCATE DECLARE DISCARD DROP FETCH GRANT IMPORT LOCK MOVE REASSIGN REFRESH RESET "
    "REVOKE SECURITY SELECT SET START TRUNCATE VACUUM VALUES WITH"
)

_NOT_IN_TAGS = frozenset(_MODIFIERS.split())
_KNOWN = frozenset(
    (
        *_FIXED.values(),
        *_TRANSACTIONS.values(),
        *_FIRST_WORDS.split(),
        *(
            f"{verb} {_object('OBJECT_' + name)}"
            for verb in ("ALTER", "CREATE", "DROP")
            for name in _OBJECT_TYPES.split()
        ),
    )
)


def tag_of(node_kind: str, node: _Node) -> str:
    """The command tag of a statement, from its top node as ``parser.parse`` gives it: ``ALTER TABLE``, for example.

    A kind of statement that is newer than this table gets its own name, in words.
    """
    if node_kind in _FIXED:
        return _FIXED[node_kind]
    if node_kind in _BY_FIELDS:
        return _BY_FIELDS[node_kind](node)
    return " ".join(re.findall(r"[A-Z][a-z]*", node_kind.removesuffix("Stmt"))).upper()


def tag_of_words(sql: str) -> str:
    """The command tag that the first words of a statement suggest; ``SQL`` when they suggest none.

    For statements that cannot be parsed. Only key words of PostgreSQL ever appear in it, never text from the file.
    """
    words: list[str] = []
    for word in leading_words(sql, 0, len(sql)):
        if word not in _NOT_IN_TAGS:
            words.append(word.upper())
        if len(words) == 4:
            break
    for length in range(len(words), 0, -1):
        if (tag := " ".join(words[:length])) in _KNOWN:
            return tag
    return "SQL"
