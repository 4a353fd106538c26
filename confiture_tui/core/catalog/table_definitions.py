"""Tables, views and their like, and what hangs on them, as defining texts.

Left out are the constraints that a foreign key makes for each partition of the table it references: their names depend
on the order in which the partitions came.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.definition import (
    Attributes,
    Definition,
    flag_text,
    grants_text,
    list_text,
    owned,
    role_text,
)
from confiture_tui.core.catalog.models.constraints import Constraint, ConstraintKind

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.indexes import Index
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.catalog.models.triggers import Policy, Rule, Trigger


def definitions_of_relation(relation: Relation) -> Iterator[Definition]:
    """A relation, its columns, constraints, indexes, triggers, rules and policies."""
    yield _relation(relation)
    for column in relation.columns:
        yield _column(column, relation)
    for constraint in relation.constraints:
        if not _is_clone_for_partition(constraint, relation):
            yield constraint_definition(constraint)
    for index in relation.indexes:
        yield _index(index)
    for trigger in relation.triggers:
        yield _trigger(trigger)
    for rule in relation.rules:
        yield _rule(rule)
    for policy in relation.policies:
        yield _policy(policy)


def _is_clone_for_partition(constraint: Constraint, relation: Relation) -> bool:
    """One of the constraints that a foreign key to a partitioned table makes for each of its partitions."""
    return (
        constraint.kind is ConstraintKind.FOREIGN_KEY
        and constraint.parent_oid != 0
        and any(each.oid == constraint.parent_oid for each in relation.constraints)
    )


def _relation(relation: Relation) -> Definition:
    attributes: Attributes = (
        ("definition", relation.definition),
        ("persistence", relation.persistence.value),
        ("partition key", relation.partitioning.key if relation.partitioning else None),
        ("parents", list_text(relation.parents)),
        ("partition bound", relation.partition_bound),
        ("detach pending", flag_text(relation.detach_pending or None)),
        ("of type", relation.of_type),
        ("access method", relation.access_method),
        ("tablespace", relation.tablespace),
        ("options", list_text(relation.options)),
        ("row security", flag_text(relation.row_security or None)),
        ("force row security", flag_text(relation.force_row_security or None)),
        ("replica identity", relation.replica_identity),
        ("server", relation.server),
        ("foreign options", list_text(relation.fdw_options)),
        *owned(relation.owner, relation.acl, relation.comment),
    )
    text = relation.definition or _relation_text(relation)
    order = tuple(column.quoted_name for column in relation.columns)
    return Definition(relation.kind.value, relation.qualified_name, None, text, attributes, order)


def _relation_text(relation: Relation) -> str:
    """The columns of a table as in CREATE TABLE, and where it stands in inheritance."""
    lines = ",\n".join(f"    {column.quoted_name} {_column_text(column)}" for column in relation.columns)
    body = f"(\n{lines}\n)" if lines else "()"
    if relation.is_partition and relation.parents:
        body += f" PARTITION OF {relation.parents[0]} {relation.partition_bound}"
    elif relation.parents:
        body += f" INHERITS ({', '.join(relation.parents)})"
    if relation.partitioning:
        body += f" PARTITION BY {relation.partitioning.key}"
    return body


def _column(column: Column, relation: Relation) -> Definition:
    generated = f"GENERATED ALWAYS AS ({column.default}) {column.generated.value.upper()}" if column.generated else None
    attributes: Attributes = (
        ("type", column.type),
        ("not null", flag_text(column.not_null)),
        ("default", None if column.generated else column.default),
        ("generated", generated),
        ("identity", column.identity.value if column.identity else None),
        ("collation", column.collation),
        ("storage", column.storage),
        ("compression", column.compression),
        ("statistics target", None if column.statistics_target is None else str(column.statistics_target)),
        ("options", list_text(column.options)),
        ("foreign options", list_text(column.fdw_options)),
        ("local", flag_text(column.is_local)),
        ("inherited from", str(column.inherited)),
        ("grants", grants_text(column.acl)),
        ("comment", column.comment),
    )
    return Definition("column", column.qualified_name, relation.qualified_name, _column_text(column), attributes)


def _column_text(column: Column) -> str:
    """A column as in CREATE TABLE, without its name."""
    text = column.type
    if column.collation:
        text += f" COLLATE {column.collation}"
    if column.not_null:
        text += " NOT NULL"
    if column.generated:
        text += f" GENERATED ALWAYS AS ({column.default}) {column.generated.value.upper()}"
    elif column.identity:
        text += f" GENERATED {column.identity.value.upper()} AS IDENTITY"
    elif column.default is not None:
        text += f" DEFAULT {column.default}"
    return text


def constraint_definition(constraint: Constraint) -> Definition:
    """A constraint of a table or of a domain."""
    attributes: Attributes = (
        ("definition", constraint.definition),
        ("kind", constraint.kind.value),
        ("validated", flag_text(constraint.validated)),
        ("enforced", flag_text(constraint.enforced)),
        ("index", constraint.index if constraint.kind is not ConstraintKind.FOREIGN_KEY else None),
        ("part of a parent's", flag_text(constraint.parent_oid != 0 or None)),
        ("local", flag_text(constraint.is_local)),
        ("inherited from", str(constraint.inherited)),
        ("states of its triggers", constraint.disabled_triggers or None),
        ("comment", constraint.comment),
    )
    name = constraint.qualified_name
    return Definition("constraint", name, constraint.owner_name, constraint.definition, attributes)


def _index(index: Index) -> Definition:
    attributes: Attributes = (
        ("definition", index.definition),
        ("primary", flag_text(index.primary or None)),
        ("valid", flag_text(index.valid)),
        ("constraint", index.constraint),
        ("parent", index.parent),
        ("clustered", flag_text(index.clustered or None)),
        ("replica identity", flag_text(index.replica_identity or None)),
        ("tablespace", index.tablespace),
        ("statistics targets", list_text(index.statistics_targets)),
        ("comment", index.comment),
    )
    return Definition("index", index.qualified_name, index.relation, index.definition, attributes)


def _trigger(trigger: Trigger) -> Definition:
    attributes: Attributes = (
        ("definition", trigger.definition),
        ("enabled", trigger.enabled),
        ("comment", trigger.comment),
    )
    return Definition("trigger", trigger.qualified_name, trigger.relation, trigger.definition, attributes)


def _rule(rule: Rule) -> Definition:
    attributes: Attributes = (("definition", rule.definition), ("enabled", rule.enabled), ("comment", rule.comment))
    return Definition("rule", rule.qualified_name, rule.relation, rule.definition, attributes)


def _policy(policy: Policy) -> Definition:
    roles = ", ".join("PUBLIC" if role == "" else role_text(role) for role in policy.roles)
    attributes: Attributes = (
        ("command", policy.command),
        ("permissive", flag_text(policy.permissive)),
        ("roles", roles),
        ("using", policy.using),
        ("with check", policy.with_check),
        ("comment", policy.comment),
    )
    text = f"AS {'PERMISSIVE' if policy.permissive else 'RESTRICTIVE'} FOR {policy.command} TO {roles}"
    if policy.using is not None:
        text += f" USING ({policy.using})"
    if policy.with_check is not None:
        text += f" WITH CHECK ({policy.with_check})"
    return Definition("policy", policy.qualified_name, policy.relation, text, attributes)
