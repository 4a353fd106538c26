"""The options that a copied command line has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.config import Settings
from confiture_tui.service.command_lines import session_options

if TYPE_CHECKING:
    from pathlib import Path

CLONE = "postgresql://app:s3cret@staging:5433/shop?sslmode=require&sslpassword=s3cret"


def options(settings: Settings, command: str) -> list[str]:
    return session_options(settings, None, None, is_demo=False, command=command)


def test_a_dry_run_is_made_on_the_same_clone_and_no_password_is_copied(tmp_path: Path) -> None:
    settings = Settings.load(project=tmp_path, environ={}, clone_dsn=CLONE)
    copied = options(settings, "dry-run")
    assert copied[copied.index("--clone-dsn") + 1] == "postgresql://app@staging:5433/shop?sslmode=require"
    assert "s3cret" not in " ".join(copied)


def test_a_shadows_server_and_its_rows_are_named_to_what_makes_shadows_alone(tmp_path: Path) -> None:
    settings = Settings.load(project=tmp_path, environ={}, shadow_dsn="host=lab user=app", rows="synthetic")
    copied = options(settings, "dry-run")
    assert copied[-2:] == ["--rows", "synthetic"]
    assert copied[copied.index("--shadow-dsn") + 1].startswith("postgresql://app@lab")
    assert options(settings, "lint")[-2:] == ["--rows", "synthetic"]
    for command in ("apply", "assess", "status"):
        assert not {"--shadow-dsn", "--rows"} & set(options(settings, command))


def test_what_a_variable_says_is_left_to_the_variable(tmp_path: Path) -> None:
    settings = Settings.load(project=tmp_path, environ={"CONFITURE_CLONE_DSN": CLONE})
    assert settings.clone_dsn is not None
    assert "--clone-dsn" not in options(settings, "dry-run")
