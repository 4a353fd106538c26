"""The door of this part: what a migration does, how dangerous it is, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.forecast import Forecast, Simulation
from confiture_tui.core.effects.held_locks import NOTHING_HELD
from confiture_tui.core.effects.model import StatementEffects
from confiture_tui.core.effects.observing import Observation, with_observations
from confiture_tui.core.effects.schema import Schema
from confiture_tui.core.effects.simulation import simulate, without_collections
from confiture_tui.core.migrations.profiles import PROFILES, RunnerProfile
from confiture_tui.core.risk.aliases import aliases_of
from confiture_tui.core.risk.assessment import assessment_of, with_what_was_seen
from confiture_tui.core.risk.chosen_rows import rows_counted
from confiture_tui.core.risk.context import Context
from confiture_tui.core.risk.duration import Durations
from confiture_tui.core.risk.inquiry import Inquiry, Unasked
from confiture_tui.core.risk.now import WINDOW_SECONDS
from confiture_tui.core.risk.probes import BUDGET_SECONDS
from confiture_tui.core.risk.rates import DEFAULT_RATES, Rates
from confiture_tui.core.risk.rule import Dispatch
from confiture_tui.core.risk.sizes import Sizes
from confiture_tui.errors import ConfitureError, UsageError

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.effects.begun import Begun
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.core.risk.model import RiskAssessment
    from confiture_tui.core.risk.rule import MigrationRule, RiskRule


class RiskAssessmentEngine:
    """Assesses migrations.

    Args:
        catalog: of the database that they are to run on; ``None``: the text alone decides (or, with a connection, the
            catalog is loaded through it), and what it leaves open is taken at its worst.
        connection: for read-only questions only: what data decide, what runs now. It is left as it was.
        runner: the profile, or its name, in whose name everything is judged; ``None``: a loose file, which promises
            nothing.
        rates: how fast the server works; cautious defaults otherwise (``calibrate`` measures them).
        allow: ids of rules whose risks are accepted.
        probe_seconds: for all questions to the data of one call together; 0 asks none.
        traffic_seconds: how long traffic on tables that get blocked is watched; 0: the counters' average is all.
        rules: which rules speak; ``None``: all that there are. The score rests on the facts, with or without them.
        observed: what dry runs have seen, by the migration's version.
        begun: how far runs came that stopped half-way, by the migration's version; only the rest counts.

    Raises:
        UsageError: there is no runner of that name.
    """

    def __init__(
        self,
        catalog: Catalog | None = None,
        *,
        connection: psycopg.Connection[Any] | None = None,
        runner: RunnerProfile | str | None = None,
        rates: Rates = DEFAULT_RATES,
        allow: Iterable[str] = (),
        probe_seconds: float = BUDGET_SECONDS,
        traffic_seconds: float = WINDOW_SECONDS,
        rules: Iterable[RiskRule | MigrationRule] | None = None,
        observed: Mapping[str, Observation] | None = None,
        begun: Mapping[str, Begun] | None = None,
    ) -> None:
        self._catalog = catalog
        self._connection = connection
        self._profile = _profile(runner)
        self._rates = rates
        self._allow = frozenset(allow)
        self._probe_seconds = probe_seconds
        self._traffic_seconds = traffic_seconds
        self._dispatch = _all_rules() if rules is None else Dispatch(rules)
        self._observed = observed or {}
        self._begun = begun or {}

    def assess(self, migration: Migration) -> RiskAssessment:
        """The assessment of one migration.

        Raises:
            ConfitureError: the parser's library is not installed, or the catalog cannot be loaded.
        """
        return self.assess_all([migration])[0]

    def assess_all(self, migrations: Sequence[Migration]) -> tuple[RiskAssessment, ...]:
        """The assessments of migrations that run one after the other: each finds what the earlier ones leave.

        Raises:
            ConfitureError: the parser's library is not installed, or the catalog cannot be loaded.
        """
        catalog = self._load()
        with without_collections():
            simulations = list(self._simulate(migrations, catalog))
            return tuple(self._assessed(simulations, catalog, apart=False))

    def assess_in_turn(self, migrations: Sequence[Migration]) -> Iterator[RiskAssessment]:
        """What ``assess_all`` gives, each as soon as it is made: with a database, when all of it has been asked.

        Raises:
            ConfitureError: as ``assess_all``.
        """
        catalog = self._load()
        if catalog is None:
            return self._assessments(self._one_by_one(migrations), Unasked(), None, {}, apart=False)
        with without_collections():
            simulations = list(self._simulate(migrations, catalog))
        return self._assessed(simulations, catalog, apart=False)

    def assess_each(self, migrations: Sequence[Migration]) -> tuple[RiskAssessment, ...]:
        """The assessments of migrations that have nothing to do with each other: each finds the database as it is.

        What runs on the server is looked at once for all of them, and they share the time for questions to the data.

        Raises:
            ConfitureError: the parser's library is not installed, or the catalog cannot be loaded.
        """
        catalog = self._load()
        with without_collections():
            if catalog is None:  # there is nothing to look at together, and thousands of files need not be held at once
                return tuple(self.assess(each) for each in migrations)
            simulations = [pair for each in migrations for pair in self._simulate([each], catalog)]
            return tuple(self._assessed(simulations, catalog, apart=True))

    def _one_by_one(self, migrations: Sequence[Migration]) -> Iterator[tuple[Simulation, Simulation | None]]:
        """The simulations of files alone, each made when it is asked for."""
        simulations = iter(self._simulate(migrations, None))
        while True:
            with without_collections():
                pair = next(simulations, None)
            if pair is None:
                return
            yield pair

    def _load(self) -> Catalog | None:
        if self._catalog is None and self._connection is not None:
            from confiture_tui.core.catalog import Catalog

            return Catalog.load(self._connection)
        return self._catalog

    def _assessed(
        self, simulations: list[tuple[Simulation, Simulation | None]], catalog: Catalog | None, *, apart: bool
    ) -> Iterator[RiskAssessment]:
        aliases = aliases_of((up for up, _ in simulations), catalog)
        inquiry = Inquiry(
            catalog,
            self._connection,
            [up for up, _ in simulations],
            aliases,
            probe_seconds=self._probe_seconds,
            traffic_seconds=self._traffic_seconds,
            apart=apart,
        )
        return self._assessments(simulations, inquiry, catalog, aliases, apart=apart)

    def _assessments(
        self,
        simulations: Iterable[tuple[Simulation, Simulation | None]],
        inquiry: Inquiry | Unasked,
        catalog: Catalog | None,
        aliases: Mapping[str, str],
        *,
        apart: bool,
    ) -> Iterator[RiskAssessment]:
        new: set[str] = set()
        for up, down in simulations:
            sizes = Sizes(catalog, new=frozenset(new), empty=inquiry.empty, aliases=aliases)
            answers = inquiry.answers(up)
            durations = Durations(sizes, self._rates, rows_counted(answers))
            context = Context(up, down, self._profile, sizes, durations, inquiry.live, answers)
            assessment = assessment_of(context, self._dispatch, allow=self._allow, notes=inquiry.notes)
            observation = self._observed.get(up.migration.version)
            if observation is not None:
                seen, replaced = with_observations(up, observation.of)
                context = Context(seen, down, self._profile, sizes, durations, inquiry.live, answers)
                after = assessment_of(context, self._dispatch, allow=self._allow, notes=inquiry.notes)
                assessment = with_what_was_seen(after, assessment.score, replaced, observation.schema_proved)
            yield assessment
            # Without a catalog the files may be years of history, and their tables long filled.
            if catalog is not None and not apart:
                new.update(name for each in up.forecasts for name in each.effects.creates or ())
                new.difference_update(
                    work.relation for each in up.forecasts for work in each.works if work.kind == "write"
                )

    def _simulate(
        self, migrations: Sequence[Migration], catalog: Catalog | None
    ) -> Iterable[tuple[Simulation, Simulation | None]]:
        start: Schema | None = None
        for migration in migrations:
            up = self._up(migration, catalog, start)
            down = None
            if migration.down is not None:
                try:
                    down = simulate(migration, profile=self._profile, start=up.after, direction="down")
                except ConfitureError:
                    raise
                except Exception:  # noqa: BLE001 - no way back that can be relied on; what `up` does is still told
                    down = None
            yield up, down
            start = up.after

    def _up(self, migration: Migration, catalog: Catalog | None, start: Schema | None) -> Simulation:
        """The simulation; where it breaks, one in which no statement was analysed: a bad file costs only itself."""
        try:
            begun = self._begun.get(migration.version)
            return simulate(migration, catalog=catalog, profile=self._profile, start=start, begun=begun)
        except ConfitureError:
            raise
        except Exception as error:  # noqa: BLE001 - told in the assessment's notes, and nothing is taken for safe
            return _not_analysed(migration, self._profile, start or Schema.of(catalog), error)


def _not_analysed(migration: Migration, profile: RunnerProfile, schema: Schema, error: Exception) -> Simulation:
    note = f"not analysed: {type(error).__name__}: {error}"
    forecasts = tuple(
        Forecast(
            statement=each,
            effects=StatementEffects(index=each.index, line=each.line, tag=each.tag, sql=each.sql),
            locks=(),
            works=(),
            before=schema,
            after=schema,
            transaction=0,
            held=NOTHING_HELD,
            settings={},
            notes=(note,),
        )
        for each in migration.up.statements
    )
    return Simulation(migration, forecasts, profile.wrapping_of(migration.up), schema, (note,))


@cache
def _all_rules() -> Dispatch:
    from confiture_tui.core.risk.rules import RULES

    return Dispatch(RULES)


def _profile(runner: RunnerProfile | str | None) -> RunnerProfile:
    if isinstance(runner, RunnerProfile):
        return runner
    profile = PROFILES.get(runner or "loose")
    if profile is None:
        raise UsageError(f"There is no runner {runner!r}.", hint=f"There are: {', '.join(sorted(PROFILES))}.")
    return profile
