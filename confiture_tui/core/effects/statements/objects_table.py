"""The handlers of everything that is neither a table nor rows: indexes, views, types, routines, privileges, …"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.effects.statements.collations import read_alter_collation
from confiture_tui.core.effects.statements.domains import read_alter_domain, read_create_domain
from confiture_tui.core.effects.statements.drops import read_drop, read_drop_owned, read_reassign_owned
from confiture_tui.core.effects.statements.event_triggers import (
    read_alter_event_trigger,
    read_create_event_trigger,
)
from confiture_tui.core.effects.statements.foreign_data import (
    altered_by_name,
    made_by_name,
    read_foreign_table,
    read_import_foreign_schema,
    read_user_mapping,
)
from confiture_tui.core.effects.statements.indexes import read_index
from confiture_tui.core.effects.statements.maintenance import read_cluster, read_reindex, read_vacuum
from confiture_tui.core.effects.statements.operators import (
    read_alter_operator,
    read_alter_operator_family,
    read_create_access_method,
    read_create_cast,
    read_create_conversion,
    read_create_language,
    read_create_operator_class,
    read_create_transform,
)
from confiture_tui.core.effects.statements.other_objects import (
    read_alter_publication,
    read_alter_statistics,
    read_create_publication,
    read_define,
    read_depends,
)
from confiture_tui.core.effects.statements.privileges import (
    read_comment,
    read_default_privileges,
    read_grant,
    read_owner,
)
from confiture_tui.core.effects.statements.routines import read_alter_routine, read_create_routine
from confiture_tui.core.effects.statements.rules import read_rule
from confiture_tui.core.effects.statements.schemas import (
    read_alter_extension,
    read_alter_extension_contents,
    read_create_extension,
    read_create_schema,
    read_set_schema,
)
from confiture_tui.core.effects.statements.sequences import read_alter_sequence, read_create_sequence
from confiture_tui.core.effects.statements.sessions import (
    read_alter_role,
    read_alter_system,
    read_constraints,
    read_create_database,
    read_create_role,
    read_discard,
    read_drop_database,
    read_drop_role,
    read_drop_tablespace,
    read_grant_role,
    read_load,
    read_nothing,
    read_server_wide,
    read_show,
    read_subscription,
)
from confiture_tui.core.effects.statements.statistics_objects import read_create_statistics
from confiture_tui.core.effects.statements.table_locks import read_lock, read_truncate
from confiture_tui.core.effects.statements.text_search import read_alter_text_search
from confiture_tui.core.effects.statements.triggers import (
    read_alter_policy,
    read_create_policy,
    read_create_trigger,
)
from confiture_tui.core.effects.statements.types import (
    read_alter_enum,
    read_alter_type,
    read_create_composite,
    read_create_enum,
    read_create_range,
)
from confiture_tui.core.effects.statements.views import read_refresh, read_view

if TYPE_CHECKING:
    from confiture_tui.core.effects.step import Handler

OBJECT_HANDLERS: dict[str, Handler] = {
    # Indexes, and work on tables as a whole
    "IndexStmt": read_index,
    "ReindexStmt": read_reindex,
    "ClusterStmt": read_cluster,
    "VacuumStmt": read_vacuum,
    "TruncateStmt": read_truncate,
    "LockStmt": read_lock,
    # Views and sequences
    "ViewStmt": read_view,
    "RefreshMatViewStmt": read_refresh,
    "CreateSeqStmt": read_create_sequence,
    "AlterSeqStmt": read_alter_sequence,
    # Types
    "CompositeTypeStmt": read_create_composite,
    "CreateEnumStmt": read_create_enum,
    "AlterEnumStmt": read_alter_enum,
    "CreateRangeStmt": read_create_range,
    "AlterTypeStmt": read_alter_type,
    "CreateDomainStmt": read_create_domain,
    "AlterDomainStmt": read_alter_domain,
    "DefineStmt": read_define,
    # Routines, and what hangs on tables
    "CreateFunctionStmt": read_create_routine,
    "AlterFunctionStmt": read_alter_routine,
    "CreateTrigStmt": read_create_trigger,
    "RuleStmt": read_rule,
    "CreatePolicyStmt": read_create_policy,
    "AlterPolicyStmt": read_alter_policy,
    "CreateEventTrigStmt": read_create_event_trigger,
    "AlterEventTrigStmt": read_alter_event_trigger,
    "CreateStatsStmt": read_create_statistics,
    "AlterStatsStmt": read_alter_statistics,
    # Schemas, extensions, and objects without storage
    "CreateSchemaStmt": read_create_schema,
    "AlterObjectSchemaStmt": read_set_schema,
    "AlterObjectDependsStmt": read_depends,
    "CreateExtensionStmt": read_create_extension,
    "AlterExtensionStmt": read_alter_extension,
    "AlterExtensionContentsStmt": read_alter_extension_contents,
    "CreatePublicationStmt": read_create_publication,
    "AlterPublicationStmt": read_alter_publication,
    "CreateSubscriptionStmt": read_subscription,
    "AlterSubscriptionStmt": read_subscription,
    "DropSubscriptionStmt": read_subscription,
    "CreateFdwStmt": made_by_name("foreign data wrapper", "fdwname"),
    "AlterFdwStmt": altered_by_name("foreign data wrapper", "fdwname"),
    "CreateForeignServerStmt": made_by_name("foreign server", "servername", ("foreign data wrapper", "fdwname")),
    "AlterForeignServerStmt": altered_by_name("foreign server", "servername"),
    "CreateForeignTableStmt": read_foreign_table,
    "ImportForeignSchemaStmt": read_import_foreign_schema,
    "CreateUserMappingStmt": read_user_mapping,
    "AlterUserMappingStmt": read_user_mapping,
    "DropUserMappingStmt": read_user_mapping,
    "CreateCastStmt": read_create_cast,
    "CreateTransformStmt": read_create_transform,
    "CreateConversionStmt": read_create_conversion,
    "CreatePLangStmt": read_create_language,
    "CreateAmStmt": read_create_access_method,
    "CreateOpClassStmt": read_create_operator_class,
    "CreateOpFamilyStmt": read_create_operator_class,
    "AlterOpFamilyStmt": read_alter_operator_family,
    "AlterOperatorStmt": read_alter_operator,
    "AlterCollationStmt": read_alter_collation,
    "AlterTSDictionaryStmt": read_alter_text_search,
    "AlterTSConfigurationStmt": read_alter_text_search,
    # Dropping
    "DropStmt": read_drop,
    "DropOwnedStmt": read_drop_owned,
    "ReassignOwnedStmt": read_reassign_owned,
    # Who may do what, and what is said of it
    "GrantStmt": read_grant,
    "AlterDefaultPrivilegesStmt": read_default_privileges,
    "AlterOwnerStmt": read_owner,
    "CommentStmt": read_comment,
    "SecLabelStmt": read_comment,
    "CreateRoleStmt": read_create_role,
    "AlterRoleStmt": read_alter_role,
    "AlterRoleSetStmt": read_alter_role,
    "DropRoleStmt": read_drop_role,
    "GrantRoleStmt": read_grant_role,
    # The session, and the server as a whole
    "VariableShowStmt": read_show,
    "ConstraintsSetStmt": read_constraints,
    "ListenStmt": read_nothing,
    "NotifyStmt": read_nothing,
    "UnlistenStmt": read_nothing,
    "CheckPointStmt": read_nothing,
    "LoadStmt": read_load,
    "DiscardStmt": read_discard,
    "CreatedbStmt": read_create_database,
    "DropdbStmt": read_drop_database,
    "AlterDatabaseStmt": read_server_wide,
    "AlterDatabaseSetStmt": read_server_wide,
    "AlterDatabaseRefreshCollStmt": read_server_wide,
    "CreateTableSpaceStmt": read_create_database,
    "DropTableSpaceStmt": read_drop_tablespace,
    "AlterTableSpaceOptionsStmt": read_server_wide,
    "AlterSystemStmt": read_alter_system,
}
"""By node kind, as libpg_query calls it."""
