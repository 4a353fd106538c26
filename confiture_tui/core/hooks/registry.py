"""Which hooks there are: built-in, registered in code, and those of installed packages."""

from __future__ import annotations

import fnmatch
import importlib
import inspect
import re
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from confiture_tui.core.effects.model import FrozenModel
from confiture_tui.core.hooks.hook import Hook
from confiture_tui.errors import UsageError
from confiture_tui.yaml_file import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from confiture_tui.core.hooks.phase import HookPhase

ENTRY_POINT_GROUP = "confiture.hooks"
"""The group under which a package declares its hooks: ``name = "module:Class"``."""

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")

_SLOW_S = 1.0
"""Seconds from which on an import is told as slow."""

_HOUSE = "confiture_tui.core.hooks.builtin"

BUILT_IN: Mapping[str, str] = MappingProxyType(
    {
        "analyze_tables": f"{_HOUSE}.analyze_tables:AnalyzeTables",
        "backfill_read_model": f"{_HOUSE}.backfill_read_model:BackfillReadModel",
        "backup_tables": f"{_HOUSE}.backup_tables:BackupTables",
        "capture_statistics": f"{_HOUSE}.capture_statistics:CaptureStatistics",
        "lint_schema": f"{_HOUSE}.lint_schema:LintSchema",
        "rebuild_index": f"{_HOUSE}.rebuild_index:RebuildIndex",
        "test_application_queries": f"{_HOUSE}.test_application_queries:TestApplicationQueries",
        "verify_consistency": f"{_HOUSE}.verify_consistency:VerifyConsistency",
    }
)
"""The hooks that come with the house: name → ``module:Class``, imported when they are used."""


class HookState(StrEnum):
    """Whether a hook can be used."""

    AVAILABLE = "available"
    DENIED = "denied"
    FAILED = "failed"


class HookInfo(FrozenModel):
    """One hook, as ``hooks list`` shows it.

    Attributes:
        name: of the hook.
        phase: in which it runs by default; ``None`` when that is not known, since it was not loaded.
        source: where it comes from.
        package: the distribution that owns it, with its version; ``None`` for what is registered in code.
        state: whether it can be used.
        error: why it cannot; of one that can, that its import takes long.
    """

    name: str
    phase: str | None = None
    source: Literal["built-in", "registered", "entry-point"]
    package: str | None = None
    state: HookState
    error: str | None = None


@dataclass(frozen=True, slots=True)
class HookPolicy:
    """Which hooks of installed packages may be used; patterns as in a shell.

    Attributes:
        allow: names, or ``package:name``; ``None`` allows all that are not denied. Installed is not enabled: a
            project that cares writes this list.
        deny: names, or ``package:name``; it wins, also over built-in hooks.
    """

    allow: tuple[str, ...] | None = None
    deny: tuple[str, ...] = ()

    def refusal(self, name: str, package: str | None, *, foreign: bool) -> str | None:
        """Why this hook may not be used; ``None`` when it may. The allow-list is about foreign packages only."""
        names = (name, f"{package}:{name}") if package else (name,)
        if _matches(names, self.deny):
            return "the project's settings deny it (hooks: deny)"
        if foreign and self.allow is not None and not _matches(names, self.allow):
            return "the project's settings do not allow it (hooks: allow)"
        return None


def _matches(names: Iterable[str], patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns for name in names)


class HookRegistry:
    """Finds hooks by name. Making one imports nobody's code; ``load`` and ``list`` do."""

    def __init__(self, policy: HookPolicy | None = None, *, import_limit_s: float = 10.0) -> None:
        """A registry.

        Args:
            policy: which hooks may be used; all, unless given.
            import_limit_s: seconds after which an import of somebody's code counts as failed.
        """
        self._policy = policy or HookPolicy()
        self._import_limit_s = import_limit_s
        self._registered: dict[str, type[Hook]] = {}
        self._loaded: dict[str, type[Hook] | UsageError] = {}
        self._took_s: dict[str, float] = {}

    def register(self, hook: type[Hook]) -> type[Hook]:
        """Add a hook of the program's own; usable as a decorator.

        Raises:
            ValueError: it is no hook, its name cannot be one, or the name is taken.
        """
        if problem := _problem_with(hook):
            raise ValueError(problem)
        name = hook.hook_name()
        if name in BUILT_IN or name in self._registered:
            raise ValueError(f"there is a hook called {name} already")
        self._registered[name] = hook
        return hook

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all hooks that are known, whether they can be loaded or not; imports nobody's code."""
        return tuple(sorted({*BUILT_IN, *self._registered, *(point.name for point in _entry_points())}))

    def load(self, name: str) -> type[Hook]:
        """The hook of this name, imported if need be.

        Raises:
            UsageError: there is none, it is denied, two packages claim the name, or it cannot be loaded; the message
                names the package that owns it.
        """
        if name not in self._loaded:
            try:
                self._loaded[name] = self._load(name)
            except UsageError as error:
                # Kept: a module that failed to import half-way must not be imported again and look whole.
                self._loaded[name] = error
        found = self._loaded[name]
        if isinstance(found, UsageError):
            raise UsageError(found.message, hint=found.hint)
        return found

    def list(self) -> tuple[HookInfo, ...]:
        """All hooks, by name; loads each one that is not denied, in isolation. Never raises."""
        return tuple(self._info(name) for name in self.names)

    def _info(self, name: str) -> HookInfo:
        points = [] if name in BUILT_IN or name in self._registered else _named(name)
        package = _package(points[0]) if points else None
        source: Literal["built-in", "registered", "entry-point"] = (
            "built-in" if name in BUILT_IN else "registered" if name in self._registered else "entry-point"
        )
        if refusal := self._policy.refusal(name, _package_name(points), foreign=bool(points)):
            return HookInfo(name=name, source=source, package=package, state=HookState.DENIED, error=refusal)
        try:
            hook = self.load(name)
        except UsageError as error:
            return HookInfo(name=name, source=source, package=package, state=HookState.FAILED, error=error.message)
        took = self._took_s.get(name, 0.0)
        slow = f"Importing it took {took:.1f} s." if took >= _SLOW_S else None
        return HookInfo(
            name=name, phase=hook.phase, source=source, package=package, state=HookState.AVAILABLE, error=slow
        )

    def _load(self, name: str) -> type[Hook]:
        if name in self._registered or name in BUILT_IN:
            if refusal := self._policy.refusal(name, None, foreign=False):
                raise UsageError(f"The hook {name} may not be used: {refusal}.")
            return self._registered.get(name) or _built_in(name)
        points = _named(name)
        if not points:
            raise UsageError(f"There is no hook called {name}.", hint=did_you_mean(name, self.names, "Hooks"))
        if refusal := self._policy.refusal(name, _package_name(points), foreign=True):
            raise UsageError(
                f"The hook {name} of {_package(points[0])} may not be used: {refusal}.",
                hint="Add it to hooks: allow in confiture.yaml if you trust the package.",
            )
        if len(points) > 1:
            owners = " and ".join(sorted(_package(point) for point in points))
            raise UsageError(
                f"The hook {name} is declared by {owners}: which one is meant cannot be known.",
                hint="Uninstall one of them, or deny one as package:name in confiture.yaml.",
            )
        began = time.monotonic()
        hook = _foreign(points[0], self._import_limit_s)
        self._took_s[name] = time.monotonic() - began
        return hook


def _built_in(name: str) -> type[Hook]:
    module, _, attribute = BUILT_IN[name].partition(":")
    hook: type[Hook] = getattr(importlib.import_module(module), attribute)
    return hook


def phase_of_built_in(name: str) -> HookPhase | None:
    """The phase of a hook that comes with the house; ``None`` for any other, whose code would have to be imported."""
    return _built_in(name).phase if name in BUILT_IN else None


def _entry_points() -> tuple[metadata.EntryPoint, ...]:
    """Those of the group; a distribution that is on the path twice counts once."""
    seen: dict[tuple[str, str, str], metadata.EntryPoint] = {}
    for point in metadata.entry_points(group=ENTRY_POINT_GROUP):
        seen.setdefault((point.name, point.value, _package(point)), point)
    return tuple(seen.values())


def _named(name: str) -> list[metadata.EntryPoint]:
    return [point for point in _entry_points() if point.name == name]


def _package(point: metadata.EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else "an unknown package"


def _package_name(points: list[metadata.EntryPoint]) -> str | None:
    return points[0].dist.name if points and points[0].dist is not None else None


def _foreign(point: metadata.EntryPoint, limit_s: float) -> type[Hook]:
    """Import somebody's hook.

    Raises:
        UsageError: whatever goes wrong, with the package's name.
    """
    owner = _package(point)
    hint = "Mend or uninstall that package, or deny the hook in confiture.yaml."
    try:
        loaded = _imported(point, limit_s)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # importing runs anybody's code: SystemExit must not end the program
        why = f"{type(error).__name__}: {error}".rstrip(": ")
        raise UsageError(f"The hook {point.name} of {owner} cannot be loaded: {why}.", hint=hint) from error
    if problem := _problem_with(loaded):
        raise UsageError(f"The hook {point.name} of {owner} cannot be used: {problem}.", hint=hint)
    if loaded.hook_name() != point.name:
        raise UsageError(
            f"The hook {point.name} of {owner} calls itself {loaded.hook_name()}: the two names must be the same.",
            hint=hint,
        )
    hook: type[Hook] = loaded
    return hook


def _imported(point: metadata.EntryPoint, limit_s: float) -> Any:
    """What an entry point names, on a thread of its own: an import that never ends must not hold up the others.

    Raises:
        TimeoutError: it has not ended in time; its thread is left behind.
        BaseException: whatever the import raises.
    """
    ended: Future[Any] = Future()

    def load() -> None:
        try:
            ended.set_result(point.load())
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
            ended.set_exception(error)

    threading.Thread(target=load, name=f"import {point.name}", daemon=True).start()
    try:
        return ended.result(limit_s)
    except TimeoutError:
        if ended.done():
            raise
        raise TimeoutError(f"its import has not ended after {limit_s:g} s") from None


def _problem_with(hook: object) -> str | None:
    """Why this cannot be a hook."""
    if not (inspect.isclass(hook) and issubclass(hook, Hook)):
        return f"{getattr(hook, '__name__', type(hook).__name__)} is not a subclass of confiture_tui.Hook"
    if inspect.isabstract(hook):
        return f"{hook.__name__} has no execute()"
    if inspect.iscoroutinefunction(hook.execute):
        return f"{hook.__name__}.execute is a coroutine; hooks are plain functions"
    if not hasattr(hook, "phase"):
        return f"{hook.__name__} has no phase"
    if not _NAME.match(hook.hook_name()):
        return f"{hook.hook_name()!r} is no name for a hook: lower case, digits and underscores"
    return None
