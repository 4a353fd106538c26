"""What the server refuses of a new table as such: how it is to be stored, and by what it is to be divided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.columns import Volatility
from confiture_tui.core.catalog.models.relations import Persistence, RelationKind
from confiture_tui.core.effects.expressions import volatility
from confiture_tui.core.effects.schema import Presence
from confiture_tui.core.effects.statements.expressions_read import read_expression
from confiture_tui.core.effects.statements.index_keys import require_operator_class
from confiture_tui.core.effects.statements.parameters import refuse_parameter

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.schema import Found
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_NOT_UNLOGGED = 180000
"""From this version on a partitioned table, which has no rows of its own, cannot be unlogged."""
_METHOD_OF_PARTITIONED = 170000
"""From this version on a partitioned table may have an access method, which its partitions get."""


def refuse_storage(step: Step, relation: Relation, node: Node) -> None:
    """See that a new table can be stored as its ``CreateStmt`` says.

    Raises:
        Refused: it cannot.
    """
    temporary = relation.persistence is Persistence.TEMPORARY
    if node.get("oncommit", "ONCOMMIT_NOOP") != "ONCOMMIT_NOOP" and not temporary:
        step.refuse("42P16", "ON COMMIT can only be used on temporary tables")
    for one in node.get("options", ()):
        refuse_parameter(step, one.get("DefElem", {}), relation.kind.value, resets=False)
    divided = relation.kind is RelationKind.PARTITIONED_TABLE
    newer = step.schema.known and step.schema.server_version_num >= _NOT_UNLOGGED
    if divided and newer and relation.persistence is Persistence.UNLOGGED:
        step.refuse("0A000", "partitioned tables cannot be unlogged")
    older = step.schema.known and step.schema.server_version_num < _METHOD_OF_PARTITIONED
    if older and "accessMethod" in node and relation.kind is RelationKind.PARTITIONED_TABLE:
        step.refuse("0A000", "specifying a table access method is not supported on a partitioned table")
    method = node.get("accessMethod", "heap")
    if method != "heap" and step.now.known and step.now.other("access method", method) is None:
        step.refuse("42704", f'access method "{method}" does not exist')
    tablespace = node.get("tablespacename", "pg_default")
    if tablespace == "pg_global":
        step.refuse("22023", "only shared relations can be placed in pg_global tablespace")
    if tablespace != "pg_default":
        step.may_fail("42704", f'tablespace "{tablespace}" may not exist')


def refuse_parent(step: Step, relation: Relation, parent: Found) -> None:
    """See that a new table can be a partition of a table as far as their persistence goes.

    Raises:
        Refused: it cannot.
    """
    above = parent.relation
    if above is None or parent.presence is not Presence.KNOWN:
        return
    temporary = [one.persistence is Persistence.TEMPORARY for one in (relation, above)]
    if temporary[0] != temporary[1]:
        words = ["temporary" if one else "permanent" for one in temporary]
        step.refuse("42809", f'cannot create a {words[0]} relation as partition of {words[1]} relation "{above.name}"')


def refuse_partition_key(step: Step, relation: Relation, specification: Node) -> None:
    """See that a table with these columns can be divided by a key (a ``PartitionSpec``).

    Raises:
        Refused: it cannot.
    """
    elements = [one["PartitionElem"] for one in specification.get("partParams", ())]
    strategy = relation.partitioning.strategy if relation.partitioning is not None else ""
    if strategy == "list" and len(elements) > 1:
        step.refuse("42P17", 'cannot use "list" partition strategy with more than one column')
    whole = not step.now.is_partial(relation)
    for one in elements:
        if "expr" in one:
            read_expression(step, one["expr"], "partition key expression", relation=relation if whole else None)
            if volatility(one["expr"], step.now, relation=relation) in (Volatility.VOLATILE, Volatility.STABLE):
                step.refuse("42P17", "functions in partition key expression must be marked IMMUTABLE")
            continue
        column = relation.column(one.get("name", ""))
        if column is None:
            if whole:
                step.refuse("42703", f'column "{one.get("name")}" named in partition key does not exist')
            continue
        if column.generated is not None:
            step.refuse("42P17", f'cannot use generated column "{column.name}" in partition key')
        method = "hash" if strategy == "hash" else "btree"
        require_operator_class(step, column.type, one.get("opclass", ()), method)


def refuse_keys(step: Step, relation: Relation) -> None:
    """A unique index of a partitioned table, also one that comes from its parent, must have all its key columns.

    Raises:
        Refused: one has not.
    """
    if relation.kind is not RelationKind.PARTITIONED_TABLE or relation.partitioning is None:
        return
    for index in relation.indexes:
        if index.unique and not set(relation.partitioning.columns) <= set(index.key_columns):
            step.refuse("0A000", "unique constraint on partitioned table must include all partitioning columns")
