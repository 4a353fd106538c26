"""A script that becomes a server program: it takes an identity, ties its life to its parent's, and calls ``exec``.

It is run as a file by a Python of its own (``python -I -S become.py …``), never imported, because none of this can be
done safely between ``fork`` and ``exec`` of a process with threads, and because Linux forgets the signal of the
parent's death when a process changes its identity: the order here is identity first, then the signal, then ``exec``.

Arguments: IDENTITY SIGNAL PARENT PROGRAM [ARGUMENT…]
    IDENTITY  ``same``: as the caller; ``namespace:UID:GID``: the caller, seen as UID and GID in a user namespace of its
              own (no right is needed and none is won, and files stay the caller's); ``drop:UID:GID``: root becomes that
              user for good
    SIGNAL    the number of the signal that the kernel sends this process when the thread that started it ends; 0: none
    PARENT    the process id of the starter: if it is gone already, there is nothing to start for

It exits with 97 and a line on stderr when the identity cannot be had, with 98 when the starter is gone, with
126 and a line on stderr when the program cannot be executed.
"""

import os
import sys

IDENTITY_REFUSED = 97
PARENT_GONE = 98
NOT_EXECUTED = 126  # as a shell says it

CLONE_NEWUSER = 0x10000000  # linux/sched.h
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(arguments: list[str]) -> int:
    """Do what the module's text says; returns an exit code only if it cannot be done."""
    identity, signal, parent, program = arguments[0], int(arguments[1]), int(arguments[2]), arguments[3]
    # Loaded before the identity changes: the other user may not be able to read where Python is.
    c_library = CLibrary() if signal or identity.startswith("namespace") else None
    try:
        take(identity, c_library)
        if signal and c_library is not None:
            c_library.call("prctl", PR_SET_PDEATHSIG, signal)
    except OSError as error:
        sys.stderr.write(f"{identity}: {error.strerror}\n")
        return IDENTITY_REFUSED
    if os.getppid() != parent:
        return PARENT_GONE
    try:
        os.execv(program, arguments[3:])
    except OSError as error:
        sys.stderr.write(f"{program}: {error.strerror}\n")
        return NOT_EXECUTED


class CLibrary:
    """Functions of the C library that return 0 or set errno."""

    def __init__(self) -> None:
        import ctypes  # it costs some milliseconds, and only Linux's functions need it

        self._ctypes = ctypes
        self._library = ctypes.CDLL(None, use_errno=True)

    def call(self, name: str, *numbers: int) -> None:
        """Call one with numbers; OSError if it fails."""
        arguments = [self._ctypes.c_ulong(number) for number in numbers]
        if getattr(self._library, name)(*arguments) != 0:
            number = self._ctypes.get_errno()
            raise OSError(number, os.strerror(number))


def take(identity: str, c_library: CLibrary | None) -> None:
    """Become somebody else, as the module's text says."""
    how, _, who = identity.partition(":")
    if how == "same":
        return
    uid, gid = (int(number) for number in who.split(":"))
    if how == "drop":
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
        return
    assert c_library is not None
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    c_library.call("unshare", CLONE_NEWUSER)
    # user_namespaces(7): a process may map its own user; its group only once setgroups is denied.
    for name, content in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {outer_uid} 1"),
        ("gid_map", f"{gid} {outer_gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib costs start-up time
            file.write(content)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
