"""The last phase of ALTER TABLE: each table is rewritten or checked once, foreign keys are validated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.relations import Relation
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.statements.alter_table.work import STORED, Alteration, Altered, Validation
from confiture_tui.core.effects.taking_away import proved_without_rows

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.constraints import Constraint

_OWNED_SEQUENCES_FOLLOW = 150000
"""The version from which SET LOGGED and SET UNLOGGED take a table's own sequences along."""


def finish(alteration: Alteration) -> None:
    """What happens to the tables in the queue once all sub-commands have run."""
    for altered in alteration.tables:
        relation = alteration.relation(altered)
        if relation.kind in STORED:
            _rewrite_or_check(alteration, altered, relation)
        if altered.persistence is not None:
            _owned_sequences(alteration, relation)
    for altered in alteration.tables:
        relation = alteration.relation(altered)
        if relation.kind in STORED:
            for one in altered.validations:
                constraint = next((each for each in relation.constraints if each.oid == one.constraint_oid), None)
                if constraint is not None:
                    alteration.step.command = one.reason.command
                    _validate(alteration, relation, constraint, one)
    alteration.step.command = None


def _rewrite_or_check(alteration: Alteration, altered: Altered, relation: Relation) -> None:
    step = alteration.step
    if altered.computes:
        _refuse_row_type_users(alteration, relation)
    if altered.rewrites:
        for reason in altered.rewrites:
            step.command = reason.command
            step.rewrite(relation, reason.why)
            step.scan(relation, reason.why)
        if "user_catalog_table=true" in relation.options:
            step.fails("0A000", f'cannot rewrite table "{relation.name}" used as a catalog table')
        for index in relation.indexes:
            if alteration.is_new(altered, index):
                step.build(index, relation, "it is built when the table has been rewritten")
            else:
                step.rebuild(index, relation, "a rewrite builds every index of the table anew")
        if alteration.partial(relation):
            step.note(f"a rewrite builds every index of {relation.qualified_name} anew; they are not known")
        return
    for reason in altered.checks:
        step.command = reason.command
        step.scan(relation, reason.why)
    if altered.tablespace is not None:
        step.command = altered.tablespace.command
        step.rewrite(relation, altered.tablespace.why)


def _refuse_row_type_users(alteration: Alteration, relation: Relation) -> None:
    """Columns of other tables that hold rows of this one stand in the way of computing values anew."""
    if not relation.row_type_oid:
        return
    for user, column in alteration.schema.columns_of_type(relation.row_type_oid):
        if user.kind in STORED:
            alteration.step.fails(
                "0A000",
                f'cannot alter table "{relation.name}" because column "{user.name}.{column.name}" uses its row type',
            )


def _owned_sequences(alteration: Alteration, relation: Relation) -> None:
    step = alteration.step
    if alteration.schema.server_version_num < _OWNED_SEQUENCES_FOLLOW:
        return
    for sequence in alteration.schema.owned_sequences(relation):
        step.lock(sequence, LockMode.ACCESS_EXCLUSIVE, "a table's own sequence changes its persistence with it")
        step.rewrite(sequence, "a table's own sequence changes its persistence with it")


def _validate(alteration: Alteration, relation: Relation, constraint: Constraint, validation: Validation) -> None:
    """One query joins the referencing table to the referenced one."""
    step, why = alteration.step, f"foreign key: {validation.reason.why}"
    step.scan(relation, why)
    if not constraint.enforced or validation.all_null or proved_without_rows(relation):
        return
    step.may_fail("23503", f"{constraint.quoted_name}: rows may reference what does not exist")
    other = alteration.schema.by_oid(constraint.referenced_oid)
    if isinstance(other, Relation):
        for one in (other, *(alteration.schema.descendants(other) if other.partitioning else ())):
            if one.kind in STORED:
                step.scan(one, why)
    elif constraint.referenced_relation is not None:
        step.scan(constraint.referenced_relation, why)
