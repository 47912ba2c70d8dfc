"""The parts of the console without a request: texts, addresses, ids of people, charts, previews."""

from __future__ import annotations

import re
import string
import time
from enum import StrEnum
from pathlib import Path

import pytest

from connector.admin.setup_guide import GuideStepName, GuideStepState
from connector.connection_report import Grade
from connector.console import rendering
from connector.console.addresses import HOME, local_path
from connector.console.charts import HEIGHT, bar_chart
from connector.console.labels import actor_name
from connector.console.pages.overview import Level, UsageBar, next_run
from connector.console.pages.runs import count_rows
from connector.console.roles import UserRole, roles_from_groups
from connector.console.seals import ConsoleKeys, Seals
from connector.console.texts import TEXTS, Texts, choose_language
from connector.console.texts.messages import PATTERNS, in_french
from connector.mapping import ConflictPolicy, Direction, DuplicatePolicy, FieldKind, Operator
from connector.model import (
    AlertKind,
    AttentionKind,
    DriftCause,
    HoldReason,
    JournalKind,
    MergeRule,
    RecordKind,
    RunKind,
    RunState,
)
from connector.model.reasons import ProblemCode, UndoReason
from connector.planning.write_outcome import UNANSWERED_REMEDY
from connector.plezi.contact_calls import CONTACT_REFUSED_REMEDY
from connector.plezi.reader import FAILED_REMEDY, LARGE_REMEDY
from connector.salesforce.error_table import (
    BUSY_LOGIN,
    ERRORS,
    UNKNOWN_ERROR,
    UNKNOWN_LOGIN_ERROR,
)
from connector.setup_report import FieldState, SetupStepKind, StepOutcome
from connector.sync.isolation import REMEDIES

PACKAGE = Path(rendering.__file__).parent
KEY, NEW_KEY = "k" * 64, "n" * 64
CODE = "\n".join(
    path.read_text(encoding="utf-8")
    for path in (*PACKAGE.rglob("*.html"), *PACKAGE.glob("*.py"), *PACKAGE.glob("pages/*.py"))
)


def seals(*keys: str, at: float = 0.0) -> Seals:
    return Seals(lambda: ConsoleKeys(keys), lambda: at)


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", TEXTS)
def test_both_languages_of_a_text_have_the_same_values(key: str) -> None:
    english, french = TEXTS[key]
    assert english.strip()
    assert french.strip()
    assert places(english) == places(french)


def test_every_text_that_a_page_names_exists() -> None:
    named = set(re.findall(r"\bt\(\s*[\"']([\w.]+)[\"']", CODE))
    counted = set(re.findall(r"\bt\.count\(\s*[\"']([\w.]+)[\"']\s*,", CODE))
    assert named
    assert not {key for key in named if key not in TEXTS and not key.endswith(".")}
    for key in counted:
        assert {f"{key}.one", f"{key}.other"} <= TEXTS.keys()


def test_every_text_is_used() -> None:
    """A part of a key may be computed, as in `t("run_state." ~ state)`."""
    prefixes = set(re.findall(r"[\"'f]([a-z_]+\.(?:[a-z_]+\.)?)[\"'{]", CODE))
    unused = [
        key
        for key in TEXTS
        if not re.search(f"[\"']{re.escape(key)}[\"']", CODE)
        and f'"{key.rpartition(".")[0]}"' not in CODE
        and not any(key.startswith(prefix) for prefix in prefixes)
    ]
    assert unused == []


NAMED: dict[str, tuple[type[StrEnum], ...]] = {
    "alert": (AlertKind,),
    "attention": (AttentionKind,),
    "direction": (Direction,),
    "duplicates": (DuplicatePolicy,),
    "field_state": (FieldState,),
    "grade": (Grade,),
    "hold": (HoldReason,),
    "journal": (JournalKind,),
    "kind": (FieldKind,),
    "operator": (Operator,),
    "outcome": (StepOutcome,),
    "policy": (ConflictPolicy,),
    "problem": (ProblemCode,),
    "record": (RecordKind,),
    "role": (UserRole,),
    "setup_kind": (SetupStepKind,),
    "rule": (MergeRule, HoldReason, UndoReason, DriftCause),
    "run_kind": (RunKind,),
    "run_state": (RunState,),
    "step": (GuideStepName,),
    "step_state": (GuideStepState,),
}
"""What the pages name by a text: a new member needs one."""


@pytest.mark.parametrize("prefix", NAMED)
def test_every_code_that_a_page_names_has_a_text(prefix: str) -> None:
    members = [member.value for kind in NAMED[prefix] for member in kind]
    missing = [member for member in members if f"{prefix}.{member}" not in TEXTS]
    assert missing == []


def test_values_in_a_text_are_escaped() -> None:
    assert Texts("en")("general.signed_in", name="<b>") == "Signed in as &lt;b&gt;"


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        ("", "", "en"),
        ("", "fr-FR,fr;q=0.9,en;q=0.8", "fr"),
        ("", "de,en;q=0.5", "en"),
        ("en", "fr", "en"),
        ("xx", "fr", "fr"),
        ("", ",;;,", "en"),
    ],
)
def test_the_language_is_the_chosen_one_or_that_of_the_browser(
    chosen: str, accepted: str, language: str
) -> None:
    assert choose_language(chosen, accepted) == language


@pytest.mark.parametrize("path", ["/", "/runs?list=forms", "/people/AbC-_1", "/mapping/pair?key=A"])
def test_a_path_of_the_console_is_an_address_to_go_to(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "runs",
        "//evil.example",
        "/\\evil",
        "https://evil.example",
        "/a b",
        "/\n",
        "/" + "a" * 2000,
    ],
)
def test_any_other_text_is_not(path: str) -> None:
    assert local_path(path) == HOME


def test_the_id_of_a_person_is_stable_and_shows_nothing() -> None:
    email = "ana@example.com"
    person = seals(KEY).person_id(email)
    assert person == seals(KEY).person_id(email)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", person)
    assert seals(KEY).email(person) == email
    assert seals(NEW_KEY).email(person) == ""
    assert seals(NEW_KEY, KEY).email(person) == email


@pytest.mark.parametrize("text", ["", "x", "====", "ä", "A" * 500])
def test_a_text_that_is_no_id_of_a_person_has_no_email(text: str) -> None:
    assert seals(KEY).email(text) == ""


def test_what_was_sealed_is_read_for_its_purpose_and_in_its_time_only() -> None:
    text = seals(KEY, at=100).seal("session", {"subject": "a"})
    assert seals(KEY, at=110).unseal("session", text, 60) == {"subject": "a"}
    assert seals(KEY, at=161).unseal("session", text, 60) is None
    assert seals(KEY, at=110).unseal("sign-in", text, 60) is None
    assert seals(NEW_KEY, at=110).unseal("session", text, 60) is None
    assert seals(NEW_KEY, KEY, at=110).unseal("session", text, 60) == {"subject": "a"}
    changed = text[:20] + ("B" if text[20] == "A" else "A") + text[21:]
    assert seals(KEY, at=110).unseal("session", changed, 60) is None


def test_the_keys_are_in_no_text_of_an_error() -> None:
    assert KEY not in repr(ConsoleKeys((KEY,)))


def test_every_role_includes_the_viewer_and_other_groups_count_for_nothing() -> None:
    assert roles_from_groups(["mapper", "boss"]) == {UserRole.MAPPER, UserRole.VIEWER}
    assert roles_from_groups(["boss"]) == frozenset()


def test_a_chart_is_as_high_as_its_highest_number() -> None:
    chart = bar_chart([("a", 0), ("b", 5), ("c", 10)])
    assert [bar.height for bar in chart.bars] == [0, HEIGHT / 2, HEIGHT]
    assert bar_chart([]).is_empty
    assert bar_chart([("a", 0)]).is_empty


@pytest.mark.parametrize(
    ("used", "level"), [(0, Level.GOOD), (70, Level.WARNING), (80, Level.BAD), (900, Level.BAD)]
)
def test_a_bar_has_the_colour_of_its_alert(used: int, level: Level) -> None:
    bar = UsageBar("ours", used, 100)
    assert bar.level is level
    assert bar.percent <= 100


def test_the_next_run_is_not_guessed_from_another_schedule() -> None:
    assert next_run("cron(0 3 * * ? *)", []) == 0.0
    assert next_run("rate(2 hours)", []) == 0.0


def test_the_main_counters_come_first_and_zeros_are_left_out() -> None:
    rows = count_rows({"plezi": {"zebra": 1, "updated": 2, "seen": 0}, "salesforce": {"seen": 3}})
    assert [(row.name, row.plezi, row.salesforce) for row in rows] == [
        ("seen", 0, 3),
        ("updated", 2, 0),
        ("zebra", 1, 0),
    ]


def test_every_remedy_and_cause_of_salesforce_is_known_in_french() -> None:
    texts = {row.remedy for row in ERRORS} | {cause for row in ERRORS for cause in row.causes}
    others = (UNKNOWN_ERROR, UNKNOWN_LOGIN_ERROR, BUSY_LOGIN)
    texts |= {text for row in others for text in (row.remedy, *row.causes)}
    assert {text for text in texts - {""} if in_french(text) == text} == set()


def test_every_remedy_of_a_refused_person_is_known_in_french() -> None:
    texts = {*REMEDIES.values(), UNANSWERED_REMEDY, LARGE_REMEDY, FAILED_REMEDY}
    texts.add(CONTACT_REFUSED_REMEDY.format(status=403, detail="no rights"))
    assert {text for text in texts if in_french(text) == text} == set()


@pytest.mark.parametrize(
    ("english", "french"),
    [
        (
            "correct the e-mail address in Plezi. Salesforce's message: Fix it: now",
            "corrigez l'adresse e-mail dans Plezi. Message de Salesforce : Fix it: now",
        ),
        (
            (
                "Title cannot hold the value, it is too long: correct function in Plezi, or map "
                "it to "
                "a field that can hold the value"
            ),
            (
                "Title n'accepte pas la valeur, it is too long : corrigez function dans Plezi, ou "
                "choisissez un champ qui l'accepte"
            ),
        ),
        (
            "1. the app is in another org or sandbox: check account_url; 2. an unknown cause",
            (
                "1. l'application est dans une autre organisation ou sandbox : vérifiez "
                "account_url ; "
                "2. an unknown cause"
            ),
        ),
        ("<b>what no use case wrote</b>", "<b>what no use case wrote</b>"),
        ("{field} {0}", "{field} {0}"),
        ("", ""),
    ],
)
def test_a_sentence_of_the_connector_is_shown_in_french_and_others_as_they_are(
    english: str, french: str
) -> None:
    assert in_french(english) == french
    assert Texts("fr").sentence(english) == french
    assert Texts("en").sentence(english) == english


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda it: it[0][:40])
def test_a_pattern_has_the_same_names_in_both_languages(pattern: tuple[str, str]) -> None:
    english, french = pattern
    assert places(french) <= places(english)
    names = {name: f"X{number}" for number, name in enumerate(sorted(places(english)))}
    shown = in_french(english.format(**names))
    assert shown == french.format(**names)


def test_a_long_text_of_another_system_is_searched_quickly() -> None:
    started = time.process_time()
    for text in ("; " * 900, "it holds " * 200, "a: b. " * 300, "1. a; " * 300):
        in_french(text)
    assert time.process_time() - started < 1


def test_numbers_have_their_thousands_apart_as_in_the_language() -> None:
    assert Texts("en").number(1234567) == "1,234,567"
    assert Texts("fr").number(20000) == "20\N{NARROW NO-BREAK SPACE}000"


@pytest.mark.parametrize(
    ("actor", "name"),
    [
        ("console: marie@example.com (47a3c27e-439e)", "marie@example.com"),
        ("console: 47a3c27e-439e", "47a3c27e-439e"),
        ("arn:aws:sts::123456789012:assumed-role/Operations/sam", "Operations/sam"),
        ("arn:aws:iam::123456789012:user/sam", "user/sam"),
        ("schedule", "schedule"),
    ],
)
def test_a_page_names_who_did_something_without_technical_parts(actor: str, name: str) -> None:
    assert actor_name(actor) == name
