"""The eight table-level lock modes of PostgreSQL and their conflicts.

Source: PostgreSQL documentation, "Explicit Locking", table "Conflicting Lock Modes"; the same in versions 14 to 18.
What a mode blocks is derived from the matrix, never typed in.
"""

from __future__ import annotations

from enum import StrEnum


class LockMode(StrEnum):
    """A table-level lock mode, weakest first, spelled as PostgreSQL's documentation spells it."""

    __hash__ = str.__hash__  # this is asked for at every look-up

    ACCESS_SHARE = "ACCESS SHARE"
    ROW_SHARE = "ROW SHARE"
    ROW_EXCLUSIVE = "ROW EXCLUSIVE"
    SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE"
    SHARE = "SHARE"
    SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
    EXCLUSIVE = "EXCLUSIVE"
    ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"

    strength: int
    """The position in PostgreSQL's own numbering, 1 (ACCESS SHARE) to 8 (ACCESS EXCLUSIVE)."""
    conflicts: frozenset[LockMode]
    """The modes that wait while another transaction holds this one."""
    blocks_reads: bool
    """Whether a plain SELECT (ACCESS SHARE) waits."""
    blocks_writes: bool
    """Whether INSERT, UPDATE, DELETE and MERGE (ROW EXCLUSIVE) wait."""

    @classmethod
    def from_pg_locks(cls, mode: str) -> LockMode:
        """The mode that ``pg_locks.mode`` calls, for example, ``AccessExclusiveLock``.

        Raises:
            ValueError: the text is not a table-level lock mode.
        """
        try:
            return _FROM_PG_LOCKS[mode]
        except KeyError:
            raise ValueError(f"{mode!r} is not a table-level lock mode of PostgreSQL") from None


_FROM_PG_LOCKS = {"".join(word.capitalize() for word in mode.value.split()) + "Lock": mode for mode in LockMode}

_M = LockMode
_PAIRS: dict[LockMode, tuple[LockMode, ...]] = {
    _M.ACCESS_SHARE: (_M.ACCESS_EXCLUSIVE,),
    _M.ROW_SHARE: (_M.EXCLUSIVE, _M.ACCESS_EXCLUSIVE),
    _M.ROW_EXCLUSIVE: (_M.SHARE, _M.SHARE_ROW_EXCLUSIVE, _M.EXCLUSIVE, _M.ACCESS_EXCLUSIVE),
    _M.SHARE_UPDATE_EXCLUSIVE: (
        _M.SHARE_UPDATE_EXCLUSIVE,
        _M.SHARE,
        _M.SHARE_ROW_EXCLUSIVE,
        _M.EXCLUSIVE,
        _M.ACCESS_EXCLUSIVE,
    ),
    _M.SHARE: (
        _M.ROW_EXCLUSIVE,
        _M.SHARE_UPDATE_EXCLUSIVE,
        _M.SHARE_ROW_EXCLUSIVE,
        _M.EXCLUSIVE,
        _M.ACCESS_EXCLUSIVE,
    ),
    _M.SHARE_ROW_EXCLUSIVE: tuple(mode for mode in _M if mode not in (_M.ACCESS_SHARE, _M.ROW_SHARE)),
    _M.EXCLUSIVE: tuple(mode for mode in _M if mode is not _M.ACCESS_SHARE),
    _M.ACCESS_EXCLUSIVE: tuple(_M),
}
for _number, _mode in enumerate(LockMode, start=1):
    _mode.strength = _number
    _mode.conflicts = frozenset(_PAIRS[_mode])
    _mode.blocks_reads = LockMode.ACCESS_SHARE in _mode.conflicts
    _mode.blocks_writes = LockMode.ROW_EXCLUSIVE in _mode.conflicts
