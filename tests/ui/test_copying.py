"""What can be copied from each screen, by which roads, and that the toast says what it was."""

from __future__ import annotations

import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confiture_tui.config import Settings
from confiture_tui.core.lint.model import Severity
from confiture_tui.ui.clipboard import give_to, helper
from confiture_tui.ui.presenters.as_markdown import (
    migration_markdown,
    review_markdown,
    risk_markdown,
    run_markdown,
    violation_markdown,
    violations_markdown,
)
from confiture_tui.ui.run_state import RunPhase
from confiture_tui.ui.screens.choose import ChooseDialog
from confiture_tui.ui.session import Phase, Session
from tests.support.fake_service import FakeService, status
from tests.ui import risk_samples, run_samples, samples
from tests.ui.driving import Driver, running
from tests.ui.hostile import FORBIDDEN, SAMPLES


class TestRoads:
    @pytest.mark.parametrize(
        ("platform", "environ", "there", "expected"),
        [
            ("darwin", {}, {"pbcopy"}, "pbcopy"),
            ("linux", {"WAYLAND_DISPLAY": "w", "DISPLAY": ":0"}, {"wl-copy", "xclip"}, "wl-copy"),
            ("linux", {"WAYLAND_DISPLAY": "w", "DISPLAY": ":0"}, {"xclip"}, "xclip"),
            ("linux", {"DISPLAY": ":0"}, {"wl-copy", "xsel"}, "xsel"),
            ("linux", {}, {"wl-copy", "xclip", "xsel"}, None),
            ("linux", {"DISPLAY": ":0"}, set(), None),
            ("linux", {"WSL_DISTRO_NAME": "Debian"}, {"clip.exe"}, "clip.exe"),
            ("win32", {}, {"clip"}, "clip"),
        ],
    )
    def test_the_desktop_s_program(
        self, platform: str, environ: dict[str, str], there: set[str], expected: str | None
    ) -> None:
        found = helper(environ, platform=platform, which=lambda name: name if name in there else None)
        assert (found[0] if found else None) == expected

    def test_a_program_gets_the_text(self, tmp_path: Path) -> None:
        out = tmp_path / "out"
        code = f"import sys, pathlib; pathlib.Path({str(out)!r}).write_bytes(sys.stdin.buffer.read())"
        assert give_to([sys.executable, "-c", code], "a — b") == ""
        assert out.read_text(encoding="utf-8") == "a — b"

    def test_what_goes_wrong_is_told_and_not_raised(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert give_to([sys.executable, "-c", "raise SystemExit(3)"], "x").endswith("ended with 3")
        assert "could not be started" in give_to(["/no/such/program"], "x")

        def slow(*_args: object, **_more: object) -> None:
            raise subprocess.TimeoutExpired("x", 2)

        monkeypatch.setattr(subprocess, "run", slow)
        assert "did not take it within 2 s" in give_to(["x"], "x")


async def taken(driver: Driver, label: str) -> str:
    """What is copied when the choice with this label is taken."""
    await driver.press("y")
    await driver.until_text("takes it")
    assert label in driver.text
    assert isinstance(driver.app.screen, ChooseDialog)
    labels = driver.app.screen.labels
    await driver.press(*["j"] * next(number for number, one in enumerate(labels) if label in one), "enter")
    await driver.until_text("Copied:")
    return driver.app.clipboard


def assessed() -> FakeService:
    return samples.service(assessments=[risk_samples.note(), risk_samples.token()])


class TestReview:
    async def test_a_finding_a_migration_the_review(self) -> None:
        async with running(assessed(), size=(120, 36)) as driver:
            await driver.until(lambda: not driver.app.session.assessing)
            await driver.press("j", "d")
            await driver.until(lambda: "004" in driver.app.session.results)
            finding = await taken(driver, "the finding volatile-default-rewrite, as Markdown")
            assert "**high** `volatile-default-rewrite`, statement 1, line 1" in finding
            assert "```diff\n- ALTER TABLE" in finding
            migration = await taken(driver, "004_order_token, as Markdown")
            assert migration.startswith("### `004_order_token`: high 65")
            assert "no-lock-timeout" in migration
            assert "dry run ok on a shadow" in migration
            review = await taken(driver, "the review of all pending migrations")
            assert review.startswith("## Migrations: 4 pending ones")
            assert "| `005_lines_reference_orders` | not assessed | not tried |" in review
            assert "brief-lock" in review
            assert await taken(driver, "its safe way, as SQL") == risk_samples.token().risks[0].safe_sql
            assert (await taken(driver, "statement 1, as SQL")).startswith("ALTER TABLE")

    @pytest.mark.parametrize(
        ("keys", "command"),
        [
            ([], "assess 003"),
            (["right_square_bracket"], "assess 003"),
            (["right_square_bracket"] * 2, "preview 003"),
            (["right_square_bracket"] * 3, "dry-run 003"),
            (["right_square_bracket"] * 4, "dry-run 003"),
            (["right_square_bracket"] * 5, "preview 003"),
            (["G"], "preview 001"),
        ],
    )
    async def test_the_command_of_each_pane(self, keys: list[str], command: str) -> None:
        async with running(samples.service()) as driver:
            await driver.press(*keys, "C")
            await driver.until_text("Copied:")
            assert driver.app.clipboard == f"confiture-tui {command}"


class TestCommands:
    @pytest.mark.parametrize(
        ("key", "command"),
        [("3", "lint"), ("4", "apply"), ("5", "status")],
    )
    async def test_of_each_screen(self, key: str, command: str) -> None:
        async with running(samples.service()) as driver:
            await driver.press(key)
            if key == "4":
                await driver.until(lambda: driver.app.session.run.phase is RunPhase.PLANNED)
            await driver.pilot.pause()
            assert driver.app.screen.command_line() == f"confiture-tui {command}"  # type: ignore[attr-defined]

    async def test_of_what_is_only_new(self) -> None:
        async with running(samples.service(lint_outcome=run_samples.lint_result())) as driver:
            await driver.press("3")
            await driver.until_text("missing-primary-key")
            await driver.press("n", "C")
            await driver.until_text("Copied:")
            assert driver.app.clipboard == "confiture-tui lint --changed-only"

    async def test_the_options_of_the_session_are_in_it_and_no_password(self, tmp_path: Path) -> None:
        (tmp_path / "db/environments").mkdir(parents=True)
        (tmp_path / "db/environments/staging.yaml").write_text("database_url: postgresql://h/x\n")
        given = Settings.load(
            project=tmp_path,
            env="staging",
            dsn="postgresql://app:s3cret@h:1/x",
            layout="goose",
            read_only=True,
            environ={},
        )
        target = samples.target().model_copy(update={"conninfo": "postgresql://app@h:1/x"})
        service = samples.service(target=target, settings=given)
        async with running(service) as driver:
            await driver.press("C")
            words = shlex.split(driver.app.clipboard)
            assert words[1:3] == ["assess", "003"]
            assert words[3:] == [
                *("--project", str(tmp_path), "--env", "staging", "--layout", "goose", "--read-only"),
                *("--dsn", "postgresql://app@h:1/x"),
            ]

    async def test_nothing_is_offered_before_there_is_anything(self) -> None:
        async with running(samples.service(hold_open=True), wait=False) as driver:
            await driver.until_text("Opening")
            assert "y Copy" not in driver.text


class TestLintAndHistory:
    async def test_lint(self) -> None:
        async with running(samples.service(lint_outcome=run_samples.lint_result()), size=(120, 36)) as driver:
            await driver.press("3")
            await driver.until_text("missing-primary-key")
            await driver.press("j", "j")
            await driver.until_text("CREATE INDEX")
            assert "CREATE INDEX" in await taken(driver, "the fix of missing-index")
            finding = await taken(driver, "the finding missing-index, as Markdown")
            assert "**warning** `missing-index`" in finding
            assert "shown, as Markdown" in driver.text or (await taken(driver, "shown, as Markdown")).count("\n") > 3

    async def test_history(self) -> None:
        async with running(samples.service(entries=run_samples.history()), size=(120, 36)) as driver:
            await driver.press("5")
            await driver.until_text("1 half-way")
            assert "began" in await taken(driver, "what is shown of")


@given(text=st.text(st.characters(codec="utf-8"), max_size=40) | st.sampled_from(SAMPLES))
@settings(max_examples=100, deadline=None)
def test_markdown_is_never_made_by_data(text: str) -> None:
    """Names, messages and SQL from anywhere: no control character, and no line that begins a block of their own."""
    text = text.encode("utf-8", "replace").decode()
    risk = risk_samples.risk(
        text, message=f"# {text}\n\n- item", evidence=(text,), recommendation=text, safe_sql=f"{text}\n```\n# out"
    )
    one = risk_samples.assessment("1", text, "SELECT 1;", 65, risk)
    service = FakeService(
        statuses=[status("1", text, "pending", "SELECT 1;")],
        project=samples.project(text, name=text),
        target=samples.target(text, text),
    )
    session = Session(service, phase=Phase.READY, statuses=tuple(service.statuses))  # type: ignore[arg-type]
    session.assessments = {"1": one}
    session.run.result = run_samples.run_result()
    violation = run_samples.violation("x", "t", Severity.ERROR, fix=text, kind="table")
    lint = run_samples.lint_result()
    texts = [
        risk_markdown(one, risk),
        migration_markdown(one, samples.failed_result()),
        review_markdown(session),
        run_markdown(session),
        violation_markdown(replace(violation, message=text), lint),
        violations_markdown([violation]),
    ]
    for made in texts:
        assert (FORBIDDEN - {"\n", "\t"}) & set(made) == set()
    outside = risk_markdown(one, risk).split("\n\n", 1)[1].split("\n````")[0]
    assert not any(line.startswith("# ") for line in outside.splitlines())
