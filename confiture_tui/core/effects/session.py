"""The session that a migration runs in: settings in force, the transaction, what it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from confiture_tui.core.effects.held_locks import HeldLocks, TakenLocks

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Lock

Settings = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Mark:
    """What ROLLBACK (TO) goes back to: the settings, the number of locks held, the schema's version."""

    name: str
    session: Settings
    local: Settings
    locks: int
    version: int


class Session:
    """Settings and transaction, as one statement after the other finds and leaves them.

    Attributes:
        settings: in force, by lower-case name; the same mapping until one changes.
        transaction: number of the transaction that is open; ``None``: none, each statement is one of its own.
        opened_by_file: that transaction was begun by a statement of the file.
        started: version of the schema when it began.
        prepared, cursors: what PREPARE and DECLARE have made, by name; theirs who read those statements.
        looked: the transaction has looked at data: its isolation can no longer be set.
        deferred: foreign keys that will be looked at when the transaction is committed, in words.
        constraints_deferred: SET CONSTRAINTS … DEFERRED has been said.
        dropped_at_commit: oids of the temporary tables that end with the transaction.
    """

    def __init__(self, settings: Settings, login: str = "") -> None:
        self._login = login
        self._initial: Settings = dict(settings)
        self._session: Settings = self._initial
        self._local: Settings = {}
        self.settings: Settings = MappingProxyType(dict(settings))
        self.transaction: int | None = None
        self.opened_by_file = False
        self.started = 0
        self.prepared: dict[str, object] = {}
        self.cursors: dict[str, object] = {}
        self.looked = self.constraints_deferred = False
        self.deferred: dict[str, None] = {}
        self.dropped_at_commit: list[int] = []
        self._numbers = 0
        self._marks: list[_Mark] = []
        self._taken = TakenLocks()

    @property
    def role(self) -> str:
        """The current user: of SET ROLE, of SET SESSION AUTHORIZATION, else who has logged in; empty: not known."""
        role = self.settings.get("role", "none")
        if role not in ("none", ""):
            return role
        return self.session_role

    @property
    def session_role(self) -> str:
        """The session user, whom RESET ROLE goes back to; empty: not known."""
        return self.settings.get("session_authorization", "") or self._login

    # Settings

    def set(self, name: str, value: str, *, local: bool = False) -> None:
        """SET name = value, or SET LOCAL, which outside a transaction does nothing."""
        name = name.lower()
        if name == "session_authorization":
            self.reset("role")
        if local:
            if self.transaction is None:
                return
            self._local = {**self._local, name: value}
        else:
            self._session = {**self._session, name: value}
            self._local = {key: kept for key, kept in self._local.items() if key != name}
        self._renew()

    def reset(self, name: str | None) -> None:
        """RESET name, or with ``None`` RESET ALL."""
        if name is None:
            self._session = self._initial
            self._local = {}
        else:
            name = name.lower()
            without = {key: kept for key, kept in self._session.items() if key != name}
            self._session = {**without, name: self._initial[name]} if name in self._initial else without
            self._local = {key: kept for key, kept in self._local.items() if key != name}
        self._renew()

    def _renew(self) -> None:
        self.settings = MappingProxyType({**self._session, **self._local})

    # Transactions

    def next_number(self) -> int:
        """The number of a transaction that begins now."""
        self._numbers += 1
        return self._numbers - 1

    def begin(self, version: int, *, by_file: bool) -> None:
        """BEGIN; the schema is at that version."""
        self.transaction = self.next_number()
        self.opened_by_file = by_file
        self.started = version
        self._taken = TakenLocks()
        self._marks = [_Mark("", self._session, self._local, 0, version)]
        self._forget_transaction()

    def _forget_transaction(self) -> None:
        self.looked = self.constraints_deferred = False
        self.deferred = {}
        self.dropped_at_commit = []

    def commit(self) -> None:
        """COMMIT: what was SET LOCAL ends."""
        self.transaction = None
        self._forget_transaction()
        self._marks = []
        self._taken = TakenLocks()
        if self._local:
            self._local = {}
            self._renew()

    def rollback(self) -> int | None:
        """ROLLBACK: the version of the schema to go back to; ``None`` without a transaction."""
        if self.transaction is None:
            return None
        mark = self._marks[0]
        self._session, self._local = mark.session, {}
        self._renew()
        self.transaction = None
        self._forget_transaction()
        self._marks = []
        self._taken = TakenLocks()
        return mark.version

    def savepoint(self, name: str, version: int) -> None:
        """SAVEPOINT name."""
        self._marks.append(_Mark(name, self._session, self._local, len(self._taken.locks), version))

    def has_savepoint(self, name: str) -> bool:
        """Whether there is a savepoint of that name."""
        return any(mark.name == name for mark in self._marks[1:])

    def release(self, name: str) -> None:
        """RELEASE SAVEPOINT name: those after it end too."""
        while self._marks.pop().name != name:
            pass

    def rollback_to(self, name: str) -> int:
        """ROLLBACK TO name: locks taken since are given back; the version of the schema to go back to."""
        while self._marks[-1].name != name:
            self._marks.pop()
        mark = self._marks[-1]
        self._session, self._local = mark.session, mark.local
        self._renew()
        self._taken = TakenLocks(self._taken.locks[: mark.locks])
        return mark.version

    # Locks

    @property
    def held(self) -> HeldLocks:
        """What the transaction holds now."""
        return HeldLocks(self._taken, len(self._taken.locks))

    def hold(self, locks: Sequence[Lock]) -> None:
        """The transaction has taken locks: those that it did not hold, or held in a weaker mode, are added."""
        for lock in locks:
            self._taken.add(lock)
