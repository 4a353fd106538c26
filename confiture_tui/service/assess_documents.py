"""The JSON document of ``assess``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.effects.model import Basis, FrozenModel
from confiture_tui.core.migrations.model import Finding
from confiture_tui.core.risk.model import RiskAssessment
from confiture_tui.service.documents import Document, target_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confiture_tui.service.assessing import Assessed, BaselineUse
    from confiture_tui.service.places import TargetInfo


class FileFindings(FrozenModel):
    """What is to be said of the file of one migration."""

    version: str
    name: str
    findings: tuple[Finding, ...]


class AssessDocument(Document):
    """What ``assess --format json`` prints.

    Attributes:
        basis: the weakest of all; ``None`` where one was not analysed.
        migrations: the assessments.
        files: what is to be said of their files.
        gone: keys of the baseline that are found no more.
    """

    basis: Basis | None
    migrations: tuple[RiskAssessment, ...]
    files: tuple[FileFindings, ...] = ()
    gone: tuple[str, ...] = ()


def assess_document(
    assessed: Sequence[Assessed], *, target: TargetInfo | None, runner: str, use: BaselineUse | None = None
) -> AssessDocument:
    """The document of some assessments; ``use``: of the baseline, if there was one."""
    found = {one.assessment.basis for one in assessed}
    basis = None if not found or None in found else next(one for one in Basis if one in found)
    return AssessDocument(
        target=target_document(target),
        runner=runner,
        basis=basis,
        migrations=tuple(one.assessment for one in assessed),
        files=tuple(
            FileFindings(version=one.assessment.version, name=one.assessment.name, findings=one.findings)
            for one in assessed
            if one.findings
        ),
        gone=tuple(entry.key for entry in use.gone) if use is not None else (),
    )
