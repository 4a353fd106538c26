from __future__ import annotations

import os
import traceback
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confiture_tui.database.dsn import Dsn, resolve_dsn
from confiture_tui.errors import UsageError

LIBPQ_VARIABLES = ("PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGSERVICE")


@pytest.fixture(autouse=True)
def _no_libpq_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LIBPQ_VARIABLES:
        monkeypatch.delenv(name, raising=False)


passwords = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=6)


def of(text: str) -> Dsn:
    return Dsn.of(text, source="--dsn")


@settings(deadline=None)  # the first one loads the driver
@given(passwords)
def test_a_percent_encoded_password_is_read_and_never_shown(password: str) -> None:
    dsn = of(f"postgresql://app:{quote(password, safe='')}@db.example:5433/shop?sslmode=require")
    assert dsn.parameters()["password"] == password == dsn.password().reveal()
    assert dsn.display() == "postgresql://app:***@db.example:5433/shop?sslmode=require"
    assert repr(dsn) == "Dsn(source='--dsn')"
    assert str(dsn) == "--dsn (***)"
    other = dsn.with_dbname("it's")
    assert other.parameters() == dsn.parameters() | {"dbname": "it's"}
    assert other.display() == "postgresql://app:***@db.example:5433/it%27s?sslmode=require"


@given(st.dictionaries(st.sampled_from(["host", "user", "password", "dbname", "passfile"]), passwords))
def test_parameters_survive_their_way_through_a_string(parameters: dict[str, str]) -> None:
    assert Dsn.of_parameters(parameters, source="--dsn").parameters() == parameters


awkward = st.text(st.sampled_from("@:/?#%&=' \\é1aZ"), max_size=6)


@given(
    awkward,
    awkward,
    st.sampled_from(
        ["postgresql://app:{}@db/shop", "postgres://app:{}@/shop", "host=db password={} user=app", "password='{}"]
    ),
)
def test_whatever_a_raw_password_does_to_a_string_it_is_not_repeated(before: str, after: str, form: str) -> None:
    """Unencoded, it may be read as something else or not at all; then the string is refused without a word of it."""
    dsn = of(form.format(f"{before}XYZZY{after}"))
    shown, complaint = "", None
    try:
        shown = dsn.display()
    except UsageError as error:
        complaint = error
    if complaint is not None:
        assert complaint.__context__ is None
        assert "--dsn" in complaint.message
        assert complaint.hint
        shown = "".join(traceback.format_exception(complaint))
    assert "XYZZY" not in shown


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("postgresql://app:hush@hush2@db/shop", "must be percent-encoded"),
        ("postgresql://app:12/hush@db/shop", "must be percent-encoded"),
        ("postgresql://app:hush/hush2@db/shop", "must be percent-encoded"),
        ("postgresql://app:hu?sh@hush@db/shop", "must be percent-encoded"),
        ("postgresql://app:hu%sh@db/shop", "two hexadecimal digits"),
        ("postgresql://app:hush%00@db/shop", "00"),
        ("postgresql://db/shop?hush", "not made of name=value"),
        ("host=db password=hush hush2", 'no "="'),
        ("host=db password='hush", "quote"),
        ("host=db pasword=hush", "does not know"),
        ("postgresql://db/shop?pasword=hush", "does not know"),
        ("host=db port=hush", "port"),
        ("host=db port=0", "port"),
        ("postgresql://db:65536/shop", "port"),
        ("postgresql://[::1/shop?password=hush", "IPv6"),
    ],
)
def test_what_is_wrong_is_said_without_repeating_it(text: str, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        of(text).conninfo()
    assert complaint in caught.value.message
    assert "hush" not in "".join(traceback.format_exception(caught.value)).split("UsageError")[-1]
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://db/shop", "postgresql://db:5432/shop"),
        ("postgresql://app@db:5433/shop", "postgresql://app@db:5433/shop"),
        ("postgresql://app:x1234@a:1,b:2/shop", "postgresql://app:***@a:1,b:2/shop"),
        ("host=a,b port=5433 dbname=shop", "postgresql://a:5433,b:5433/shop"),
        ("host=/run/pg dbname=shop user=app", "postgresql://app@/shop?host=/run/pg&port=5432"),
        ("postgresql://[::1]:5433/shop", "postgresql://[::1]:5433/shop"),
        ("service=shop password=x1234", "postgresql://:***@/?service=shop"),
        ("postgresql://app:x?1#2@db/shop", "postgresql://app:***@db:5432/shop"),
        ("postgresql:///shop?host=@abstract", "postgresql:///shop?host=%40abstract&port=5432"),
        ("host=db passfile=/x dbname=s sslpassword=x1234", "postgresql://db:5432/s"),
        ("host=db dbname='\x1b[31m'", "postgresql://db:5432/%1B%5B31m"),
    ],
)
def test_display(text: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGUSER", "")
    displayed = of(text).display()
    if "user" not in of(text).parameters() and not displayed.startswith("postgresql://:"):
        # libpq fills the operating system's user in.
        displayed = "postgresql://" + displayed.rpartition("://")[2].rpartition("@")[2]
    assert displayed == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("host=/run/pg user=a dbname=x sslmode=disable target_session_attrs=any", "postgresql://a@/x?host=/run/pg"),
        ("host=h user=a dbname=x sslmode=prefer target_session_attrs=any", "postgresql://a@h/x"),
        ("host=h user=a dbname=x port=5432 sslmode=disable", "postgresql://a@h:5432/x?sslmode=disable"),
        ("host=h,/run user=a dbname=x sslmode=require", "postgresql://a@/x?host=h,/run&sslmode=require"),
        (
            "host=h,i user=a dbname=x target_session_attrs=primary",
            "postgresql://a@h,i/x?target_session_attrs=primary",
        ),
    ],
)
def test_what_libpq_does_anyway_is_in_no_command(text: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGSSLMODE", "PGTARGETSESSIONATTRS", "PGPORT"):
        monkeypatch.delenv(name, raising=False)
    assert of(text).display(masked=False) == shown


def test_what_a_variable_would_change_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "require")
    monkeypatch.setenv("PGPORT", "6000")
    assert of("host=h user=a dbname=x sslmode=prefer").display(masked=False) == "postgresql://a@h:6000/x?sslmode=prefer"
    # What a variable says here is not said where the string is pasted.
    assert of("host=h user=a dbname=x sslmode=require").display(masked=False).endswith("?sslmode=require")


def test_display_fills_in_what_libpq_will(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGHOST": "db.example", "PGPORT": "6000", "PGUSER": "app", "PGDATABASE": "shop"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PGPASSWORD", "hush")
    assert of("").display() == "postgresql://app@db.example:6000/shop"


def resolve(dsn: str | None = None, url: str | None = None, path: Path | None = None, **environ: str) -> Dsn | None:
    return resolve_dsn(dsn=dsn, environ=environ, environment_file_url=url, environment_file=path)


def test_the_sources_in_their_order() -> None:
    path = Path("db/environments/local.yaml")
    variables = {"CONFITURE_DATABASE_URL": "host=2", "DATABASE_URL": "host=3", "PGHOST": "5"}
    sources = []
    for missing in range(6):
        dsn = resolve(
            "host=1" if missing < 1 else None,
            "host=4" if missing < 4 else None,
            path,
            **dict(list(variables.items())[max(0, min(missing - 1, 2)) if missing < 5 else 3 :]),
        )
        sources.append((dsn.source, dsn.parameters()) if dsn else None)
    assert sources == [
        ("--dsn", {"host": "1"}),
        ("CONFITURE_DATABASE_URL", {"host": "2"}),
        ("DATABASE_URL", {"host": "3"}),
        ("db/environments/local.yaml", {"host": "4"}),
        ("libpq's own variables (PGHOST)", {}),
        None,
    ]


def test_an_empty_value_is_no_value() -> None:
    assert resolve("", "", None, CONFITURE_DATABASE_URL="", DATABASE_URL="", PGHOST="") is None


def test_a_password_or_tls_mode_alone_names_no_database() -> None:
    assert resolve(None, None, None, PGPASSWORD="hush", PGSSLMODE="require") is None


def test_a_malformed_string_is_refused_when_it_is_used_not_when_it_is_found() -> None:
    dsn = resolve(None, "postgresql://a:b@c@d/", Path("db/environments/prod.yaml"))
    assert dsn is not None
    with pytest.raises(UsageError, match=r"prod\.yaml"):
        dsn.display()


@given(awkward)
def test_a_traceback_with_variables_does_not_show_the_string(password: str) -> None:
    with pytest.raises(UsageError) as caught:
        of(f"postgresql://app:XYZZY{password}%@db/").conninfo()
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in shown.stack if f"{os.sep}confiture_tui{os.sep}" in frame.filename]
    assert ours
    assert "XYZZY" not in "".join(repr(frame.locals) for frame in ours)
