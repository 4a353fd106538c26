"""The rules, in the order in which they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.lint.rules import (
    capacity,
    design,
    foreign_keys,
    health,
    indexes,
    names,
    partitions,
    privileges,
    row_security,
    types,
)
from confiture_tui.core.lint.rules.documentation import DocumentationRule
from confiture_tui.core.lint.rules.hygiene import LeftoverArtifactRule
from confiture_tui.core.lint.rules.missing_index import MissingIndexRule
from confiture_tui.core.lint.rules.multi_tenant import MultiTenantRule
from confiture_tui.core.lint.rules.naming import NamingRule
from confiture_tui.core.lint.rules.primary_key import PrimaryKeyRule
from confiture_tui.core.lint.rules.security import SecurityRule

if TYPE_CHECKING:
    from confiture_tui.core.lint.rule import LintRule

RULES: tuple[type[LintRule], ...] = (
    NamingRule,
    PrimaryKeyRule,
    DocumentationRule,
    MultiTenantRule,
    MissingIndexRule,
    SecurityRule,
    row_security.RlsDisabledRule,
    row_security.RlsPolicyNoEnableRule,
    row_security.RlsEnabledNoPolicyRule,
    row_security.RlsPolicyTrueRule,
    row_security.ViewNotSecurityInvokerRule,
    privileges.SecurityDefinerSearchPathRule,
    privileges.FunctionSearchPathMutableRule,
    privileges.PublicSchemaCreateRule,
    privileges.GrantToPublicRule,
    privileges.ExtensionInPublicRule,
    privileges.ExtensionOutdatedRule,
    privileges.OwnerMixedRule,
    indexes.DuplicateIndexRule,
    indexes.RedundantIndexRule,
    indexes.InvalidIndexRule,
    indexes.UnusedIndexRule,
    indexes.TooManyIndexesRule,
    indexes.IndexNullLeadingRule,
    indexes.BooleanIndexRule,
    indexes.ArrayBtreeIndexRule,
    indexes.MaterializedViewNoUniqueRule,
    foreign_keys.FkTypeMismatchRule,
    foreign_keys.FkDuplicateRule,
    foreign_keys.FkNullableCompositeRule,
    foreign_keys.ConstraintNotValidRule,
    foreign_keys.FkMissingGuessRule,
    foreign_keys.ReferenceActionsRule,
    capacity.IntPrimaryKeyRule,
    capacity.SequenceExhaustionRule,
    capacity.PreferIdentityRule,
    capacity.SerialNotPkRule,
    types.PreferTimestamptzRule,
    types.PreferJsonbRule,
    types.NoCharNRule,
    types.NoMoneyRule,
    types.NoVarcharNRule,
    types.NoTimetzRule,
    types.EnumVsCheckRule,
    types.FloatMoneyRule,
    types.InconsistentTypeRule,
    types.NullableBooleanRule,
    design.AllNullableRule,
    design.SingleColumnRule,
    design.NoColumnsBesidesPkRule,
    design.EmptyTableRule,
    design.MandatoryColumnsRule,
    names.NameTruncatedRule,
    names.ReservedWordRule,
    names.NamePluralityRule,
    names.IndexNamingRule,
    names.ConstraintNamingRule,
    design.UnloggedTableRule,
    partitions.DefaultPartitionMissingRule,
    partitions.PartitionGapAheadRule,
    partitions.PartitionIndexMissingRule,
    design.TriggerDisabledRule,
    design.RuleUsedRule,
    design.InheritanceRule,
    health.StaleStatisticsRule,
    health.NeverAnalyzedRule,
    health.XidAgeRule,
    health.TableBloatRule,
    LeftoverArtifactRule,
)
