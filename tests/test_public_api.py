"""The library's names: all there, and costing nothing until they are used."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import confiture_tui

HEAVY = ("textual", "psycopg", "typer", "pydantic", "rich", "structlog", "ruamel")


def loaded_by(code: str) -> set[str]:
    """The heavy packages that a fresh interpreter has loaded after running ``code``."""
    program = f"import sys, json\n{code}\nprint(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return set(json.loads(done.stdout.splitlines()[-1])) & set(HEAVY)


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_by("import confiture_tui") == set()


def test_asking_for_the_version_loads_nothing_heavy() -> None:
    assert loaded_by("import confiture_tui; confiture_tui.__version__") == set()
    assert loaded_by("import sys; sys.argv = ['x', '--version']; import confiture_tui.__main__ as m; m.main()") == set()


@pytest.mark.parametrize(
    "name", ["Migration", "DryRunExecutor", "Shadow", "Catalog", "LockMode", "Event", "RiskAssessmentEngine"]
)
def test_a_name_of_the_library_loads_neither_screens_nor_driver(name: str) -> None:
    assert not loaded_by(f"from confiture_tui import {name}") & {"textual", "psycopg", "typer", "rich", "structlog"}


@pytest.mark.parametrize("name", confiture_tui.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(confiture_tui, name)
    assert name in dir(confiture_tui)
    if isinstance(value, type):
        assert value.__doc__


def test_there_is_nothing_else() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Confiture'"):
        confiture_tui.Confiture  # noqa: B018


def test_the_version_is_that_of_the_installed_package() -> None:
    from importlib.metadata import version

    assert confiture_tui.__version__ == version("confiture-tui")
