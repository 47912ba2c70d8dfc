"""The commands about what is stored about one person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import Person
from tests.unit.cli.fake_stack import FakeStack

local = pytest.mark.usefixtures("local_stack")
Output = pytest.CaptureFixture[str]
ANA = "ana@example.com"
ERASE = "/admin/people/erase"
EXPORT = "/admin/people/export"


def erasure(**members: Any) -> dict[str, Any]:
    return {
        "preview": True,
        "complete": False,
        "emails": [ANA],
        "records": ["p1"],
        "items": [{"table": "ledger", "kind": "link", "number": 1}],
        "mentions": 0,
        "unreadable": 0,
        "remaining": [{"where": "logs", "what": "a hash", "days": 30}],
        "next": "",
        **members,
    }


def exported(*contents: str, after: str = "") -> dict[str, Any]:
    items = [{"table": "ledger", "kind": "link", "content": it} for it in contents]
    return {
        "emails": [ANA],
        "records": [],
        "items": items,
        "mentions": 0,
        "unreadable": 0,
        "elsewhere": [],
        "next": after,
    }


@local
def test_an_export_joins_its_parts_in_one_document_or_file(
    stack: FakeStack, person: Person, capsys: Output, tmp_path: Path
) -> None:
    stack.on("POST", EXPORT, exported("one", after="token"), exported("two"))
    assert person.run("people", "export", ANA) == 0
    document = json.loads(capsys.readouterr().out)
    assert [item["content"] for item in document["items"]] == ["one", "two"]
    assert document["next"] == ""
    assert stack.body_of("POST", EXPORT) == {"email": ANA, "next": "token"}

    stack.on("POST", EXPORT, exported("one"))
    file = tmp_path / "ana.json"
    assert person.run("people", "export", ANA, "--file", str(file)) == 0
    assert json.loads(file.read_text(encoding="utf-8"))["emails"] == [ANA]
    assert "Wrote 1 items" in capsys.readouterr().out


@local
def test_an_erasure_is_shown_then_asked_then_made(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    stack.on("POST", ERASE, erasure(), erasure(preview=False, complete=True, mentions=2))
    person.answers = ["yes"]
    assert person.run("people", "erase", ANA) == 0
    assert "cannot be taken back" in person.questions[0]
    out = capsys.readouterr().out
    assert out.index("Would be removed:") < out.index("\nRemoved:")
    assert "Links of other people that have the e-mail, left: 2" in out
    assert "logs" in out
    assert stack.body_of("POST", ERASE) == {"email": ANA, "preview": False, "next": ""}


@local
def test_an_erasure_that_is_not_confirmed_changes_nothing(stack: FakeStack, person: Person) -> None:
    stack.on("POST", ERASE, erasure())
    person.answers = ["no"]
    assert person.run("people", "erase", ANA) != 0
    assert stack.body_of("POST", ERASE)["preview"] is True


@local
def test_a_preview_of_an_erasure_asks_nothing(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    stack.on("POST", ERASE, erasure(unreadable=1))
    assert person.run("people", "erase", ANA, "--preview") == 0
    assert "cannot be decoded, left: 1" in capsys.readouterr().out
    assert person.questions == []


@local
def test_the_parts_of_an_erasure_are_added_up_for_programs(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    final = erasure(preview=False, complete=True)
    stack.on("POST", ERASE, {**final, "complete": False, "next": "token"}, final)
    assert person.run("people", "erase", ANA, "--yes", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["complete"]
    assert shown["items"] == [{"table": "ledger", "kind": "link", "number": 2}]


@local
def test_a_tombstone_is_lifted_after_a_question(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    stack.on("POST", "/admin/people/tombstones/lift", {"lifted": 3, "next_step": "sync"})
    assert person.run("people", "lift", ANA) == 2
    assert person.run("people", "lift", ANA, "--yes") == 0
    assert "Lifted 3 tombstones." in capsys.readouterr().out
    assert person.run("people", "lift", ANA, "--yes", "--json") == 0
    assert json.loads(capsys.readouterr().out)["lifted"] == 3
