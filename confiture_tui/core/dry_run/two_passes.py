"""A dry run on fresh clones of a shadow: verdict, observation, what the two say together, and the way back."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.dry_run.derived_down import derive_down
from confiture_tui.core.dry_run.hooked import HookRun
from confiture_tui.core.dry_run.merge import merge_passes
from confiture_tui.core.dry_run.passes import Seen, cumulative_pass, observation_pass, verdict_pass
from confiture_tui.core.dry_run.prediction import beside_prediction, predict
from confiture_tui.core.dry_run.result import DerivedDown, DryRunResult, Proof, RoundTrip, Rows
from confiture_tui.core.dry_run.round_trip import go_back, reread
from confiture_tui.core.dry_run.schema_changes import SchemaChanges
from confiture_tui.core.dry_run.telling import pass_started, proof_of_clones, way_back
from confiture_tui.core.migrations.profiles import RunnerProfile, Wrapping
from confiture_tui.core.sql.script import Script
from confiture_tui.errors import ConfitureError
from confiture_tui.events import Event, EventName, Level, Sink, with_context

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.dry_run.clones import CloneMaker
    from confiture_tui.core.dry_run.execution import Ran
    from confiture_tui.core.hooks.hook import Hook
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.database.cancellation import CancelScope


class TwoPasses:
    """One dry run of one migration.

    Args:
        clones: makes and drops them.
        template: what they are copies of.
        migration: what is tried.
        profile: how it would be run.
        rows: what data the template holds.
        notes: what the reader must know of the template.
        hooks: those that run with the migration.
        before: the template's catalog, where it has been read already.
        plain_for_superuser: a plain role runs it in place of the target's superuser.
        scope: what cancels it.
        sink: where events go.

    Attributes:
        before: the template's catalog, once ``run`` has read it.
    """

    def __init__(
        self,
        clones: CloneMaker,
        template: str,
        migration: Migration,
        profile: RunnerProfile,
        *,
        rows: Rows,
        notes: tuple[str, ...],
        hooks: Sequence[Hook],
        before: Catalog | None,
        plain_for_superuser: bool,
        scope: CancelScope,
        sink: Sink,
    ) -> None:
        self._clones = clones
        self._template = template
        self._migration = migration
        self._profile = profile
        self._rows = rows
        self._notes = notes
        self._hooks = tuple(hooks)
        self._known = before
        self._plain_for_superuser = plain_for_superuser
        self._scope = scope
        self._sink = sink
        self._statements = migration.up.statements
        self._wrapping = profile.wrapping_of(migration.up)
        self._made: list[str] = []
        self._cost_s = 0.0

    @property
    def before(self) -> Catalog:
        """The template's catalog."""
        assert self._known is not None, "read by the first pass"
        return self._known

    def run(self) -> DryRunResult:
        """Run the passes; the clones are gone when it returns, or raises.

        Raises:
            Cancelled: the scope was cancelled.
            psycopg.Error, ConfitureError: the shadow's server refuses, or went away.
        """
        try:
            result = self._run()
        except BaseException:
            # The first error is the one to be told: without its server a clone cannot be dropped, and is gone.
            with suppress(ConfitureError):
                self._clones.drop(self._made)
            raise
        self._clones.drop(self._made)
        proof = proof_of_clones(len(self._made), self._clones.count(self._made))
        return result.model_copy(update={"proof": proof})

    def _run(self) -> DryRunResult:
        applied = self._clone()
        hooks, results, after = self._verdict(applied)
        sink = with_context(self._sink, phase="observation")
        simulation = predict(self._migration, self.before, self._profile)
        seen, cumulated, looked = self._observation(results, sink)
        result = merge_passes(
            self._migration,
            self._wrapping,
            self._rows,
            results,
            seen,
            cumulated,
            schema_diff=self.before.diff(after) if after is not None else None,
            proof=Proof(nothing_persisted=None),
            notes=(*self._notes, *self._refused_settings(), *looked),
            hooks=hooks,
            plain_for_superuser=self._plain_for_superuser,
        )
        if len(result.statements) == 1:
            # What the one statement did is what all of them did.
            alone = result.statements[0].model_copy(update={"schema_diff": result.schema_diff})
            result = result.model_copy(update={"statements": (alone,)})
        result = beside_prediction(result, simulation, plain_for_superuser=self._plain_for_superuser, sink=sink)
        if not result.ok or after is None:
            return result
        if self._migration.down is not None:
            trip = self._round_trip(self._migration, applied, result, after)
            return result.model_copy(update={"round_trip": trip})
        return result.model_copy(update={"derived_down": self._derived_down(applied, result, after)})

    def _verdict(self, clone: str) -> tuple[HookRun | None, list[Ran], Catalog | None]:
        """Whether it succeeds, and the schema that it leaves."""
        sink = with_context(self._sink, phase="verdict")
        pass_started(sink, "verdict")
        hooks = None
        if self._hooks:
            transactional = self._wrapping is not Wrapping.NONE
            # The executor's events name the hook's own phase.
            hooks = HookRun(
                self._migration, self._hooks, transactional=transactional, scope=self._scope, sink=self._sink
            )
        with self._clones.connected(clone, self._scope) as conn:
            if self._known is None:
                began = time.monotonic()
                self._known = Catalog.load(conn)
                self._cost_s = time.monotonic() - began
            results = verdict_pass(conn, self._statements, self._wrapping, scope=self._scope, sink=sink, hooks=hooks)
            return hooks, results, self._left_behind(conn, results, hooks)

    def _left_behind(self, conn: psycopg.Connection[Any], results: list[Ran], hooks: HookRun | None) -> Catalog | None:
        """What the verdict pass left: ``None`` when it failed and its transaction took everything back."""
        failed = bool(results) and not results[-1].ok
        stopped = hooks is not None and hooks.failure is not None and not hooks.committed
        if (failed or stopped) and self._wrapping is not Wrapping.NONE and not self._migration.up.transaction_control:
            return None
        return reread(conn)

    def _observation(
        self, results: list[Ran], sink: Sink
    ) -> tuple[list[Seen | None], dict[int, Seen], tuple[str, ...]]:
        """What each statement was seen to do, alone or with those before it; and notes."""
        pass_started(sink, "observation")
        clone = self._clone()
        changes = SchemaChanges(
            lambda: self._clones.open(clone), self.before, cost_s=self._cost_s, statements=len(results)
        )
        with self._clones.connected(clone, self._scope, tracing=True) as conn:
            seen = observation_pass(
                conn,
                self._administer(clone),
                self._statements,
                results,
                self._wrapping,
                self._rows,
                scope=self._scope,
                sink=sink,
                changes=changes if len(self._statements) > 1 else None,
            )
        missing = {self._statements[position].index for position, one in enumerate(seen) if one is None}
        cumulated: dict[int, Seen] = {}
        if missing:
            pass_started(with_context(self._sink, phase="cumulative"), "cumulative")
            with self._clones.connected(self._clone(), self._scope, tracing=True) as conn:
                cumulated = cumulative_pass(
                    conn, self._statements, missing, len(results), self._rows, scope=self._scope
                )
        note = "What each statement alone does to the schema was not looked at: there are too many, or it is too large."
        return seen, cumulated, (note,) if changes.gave_up else ()

    def _derived_down(self, clone: str, result: DryRunResult, after: Catalog) -> DerivedDown | None:
        """A way back made of what the migration did to the schema, and what trying it shows."""
        sql = "\n".join(derive_down(self.before, after))
        if not sql:
            return None
        migration = self._migration.model_copy(update={"down": Script.from_text(sql)})
        return DerivedDown(sql=f"{sql}\n", round_trip=self._round_trip(migration, clone, result, after))

    def _round_trip(self, migration: Migration, clone: str, result: DryRunResult, after: Catalog) -> RoundTrip:
        """The way back, on the clone on which the verdict pass has applied the migration."""
        sink = with_context(self._sink, phase="round trip")
        sink(Event(name=EventName.PASS_STARTED, message="the way back, where it was applied", level=Level.DEBUG))
        trip = go_back(
            lambda: self._clones.connected(clone, self._scope),
            migration,
            self._profile,
            result,
            before=self.before,
            after=after,
            plain_for_superuser=self._plain_for_superuser,
            scope=self._scope,
        )
        sink(way_back(migration, trip))
        return trip

    def _administer(self, clone: str) -> Callable[[], psycopg.Connection[Any]]:
        return lambda: self._clones.administer(clone)

    def _refused_settings(self) -> tuple[str, ...]:
        refused = self._clones.refused_settings
        return (f"Settings of the target that the shadow does not take: {', '.join(refused)}.",) if refused else ()

    def _clone(self) -> str:
        """A fresh clone, noted so that it is dropped whatever happens."""
        self._made.append(self._clones.make(self._template))
        return self._made[-1]
