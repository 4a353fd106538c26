"""``confiture-tui open``: the app on files that somebody names; a path in place of a command is the same."""

# Typer reads the annotations of this module at run time: they are not postponed.

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from confiture_tui.cli.files import STDIN
from confiture_tui.cli.options import Given
from confiture_tui.errors import UsageError


def open_path(
    given: Given,
    path: Annotated[
        Path,
        typer.Argument(
            metavar="FILE|DIR", help="An SQL file, a project, or a directory of migrations.", show_default=False
        ),
    ],
) -> int:
    """The app on a file or a directory; `open` may be left out.

    A migration of a project or of another tool is shown among the others of its directory. Any other SQL file is shown
    by itself, as psql would run it: nothing orders it, no ledger knows it, and it is not run from here.

    \b
    Examples:
      confiture-tui change.sql
      confiture-tui change.sql --dsn postgresql://app@staging/shop
      confiture-tui db/migrations/007_add_segment.up.sql
      confiture-tui open ../other/project
    """
    from confiture_tui.cli.open_app import open_app
    from confiture_tui.service.named_paths import project_of, with_files

    if str(path) == STDIN:
        raise UsageError(
            "The app reads its keys from the terminal, and cannot read SQL there too.",
            hint="Use `confiture-tui assess -`, or name a file.",
        )
    path = path.expanduser().absolute()
    project = project_of(path)
    if project is not None and given.project is None and not os.environ.get("CONFITURE_PROJECT"):
        given = replace(given, project=project)
    settings = given.settings()
    return open_app(settings if path == settings.project_dir and project is not None else with_files(settings, path))
