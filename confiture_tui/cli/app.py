"""The commands of ``confiture-tui``, put together."""

# Typer reads the annotations of this module at run time: they are not postponed.

from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from confiture_tui.cli import config as config_commands
from confiture_tui.cli.apply import apply, rollback
from confiture_tui.cli.assess import assess
from confiture_tui.cli.baseline import baseline
from confiture_tui.cli.cache import clear_cache, list_cache
from confiture_tui.cli.demo import demo
from confiture_tui.cli.dry_run import dry_run
from confiture_tui.cli.files import is_file
from confiture_tui.cli.hooks import list_hooks
from confiture_tui.cli.lint import lint
from confiture_tui.cli.log import log
from confiture_tui.cli.open import open_path
from confiture_tui.cli.open_app import open_app
from confiture_tui.cli.options import Given, with_common_options
from confiture_tui.cli.preview import preview
from confiture_tui.cli.replay import replay
from confiture_tui.cli.report import report
from confiture_tui.cli.settle import clean_up, mark, resume
from confiture_tui.cli.status import status

_HELP = """\
What a PostgreSQL migration does, and a dry run of it that leaves nothing behind.

Without a command, the full-screen app opens on the project in the current directory; with the path of an SQL file
or a directory in place of one, on that.

\b
Examples:
  confiture-tui                          open the project here
  confiture-tui change.sql               look at a file, whoever's it is
  confiture-tui demo                     see it at work, without any database
  confiture-tui status                   what is applied, what is pending
  confiture-tui assess                   how dangerous the pending migrations are, and why
  confiture-tui dry-run                  try all pending migrations on a shadow
  confiture-tui preview 001_x.up.sql     look at a file, without any database
  confiture-tui lint                     what is wrong with the schema
  confiture-tui report --format html     the record of a review, for the archive
  confiture-tui apply                    apply the pending migrations, after a plan and a yes

\b
Exit codes:
  0 fine   1 findings   2 usage or settings   3 no connection   4 failed, all of it rolled back
  5 stopped half-way   6 another run holds the lock   130 cancelled
"""


def _print_version(value: bool) -> None:
    if value:
        from confiture_tui import __version__

        typer.echo(f"confiture-tui {__version__}")
        raise typer.Exit


def _root(
    given: Given,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> int:
    return open_app(given.settings())


_OPEN: Final = "open"


class _CommandsAndPaths(TyperGroup):
    """Where a command could stand a path may stand: it is opened in the app."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command of that name; for a path, the one that opens it."""
        if self.get_command(ctx, args[0]) is None and is_file(args[0]):
            args = [_OPEN, *args]
        return super().resolve_command(ctx, args)


def build() -> typer.Typer:
    """The command line, not yet run."""
    # Plain help: no markup is read in it, and it is the same in every terminal.
    app = typer.Typer(
        name="confiture-tui", cls=_CommandsAndPaths, rich_markup_mode=None, pretty_exceptions_enable=False
    )
    app.callback(invoke_without_command=True, help=_HELP)(with_common_options(_root, shadows=True))
    app.command(_OPEN)(with_common_options(open_path, shadows=True))
    app.command("demo")(with_common_options(demo))
    app.command("replay")(with_common_options(replay))
    app.command("log")(with_common_options(log))
    app.command("status")(with_common_options(status))
    app.command("preview")(with_common_options(preview))
    app.command("assess")(with_common_options(assess))
    app.command("dry-run")(with_common_options(dry_run, shadows=True))
    app.command("lint")(with_common_options(lint, shadows=True))
    app.command("report")(with_common_options(report, shadows=True))
    app.command("apply")(with_common_options(apply))
    app.command("rollback")(with_common_options(rollback))
    app.command("resume")(with_common_options(resume))
    app.command("clean-up")(with_common_options(clean_up))
    app.command("baseline")(with_common_options(baseline))
    app.command("mark")(with_common_options(mark))
    hooks = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Hooks: which there are.")
    hooks.command("list")(with_common_options(list_hooks))
    app.add_typer(hooks, name="hooks")
    cache = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Shadows that are kept for the next dry run.")
    cache.command("list")(with_common_options(list_cache))
    cache.command("clear")(with_common_options(clear_cache))
    app.add_typer(cache, name="cache")
    config = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Settings: which hold, and their schema.")
    config.command("show")(with_common_options(config_commands.show, shadows=True))
    config.command("schema")(with_common_options(config_commands.schema))
    app.add_typer(config, name="config")
    return app
