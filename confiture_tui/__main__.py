"""The program: ``confiture-tui``, or ``python -m confiture_tui``."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run the command line with the arguments of the process; returns its exit code."""
    if sys.argv[1:] == ["--version"]:
        # Asked by scripts and by people in a hurry: nothing else is loaded for it.
        from confiture_tui import __version__

        try:
            sys.stdout.write(f"confiture-tui {__version__}\n")
            sys.stdout.flush()
        except OSError:
            # The command line tries it again and knows how to say what is wrong.
            pass
        else:
            return 0
    from confiture_tui import first_frame

    try:
        with first_frame.left_at_end():
            first_frame.show(sys.argv[1:], os.environ)
            from confiture_tui.cli.entry import run

            return run(sys.argv[1:])
    except KeyboardInterrupt:
        # While the command line itself was being loaded: from then on it says so.
        sys.stderr.write("confiture-tui: Cancelled.\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
