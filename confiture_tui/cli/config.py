"""``confiture-tui config``: what the settings are and where they come from, and their schema for editors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from confiture_tui.cli.options import Given
from confiture_tui.config import OutputFormat
from confiture_tui.service.settings_file import SettingsFile

if TYPE_CHECKING:
    from confiture_tui.service.settings_report import ShownSetting


def show(given: Given) -> int:
    """Every setting with its value and where that came from: an option, a variable, a file with its line, a default.

    Nothing is connected to, and no password is shown.

    \b
    Examples:
      confiture-tui config show
      confiture-tui config show --env staging --format json
    """
    from confiture_tui.cli.output.stdout import write_out
    from confiture_tui.service.settings_report import settings_document, shown_settings

    settings = given.settings()
    shown = shown_settings(settings)
    if settings.format is OutputFormat.JSON:
        write_out(settings_document(shown, runner=settings.runner).to_json())
    else:
        write_out(_page(shown))
    return 0


def schema(
    given: Given,
    of: Annotated[
        SettingsFile, typer.Option("--of", help="Which file: a project's confiture.yaml, the user's, an environment's.")
    ] = SettingsFile.PROJECT,
) -> int:
    """The JSON Schema of a settings file, for editors that complete and check it.

    \b
    Examples:
      confiture-tui config schema > .vscode/confiture.schema.json
      confiture-tui config schema --of user
    """
    from confiture_tui.cli.output.stdout import write_out
    from confiture_tui.service.settings_schema import schema_of

    write_out(json.dumps(schema_of(of), indent=2) + "\n")
    return 0


def _page(shown: tuple[ShownSetting, ...]) -> str:
    from confiture_tui.cli.output.page import Page, Style

    page = Page.for_stream()
    names = max(len(one.name) for one in shown) + 2
    for one in shown:
        value = "-" if one.value is None else str(one.value).lower() if isinstance(one.value, bool) else str(one.value)
        name = page.cell(one.name, names, Style.TITLE)
        origin = page.styled(f"({one.origin})", Style.QUIET)
        if page.is_narrow:
            page.line(name, page.styled(value))
            page.line(" " * names, origin)
        else:
            page.line(name, page.styled(value), "  ", origin)
    return page.text()
