"""Findings as SARIF, GitHub annotations and Markdown: valid, whole, and with nothing in them that acts."""

from __future__ import annotations

import json
import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from confiture_tui.cli.output.github import github
from confiture_tui.cli.output.markdown import heading, markdown
from confiture_tui.cli.output.reported import Reported
from confiture_tui.cli.output.sarif import sarif
from confiture_tui.service.markdown import escaped
from tests.cli.json_schema import problems
from tests.cli.samples import HOSTILE
from tests.cli.sarif_schema import SARIF

FULL = Reported(
    rule="missing-index",
    severity="warning",
    message=f"public.orders lacks an index {HOSTILE}",
    file="db/migrations/001 größe.up.sql",
    line=3,
    help="CREATE INDEX ON public.orders (a);\n```\nSELECT 1;\n",
    title="A foreign key has no index.",
    why="It is slow.",
    object='public."Or|ders"',
    kind="table",
    key="abc",
    state="new",
)
BARE = Reported(rule="a", severity="critical", message="m")
OUTSIDE = Reported(rule="a", severity="low", message="m", file="/elsewhere/a.sql")

texts = st.text(max_size=30)
findings = st.builds(
    Reported,
    rule=st.from_regex(r"[a-z]{1,5}(-[a-z]{1,5})?", fullmatch=True),
    severity=st.sampled_from(["info", "low", "warning", "medium", "high", "error", "critical"]),
    message=texts,
    file=st.none() | st.from_regex(r"[a-z /%#?ü]{1,8}\.sql", fullmatch=True),
    line=st.none() | st.integers(1, 9999),
    help=texts,
    title=texts,
    why=texts,
    object=texts,
    kind=texts,
    key=texts,
    state=st.sampled_from([None, "new", "unchanged", "absent"]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(findings, max_size=5))
def test_sarif_is_valid_whatever_the_findings_are(found: list[Reported]) -> None:
    document = json.loads(sarif(found, version="1.0", notes=("a note",)))
    assert problems(document, SARIF) == []
    run = document["runs"][0]
    assert len(run["results"]) == len(found)
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [one.rule for one in found]
    assert [result["message"]["text"] for result in run["results"]] == [
        f"{one.message}\n\n{one.help}" if one.help else one.message for one in found
    ]


def test_a_sarif_result_says_where_and_what() -> None:
    text = sarif((FULL, BARE, OUTSIDE), version="1.0")
    assert not [character for character in text if not character.isprintable() and character != "\n"]
    full, bare, outside = json.loads(text)["runs"][0]["results"]
    physical = full["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"] == {"uri": "db/migrations/001%20gr%C3%B6%C3%9Fe.up.sql", "uriBaseId": "PROJECT"}
    assert physical["region"] == {"startLine": 3}
    assert full["locations"][0]["logicalLocations"] == [{"fullyQualifiedName": 'public."Or|ders"', "kind": "table"}]
    assert (full["level"], bare["level"], outside["level"]) == ("warning", "error", "note")
    assert full["baselineState"] == "new"
    assert list(full["partialFingerprints"].values()) == ["abc"]
    assert "locations" not in bare
    assert outside["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "file:///elsewhere/a.sql"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(findings, max_size=5))
def test_an_annotation_is_one_line_and_one_command(found: list[Reported]) -> None:
    lines = github(found).split("\n")[:-1]
    assert len(lines) == len(found)
    for line in lines:
        assert re.fullmatch(r"::(error|warning|notice) [^:]*::.*", line)
        assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202e]", line)


def test_an_annotation_has_its_place_and_its_help() -> None:
    line = github((FULL,)).rstrip("\n")
    assert line.startswith("::warning file=db/migrations/001 größe.up.sql,line=3,title=missing-index (warning)::")
    assert "%0ASELECT 1;" in line


def test_markdown_shows_names_and_sql_as_they_are() -> None:
    text = markdown(f"Lint: {heading((FULL, BARE))}", (FULL, BARE), notes=("one [note](x)",))
    assert text.startswith("## Lint: 2 findings: 1 critical, 1 warning\n")
    assert '`public."Or\\|ders"`' in text
    # The fence is longer than any in the SQL.
    assert "````sql\nCREATE INDEX ON public.orders (a);\n```\nSELECT 1;\n````" in text
    assert "- one \\[note\\](x)" in text
    assert "\x1b" not in text


@settings(max_examples=100, deadline=None)
@given(texts)
def test_escaped_text_has_no_mark_left_that_acts(text: str) -> None:
    line = escaped(text)
    assert "\n" not in line
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_<>\[\]|@#]", line)
