"""The mapping: shown, changed by one command, edited, checked, saved, restored, applied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from plezi_sync.mapping_document import changes, parse_mapping
from tests.unit.cli import api_bodies as bodies
from tests.unit.cli.api_bodies import pair
from tests.unit.cli.conftest import Person
from tests.unit.cli.fake_stack import FakeStack

pytestmark = pytest.mark.usefixtures("local_stack")
Output = pytest.CaptureFixture[str]
PATH = "/admin/mapping"
YAML = """\
version: 3
contact_filter: {field: sync__c, operator: equals, value: yes}
lead_filter: null
duplicates: mirror
create_lead_beside_contact: false
phone_region: FR
pairs:
  - {plezi: email, salesforce: Email, direction: both, policy: newest, locked: true}
"""
PHONE = "  - {plezi: phone, salesforce: Phone, direction: off, policy: newest}\n"


@pytest.fixture
def current(stack: FakeStack) -> None:
    stack.on("GET", PATH, bodies.mapping())
    stack.on("PUT", PATH, bodies.saved())


def sent_pairs(stack: FakeStack) -> dict[str, dict[str, Any]]:
    return {each["salesforce"]: each for each in stack.body_of("PUT", PATH)["pairs"]}


@pytest.mark.usefixtures("current")
def test_the_mapping_is_shown_without_the_pairs_that_are_off(
    person: Person, capsys: Output
) -> None:
    assert person.run("mapping") == 0
    shown = capsys.readouterr().out
    assert "version 3, saved by arn:aws:iam::1:user/admin, 2026-11-26 15:00:00 CET" in shown
    assert "locked; mandatory" in shown
    assert "contact_filter: sync__c equals yes" in shown
    assert "1 field without a pair" in shown
    assert person.run("mapping", "show", "--all") == 0
    assert "can be both, to_plezi, to_salesforce" in capsys.readouterr().out


@pytest.mark.usefixtures("current")
def test_one_command_maps_a_field(stack: FakeStack, person: Person, capsys: Output) -> None:
    assert person.run("mapping", "add", "phone", "Phone", "--both") == 0
    body = stack.body_of("PUT", PATH)
    assert body["version"] == 3
    assert [each["salesforce"] for each in body["pairs"]] == ["Email", "Phone"]
    assert sent_pairs(stack)["Phone"]["direction"] == "both"
    assert sent_pairs(stack)["Phone"]["saved"] is True
    shown = capsys.readouterr().out
    assert "+ Phone: phone <-> Phone" in shown
    assert "Saved as version 4." in shown
    assert "plezi-sync mapping apply" in shown


@pytest.mark.usefixtures("current")
def test_a_pair_takes_its_properties_from_the_options(stack: FakeStack, person: Person) -> None:
    arguments = ["--policy", "hold", "--contact", "MailingCity", "--placeholder", "?"]
    assert person.run("mapping", "add", "city", "City", "--to-salesforce", *arguments) == 0
    sent = sent_pairs(stack)["City"]
    assert (sent["plezi"], sent["direction"], sent["policy"]) == ("city", "to_salesforce", "hold")
    assert (sent["contact"], sent["placeholder"]) == ("MailingCity", "?")


def test_without_a_direction_it_is_the_widest_that_the_fields_allow(
    stack: FakeStack, person: Person
) -> None:
    suggested = pair("city", "Formula__c", "off", saved=False, directions=["to_plezi"])
    stack.on("GET", PATH, bodies.mapping(3, suggested))
    stack.on("PUT", PATH, bodies.saved())
    assert person.run("mapping", "add", "city", "Formula__c") == 0
    assert sent_pairs(stack)["Formula__c"]["direction"] == "to_plezi"
    assert person.run("mapping", "add", "city", "Formula__c", "--both", "--to-plezi") == 2


def test_a_pair_in_use_is_replaced_only_after_a_question(stack: FakeStack, person: Person) -> None:
    stack.on("GET", PATH, bodies.mapping(3, pair("mobile", "Phone")))
    stack.on("PUT", PATH, bodies.saved())
    assert person.run("mapping", "add", "phone", "Phone", "--both") == 2
    person.answers = ["y"]
    assert person.run("mapping", "add", "phone", "Phone", "--both") == 0
    assert person.questions == ["Replace mobile <-> Phone? [y/N] "]
    assert sent_pairs(stack)["Phone"]["plezi"] == "phone"


def test_a_pair_that_is_as_wanted_is_not_saved_again(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    stack.on("GET", PATH, bodies.mapping(3, pair("phone", "Phone")))
    assert person.run("mapping", "add", "phone", "Phone", "--both") == 0
    assert capsys.readouterr().out == "No change.\n"
    assert [method for method, _ in stack.calls] == ["GET"]


def test_a_pair_is_switched_off(stack: FakeStack, person: Person, capsys: Output) -> None:
    stack.on("GET", PATH, bodies.mapping(3, pair("phone", "Phone")))
    stack.on("PUT", PATH, bodies.saved())
    person.answers = ["y"]
    assert person.run("mapping", "remove", "Phone") == 0
    assert person.questions == ["Switch off phone <-> Phone? [y/N] "]
    assert sent_pairs(stack)["Phone"]["direction"] == "off"
    assert person.run("mapping", "remove", "City", "--yes") == 2
    assert "No pair uses City" in capsys.readouterr().err


@pytest.mark.usefixtures("current")
def test_a_mapping_with_problems_is_refused_with_each_of_them(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    problem = {
        "pair": "Phone",
        "field": "policy",
        "code": "policy",
        "message": "needs a checkbox",
        "remedy": "choose newest",
    }
    body = {"error": "mapping", "message": "the mapping has 1 problem", "problems": [problem]}
    stack.refuse("PUT", PATH, 422, body)
    assert person.run("mapping", "add", "phone", "Phone", "--policy", "most_restrictive") == 1
    error = capsys.readouterr().err
    assert "Phone policy: needs a checkbox (policy) Remedy: choose newest" in error


def yaml_on_stack(stack: FakeStack, text: str = YAML) -> None:
    """Let the API export a YAML file; the same route accepts an import."""
    stack.on("GET", PATH, bodies.mapping(3, pair("email", "Email", locked=True)))
    stack.answer(200, text, content_type="application/yaml")
    stack.on("PUT", "/admin/mapping.yaml", bodies.saved())


def test_the_mapping_is_exported_and_another_file_is_not_overwritten_unasked(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    yaml_on_stack(stack)
    assert person.run("mapping", "export") == 0
    assert Path("mapping.yaml").read_text("utf-8") == YAML
    assert capsys.readouterr().out == "mapping.yaml: 8 lines\n"
    assert person.run("mapping", "export") == 0
    Path("mapping.yaml").write_text("mine", encoding="utf-8")
    assert person.run("mapping", "export") == 2
    assert Path("mapping.yaml").read_text("utf-8") == "mine"
    assert person.run("mapping", "export", "--yes") == 0


def test_a_file_is_imported_after_its_changes_are_shown(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    yaml_on_stack(stack)
    Path("mapping.yaml").write_text(YAML + PHONE, encoding="utf-8")
    person.answers = ["y"]
    assert person.run("mapping", "import") == 0
    assert "+ Phone: phone (off) Phone" in capsys.readouterr().out
    put = stack.received[-1]
    assert (put.call, put.body) == (("PUT", "/admin/mapping.yaml"), (YAML + PHONE).encode())
    assert put.headers["Content-Type"] == "application/yaml"


def test_a_file_that_differs_ends_diff_with_status_4(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    yaml_on_stack(stack)
    Path("mapping.yaml").write_text(YAML, encoding="utf-8")
    assert person.run("mapping", "diff") == 0
    Path("mapping.yaml").write_text(YAML.replace("newest", "hold"), encoding="utf-8")
    assert person.run("mapping", "diff") == 4
    assert "~ Email policy: newest -> hold" in capsys.readouterr().out


def test_an_edited_mapping_is_saved_after_its_changes_are_confirmed(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    yaml_on_stack(stack)
    person.edited = lambda text: text + PHONE
    person.answers = ["y"]
    assert person.run("mapping", "edit") == 0
    assert stack.received[-1].body == (YAML + PHONE).encode()
    assert "draft" not in capsys.readouterr().err


@pytest.mark.parametrize(("answer", "status"), [("n", 5), ("y", 1)])
def test_a_draft_that_is_not_saved_is_kept_in_a_file(
    stack: FakeStack, person: Person, capsys: Output, answer: str, status: int
) -> None:
    yaml_on_stack(stack)
    stack.refuse("PUT", "/admin/mapping.yaml", 409, {"error": "stale", "message": "changed"})
    person.edited = lambda text: text + PHONE
    person.answers = [answer]
    assert person.run("mapping", "edit") == status
    file = Path(capsys.readouterr().err.partition("The draft is in ")[2].partition(";")[0])
    assert file.read_text("utf-8") == YAML + PHONE


def test_an_editor_that_changes_nothing_saves_nothing(stack: FakeStack, person: Person) -> None:
    yaml_on_stack(stack)
    person.is_interactive = True
    assert person.run("mapping", "edit") == 0
    assert all(method == "GET" for method, _ in stack.calls)


def test_without_a_terminal_there_is_no_editor(person: Person, capsys: Output) -> None:
    assert person.run("mapping", "edit") == 2
    assert "mapping export" in capsys.readouterr().err


def test_a_valid_file_is_said_to_be_valid_and_nothing_is_saved(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    Path("m.yaml").write_text(YAML + PHONE, encoding="utf-8")
    stack.on("POST", "/sync", {"run_id": "r1"})
    stack.on("GET", "/admin/runs/r1", bodies.run_detail(kind="dry_run"))
    assert person.run("mapping", "validate", "m.yaml") == 0
    request = stack.body_of("POST", "/sync")
    assert (request["kind"], request["emails"]) == ("dry_run", ["nobody@example.invalid"])
    assert request["mapping"]["pairs"][1]["direction"] == "off"
    assert "m.yaml can be saved" in capsys.readouterr().out


def test_the_problems_of_a_file_end_validate_with_status_4(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    Path("m.yaml").write_text(YAML, encoding="utf-8")
    problem = {"pair": "P", "field": "", "code": "policy", "message": "no", "remedy": "other"}
    failed = bodies.run_detail("failed", reason="mapping", problems=[problem])
    stack.on("POST", "/sync", {"run_id": "r1"})
    stack.on("GET", "/admin/runs/r1", failed)
    assert person.run("mapping", "validate", "m.yaml") == 4
    printed = capsys.readouterr()
    assert "P: no (policy) Remedy: other" in printed.out
    assert "m.yaml cannot be saved: 1 problem" in printed.err


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("pairs: [", "m.yaml, line 1"),
        ("- 1", "has no list `pairs`"),
        ("pairs: [{plezi: a}]", "each of `pairs` needs `salesforce`"),
    ],
)
def test_a_file_that_is_no_mapping_is_named_with_the_place(
    stack: FakeStack, person: Person, capsys: Output, text: str, place: str
) -> None:
    Path("m.yaml").write_text(text, encoding="utf-8")
    assert person.run("mapping", "validate", "m.yaml") == 2
    assert place in capsys.readouterr().err
    assert stack.received == []


def test_applying_the_mapping_requests_a_full_run(stack: FakeStack, person: Person) -> None:
    stack.on("POST", "/sync", {"run_id": "r1"})
    stack.on("GET", "/admin/runs/r1", bodies.run_detail(kind="full"))
    assert person.run("mapping", "apply") == 2
    assert person.run("mapping", "apply", "--yes") == 0
    assert stack.body_of("POST", "/sync") == {"kind": "full"}
    assert stack.calls[-1] == ("GET", "/admin/runs/r1?limit=1")


def test_the_versions_are_listed_and_an_old_one_is_restored(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    change = {"pair": "Phone", "field": "policy", "before": "newest", "after": "hold"}
    versions = [
        {"version": 3, "saved_by": "me", "saved_at": 1_795_705_200.0, "changed": [change]},
        {"version": 0, "saved_by": "", "saved_at": 0.0, "changed": []},
    ]
    stack.on("GET", f"{PATH}/versions", {"versions": versions, "next": ""})
    assert person.run("mapping", "history") == 0
    shown = capsys.readouterr().out
    assert "Phone policy: newest -> hold" in shown
    assert "as shipped" in shown

    stack.on("GET", PATH, bodies.mapping())
    stack.on("POST", f"{PATH}/versions/0/restore", bodies.saved())
    assert person.run("mapping", "restore", "0", "--yes") == 0
    assert stack.body_of("POST", f"{PATH}/versions/0/restore") == {"version": 3}


@pytest.mark.usefixtures("current")
def test_the_json_form_of_a_save_is_its_response_alone(person: Person, capsys: Output) -> None:
    assert person.run("mapping", "add", "phone", "Phone", "--json") == 0
    assert json.loads(capsys.readouterr().out) == bodies.saved()


def test_settings_that_a_file_leaves_out_are_no_change() -> None:
    document = parse_mapping("pairs: [{plezi: e, salesforce: E, direction: both}]", "m")
    assert changes(document, {**document, "duplicates": "mirror"}) == []
    changed = {**document, "phone_region": "NO", "lead_filter": {"field": "a", "value": "b"}}
    found = [str(each) for each in changes(document, changed)]
    assert found == ["~ lead_filter: none -> a equals b", "~ phone_region: FR -> NO"]


VALUES = "/admin/mapping/values/Rating"


@pytest.fixture
def value_table(stack: FakeStack) -> None:
    table = bodies.value_table()
    rating = bodies.pair("segment", "Rating", values=table["rows"])
    email = bodies.pair("email", "Email", locked=True, mandatory=True)
    stack.on("GET", VALUES, table)
    stack.on("GET", "/admin/mapping", bodies.mapping(3, email, rating))
    stack.on("PUT", "/admin/mapping", bodies.saved())


def sent_rows(stack: FakeStack) -> dict[str, str]:
    [pair] = [
        each
        for each in stack.body_of("PUT", "/admin/mapping")["pairs"]
        if each["salesforce"] == "Rating"
    ]
    return {row["plezi"]: row["salesforce"] for row in pair["values"]}


@pytest.mark.usefixtures("value_table")
def test_a_value_table_is_shown_with_proposed_rows_and_what_has_no_counterpart(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    assert person.run("mapping", "values", "Rating") == 0
    shown = capsys.readouterr().out
    assert "smb     Cold        saved" in shown
    assert "warmer  Warm        proposed" in shown
    assert "-       Hot         no counterpart: held" in shown
    assert "mapping values Rating --accept" in shown
    assert stack.calls == [("GET", VALUES)]


@pytest.mark.usefixtures("value_table")
@pytest.mark.parametrize(
    ("options", "rows"),
    [
        (["--accept"], {"smb": "Cold", "warmer": "Warm"}),
        (["--set", "hotter = Hot"], {"smb": "Cold", "hotter": "Hot"}),
        (["--set", "SMB=Hot"], {"SMB": "Hot"}),
        (["--remove", "cold"], {}),
        (["--remove", "smb", "--set", "smb=Warm"], {"smb": "Warm"}),
    ],
)
def test_rows_are_added_replaced_and_removed_after_a_question(
    stack: FakeStack, person: Person, options: list[str], rows: dict[str, str]
) -> None:
    person.answers = ["y"]
    assert person.run("mapping", "values", "Rating", *options) == 0
    assert sent_rows(stack) == rows
    assert person.questions


@pytest.mark.usefixtures("value_table")
def test_a_row_without_two_values_is_refused_before_anything_is_saved(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    for text in ("smb", "smb=", "=Cold"):
        assert person.run("mapping", "values", "Rating", "--set", text, "--yes") == 2
        assert "Write Plezi's value = Salesforce's value." in capsys.readouterr().err
    assert all(method == "GET" for method, _ in stack.calls)


@pytest.mark.usefixtures("value_table")
def test_the_table_is_printed_as_json(person: Person, capsys: Output) -> None:
    assert person.run("mapping", "values", "Rating", "--json") == 0
    assert json.loads(capsys.readouterr().out) == bodies.value_table()
