"""Hooks are found where they are declared, each in isolation from the others."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.core.hooks.hook import Hook
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.hooks.registry import BUILT_IN, HookPolicy, HookRegistry, HookState
from confiture_tui.core.hooks.result import HookResult
from confiture_tui.errors import UsageError

if TYPE_CHECKING:
    from confiture_tui.core.hooks.context import HookContext

THIRD_PARTY = Path(__file__).parent / "third_party"

# Run where the package is installed: prints what the registry makes of it.
LIST = """
import json, sys
from confiture_tui.core.hooks.registry import HookPolicy, HookRegistry
policy = HookPolicy(**json.loads(sys.argv[1]))
registry = HookRegistry(policy, import_limit_s=5)
names = registry.names
assert not any(name.startswith("acme_hooks") for name in sys.modules), "naming them imports nobody's code"
rows = [json.loads(info.model_dump_json()) for info in registry.list()]
errors = {}
for name in ("acme_count", "acme_broken", "acme_counts"):
    try:
        registry.load(name)
    except Exception as error:
        errors[name] = [type(error).__name__, str(error)]
print(json.dumps({"names": names, "rows": rows, "errors": errors}))
"""


class Plain(Hook):
    phase = HookPhase.BEFORE_DDL

    def execute(self, conn: Any, context: HookContext) -> HookResult:
        return HookResult()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory into which the third party's wheel was built and installed."""
    uv = os.environ.get("UV") or shutil.which("uv")
    assert uv, "the tests run under uv"
    base = tmp_path_factory.mktemp("third-party")
    source = shutil.copytree(THIRD_PARTY, base / "source")
    python = ["--python", sys.executable]
    _run([uv, "build", "--offline", "--wheel", "--no-build-isolation", *python, "--out-dir", base / "dist", source])
    (wheel,) = (base / "dist").glob("*.whl")
    _run([uv, "pip", "install", "--offline", "--no-deps", *python, "--target", base / "site", wheel])
    return base / "site"


def _run(command: list[Any]) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def listing(site: Path, **policy: Any) -> dict[str, Any]:
    """What a registry finds in a process of its own, where the package is installed."""
    path = os.pathsep.join([str(site), str(Path(__file__).parents[3])])
    done = subprocess.run(
        [sys.executable, "-c", LIST, json.dumps(policy)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_an_installed_package_is_discovered_and_each_broken_hook_is_told_with_its_owner(installed: Path) -> None:
    found = listing(installed)
    rows = {row["name"]: row for row in found["rows"]}
    assert rows["acme_count"] == {
        "name": "acme_count",
        "phase": "AFTER_DDL",
        "source": "entry-point",
        "package": "acme-hooks 1.2",
        "state": "available",
        "error": None,
    }
    for name, why in {
        "acme_broken": "no module named 'acme_core'",
        "acme_leaves": "SystemExit: 7",
        "acme_function": "not a subclass",
        "acme_misnamed": "calls itself acme_count",
        "acme_absent": "NoSuchName",
        "acme_endless": "its import has not ended after 5 s",
    }.items():
        assert rows[name]["state"] == "failed"
        assert why in rows[name]["error"]
        assert "acme-hooks 1.2" in rows[name]["error"]
    assert rows["acme_slow"]["state"] == "available"
    assert "Importing it took 1." in rows["acme_slow"]["error"]
    assert rows["capture_statistics"]["source"] == "built-in", "a package cannot take a built-in hook's place"
    assert list(found["errors"]) == ["acme_broken", "acme_counts"]
    assert found["errors"]["acme_counts"][0] == "UsageError"
    assert "Did you mean 'acme_count'?" in found["errors"]["acme_counts"][1]


@pytest.mark.parametrize(
    "policy",
    [{"allow": []}, {"allow": ["other_*"]}, {"deny": ["acme_*"]}, {"deny": ["acme-hooks:*"]}],
    ids=str,
)
def test_what_is_not_allowed_is_not_imported(installed: Path, policy: dict[str, Any]) -> None:
    found = listing(installed, **policy)
    states = {row["name"]: row["state"] for row in found["rows"]}
    assert states["acme_count"] == "denied"
    # It ends the program's import when it is loaded: it was not.
    assert states["acme_leaves"] == "denied"
    assert "acme_count" in found["errors"]


@pytest.mark.parametrize("allow", ["acme_count", "acme-hooks:*count", "acme-hooks:acme_count"])
def test_what_is_allowed_is(installed: Path, allow: str) -> None:
    states = {row["name"]: row["state"] for row in listing(installed, allow=[allow])["rows"]}
    assert states["acme_count"] == "available"


def test_a_registered_hook_is_found() -> None:
    registry = HookRegistry()
    assert registry.register(Plain) is Plain
    assert registry.load("plain") is Plain
    (info,) = [one for one in registry.list() if one.name == "plain"]
    assert (info.source, info.state, info.phase) == ("registered", HookState.AVAILABLE, "BEFORE_DDL")


def test_a_name_is_registered_once_and_never_a_built_in_one() -> None:
    registry = HookRegistry()
    registry.register(Plain)
    with pytest.raises(ValueError, match="already"):
        registry.register(Plain)
    taken: type[Hook] = type("Taken", (Plain,), {"name": next(iter(BUILT_IN))})
    with pytest.raises(ValueError, match="already"):
        registry.register(taken)


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"name": "No Name"}, "no name"),
        ({"execute": None}, "is not"),
    ],
)
def test_what_cannot_be_a_hook_is_refused(members: dict[str, Any], why: str) -> None:
    kind: Any = type("Odd", (Plain,), members) if "execute" not in members else object
    with pytest.raises(ValueError, match=why):
        HookRegistry().register(kind)


def test_a_coroutine_is_refused_when_it_is_registered() -> None:
    async def execute(_self: Hook, conn: Any, context: HookContext) -> HookResult:
        return HookResult()

    kind: Any = type("Later", (Plain,), {"execute": execute})
    with pytest.raises(ValueError, match="coroutine"):
        HookRegistry().register(kind)


def test_all_built_in_hooks_can_be_loaded() -> None:
    registry = HookRegistry()
    for name in BUILT_IN:
        assert registry.load(name).hook_name() == name


def test_a_denied_built_in_hook_is_not_loaded() -> None:
    name = next(iter(BUILT_IN))
    with pytest.raises(UsageError, match="deny"):
        HookRegistry(HookPolicy(deny=(name,))).load(name)
