"""Where the app opens its service, reads the migrations and has them assessed."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from confiture_tui.errors import Cancelled, ConfitureError
from confiture_tui.ui.messages import AssessEnded, Opened, OpenFailed, StatusesRead, StatusFailed
from confiture_tui.ui.safe_text import safe_text
from confiture_tui.ui.session import Phase, Topic

if TYPE_CHECKING:
    from textual.worker import Worker

    from confiture_tui.core.risk.model import RiskAssessment
    from confiture_tui.ui.app import ConfitureApp


class ReadingDesk:
    """Reads what there is."""

    def __init__(self, app: ConfitureApp) -> None:
        self._app = app
        self._assessed: deque[RiskAssessment] = deque()

    def reload(self) -> None:
        """Open the service, or try again, and read the migrations."""
        session = self._app.session
        if session.phase is Phase.FAILED:
            session.phase, session.error = Phase.OPENING, None
            self._app.changed.publish(Topic.OPENED)
        self._app.run_worker(self._open(), group="open", exclusive=True)

    async def _open(self) -> None:
        app = self._app
        try:
            await app.service.open()
        except ConfitureError as error:
            app.post_message(OpenFailed(error))
            return
        app.post_message(Opened())
        try:
            statuses = await app.service.status()
        except ConfitureError as error:
            app.post_message(StatusFailed(error))
        else:
            app.post_message(StatusesRead(statuses))

    def opened(self) -> None:
        """The header can say where we are."""
        self._app.session.error = None

    def failed(self, message: OpenFailed | StatusFailed) -> None:
        """Say why."""
        self._app.session.phase, self._app.session.error = Phase.FAILED, message.error
        self._app.changed.publish(Topic.OPENED)

    def statuses_read(self, message: StatusesRead) -> None:
        """There are migrations to be seen, and to be assessed."""
        session = self._app.session
        session.phase, session.error = Phase.READY, None
        session.statuses = message.statuses
        session.assessments = {}
        self._assessed.clear()
        session.assess_error = None
        session.assessing = any(one.state in ("pending", "interrupted") for one in message.statuses)
        self._app.changed.publish(Topic.MIGRATIONS)
        if session.assessing:
            # What judges them is much to be loaded, on a thread that would hold up the drawing of the list. By way of
            # the screen: it hears of the list before this.
            self._app.screen.call_after_refresh(self._begin_to_assess)

    def _begin_to_assess(self) -> None:
        # Not the coroutine itself: an app that is ending begins no work any more, and nobody would await it.
        _worker: Worker[None] = self._app.run_worker(self._assess, group="assess", exclusive=True)

    async def _assess(self) -> None:
        from confiture_tui.service.assess_request import AssessRequest

        app = self._app
        try:
            # On the job's thread: a deque is safe there, and the app takes over what is in it as it draws.
            assessed = await app.service.assess(AssessRequest(), lambda one: self._assessed.append(one.assessment))
        except Cancelled:
            return
        except ConfitureError as error:
            app.post_message(AssessEnded(error=error))
        else:
            app.post_message(AssessEnded(tuple(one.assessment for one in assessed)))

    def assess_again(self, version: str) -> None:
        """Say how dangerous a migration is by what its dry run has seen; until then what was said before stands."""
        self._app.run_worker(self._assess_again(version), group="assess-again")

    async def _assess_again(self, version: str) -> None:
        from confiture_tui.service.assess_request import AssessRequest

        app = self._app
        try:
            assessed = await app.service.assess(AssessRequest(versions=(version,)))
        except Cancelled:
            return
        except ConfitureError as error:
            app.notify(
                safe_text(f"{version} could not be assessed by what was seen: {error.message}"),
                severity="warning",
                markup=False,
            )
            return
        app.session.assessments |= {one.assessment.version: one.assessment for one in assessed}
        app.changed.publish(Topic.RISK)

    def take_over(self) -> None:
        """Show the assessments that were made since the last time."""
        if self._assessed:
            while self._assessed:
                one = self._assessed.popleft()
                self._app.session.assessments[one.version] = one
            self._app.changed.publish(Topic.RISK)

    def assess_ended(self, message: AssessEnded) -> None:
        """Show how dangerous the pending migrations are."""
        session = self._app.session
        self._assessed.clear()
        session.assessing = False
        session.assess_error = message.error
        session.assessments |= {one.version: one for one in message.assessments}
        self._app.changed.publish(Topic.RISK)
