"""``confiture-tui report``: the record of a review."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from confiture_tui.cli.completion import versions as complete_versions
from confiture_tui.cli.options import Given
from confiture_tui.config import OutputFormat

if TYPE_CHECKING:
    from confiture_tui.cli.session import Session
    from confiture_tui.service.review_documents import ReportDocument


def report(
    given: Given,
    versions: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="VERSION",
            help="Which migrations; all pending ones by default.",
            autocompletion=complete_versions,
            show_default=False,
        ),
    ] = None,
    try_: Annotated[
        bool, typer.Option("--dry-run/--no-dry-run", help="Whether each migration is tried on the shadow.")
    ] = True,
    lint: Annotated[
        bool, typer.Option("--lint/--no-lint", help="Whether to say what they do to the quality of the schema.")
    ] = True,
) -> int:
    """The record of a review: what was looked at, what was found, what came of trying it.

    It names files and schema by their hashes, so that a later reader can tell whether what is run is what was
    reviewed: two records with the same digest are about the same files on the same schema.

    \b
    Examples:
      confiture-tui report
      confiture-tui report 007 --format markdown > review.md
      confiture-tui report --env production --format html > review.html
      confiture-tui report --no-dry-run --format json
    """
    from confiture_tui.cli.session import with_service
    from confiture_tui.service.review import ReviewRequest

    formats = (OutputFormat.TEXT, OutputFormat.JSON, OutputFormat.MARKDOWN, OutputFormat.HTML)
    settings = given.settings(formats=formats)
    request = ReviewRequest(versions=tuple(dict.fromkeys(versions or ())), tries=try_, lints=lint)

    async def work(session: Session) -> int:
        from confiture_tui.service.review_documents import report_document

        service = session.service
        review = await service.review(request)
        project = service.project
        assert project is not None  # an open service has one
        document = report_document(review, project=project, target=service.target, runner=service.runner)
        session.print(_rendered(document, settings.format))
        return 0

    return with_service(settings, work, tells_findings=True)


def _rendered(document: ReportDocument, form: OutputFormat) -> str:
    from confiture_tui.cli.output.review import outline, title_of

    match form:
        case OutputFormat.JSON:
            return document.to_json()
        case OutputFormat.MARKDOWN:
            from confiture_tui.cli.output.blocks import as_markdown

            return as_markdown(outline(document))
        case OutputFormat.HTML:
            from confiture_tui.cli.output.html import as_html

            return as_html(title_of(document), outline(document))
    from confiture_tui.cli.output.blocks import write_blocks
    from confiture_tui.cli.output.page import Page

    page = Page.for_stream()
    write_blocks(page, outline(document))
    return page.text()
