"""Which handler reads which kind of syntax-tree node."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.rights import is_restricted
from confiture_tui.core.effects.statements.alter_table.entry import read_alter_table
from confiture_tui.core.effects.statements.create_table import read_create_table
from confiture_tui.core.effects.statements.create_table_as import read_create_table_as
from confiture_tui.core.effects.statements.objects_table import OBJECT_HANDLERS
from confiture_tui.core.effects.statements.permissions import refuse_after, refuse_before
from confiture_tui.core.effects.statements.queries import read_select
from confiture_tui.core.effects.statements.renames import read_rename
from confiture_tui.core.effects.statements.running import (
    read_call,
    read_close,
    read_deallocate,
    read_declare,
    read_do_block,
    read_execute,
    read_explain,
    read_fetch,
    read_prepare,
)
from confiture_tui.core.effects.statements.settings import read_set
from confiture_tui.core.effects.statements.transactions import read_transaction
from confiture_tui.core.effects.statements.writes import (
    read_copy,
    read_delete,
    read_insert,
    read_merge,
    read_update,
)

if TYPE_CHECKING:
    from confiture_tui.core.effects.step import Handler, Step

_HANDLERS: dict[str, Handler] = {
    # Queries, rows, and what runs other statements
    "SelectStmt": read_select,
    "InsertStmt": read_insert,
    "UpdateStmt": read_update,
    "DeleteStmt": read_delete,
    "MergeStmt": read_merge,
    "CopyStmt": read_copy,
    "DoStmt": read_do_block,
    "CallStmt": read_call,
    "ExplainStmt": read_explain,
    "PrepareStmt": read_prepare,
    "ExecuteStmt": read_execute,
    "DeallocateStmt": read_deallocate,
    "DeclareCursorStmt": read_declare,
    "FetchStmt": read_fetch,
    "ClosePortalStmt": read_close,
    # Everything that is neither a table nor rows
    **OBJECT_HANDLERS,
    # ALTER TABLE and its like
    "AlterTableStmt": read_alter_table,
    "RenameStmt": read_rename,
    "CreateStmt": read_create_table,
    "CreateTableAsStmt": read_create_table_as,
    # Session and transaction
    "TransactionStmt": read_transaction,
    "VariableSetStmt": read_set,
}


def _guarded(kind: str, handler: Handler) -> Handler:
    """A handler that first sees that the role may do it."""

    def read(node: dict[str, Any], step: Step) -> None:
        if not is_restricted(step):
            handler(node, step)
        elif not refuse_before(step, kind, node):
            handler(node, step)
            refuse_after(step, kind, node)

    return read


HANDLERS: Mapping[str, Handler] = MappingProxyType({kind: _guarded(kind, one) for kind, one in _HANDLERS.items()})
"""By node kind, as libpg_query calls it. A kind that is not here is opaque: unclassified never means safe."""
