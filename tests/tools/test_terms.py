"""The check of retired terms finds each kind of use, and only those."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools import terms
from tools.source_texts import Kind, Piece
from tools.terms import Allowed, Finding, Term

VERDICT = Term(
    "verdict",
    "resolution",
    "part",
    terms.NAMES,
    (
        Allowed("functions/old.py", "", "", "a test"),
        Allowed("*", "VerdictOfTheOrg", "", "a test"),
        Allowed("*", "", "verdict_of_salesforce", "a test"),
    ),
)
COMPANY = Term("Company", "Participants", "whole", frozenset({Kind.IDENTIFIER}), ())
ANEW = Term("anew", "again", "phrase", frozenset({Kind.PROSE}), ())
NOBODY = Term("nobody is", "a subject", "phrase", frozenset({Kind.PROSE}), ())


def findings(root: Path, path: str, text: str) -> list[Finding]:
    """Return the findings of a repository that has this one file."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return terms.check(root, [VERDICT, COMPANY, ANEW, NOBODY])


@pytest.mark.parametrize(
    ("path", "text", "line", "kind"),
    [
        ("functions/app.py", "class MergeVerdict:\n    pass\n", 1, Kind.IDENTIFIER),
        ("functions/app.py", "x = 1\nverdict_of_salesforce_2 = x\n", 2, Kind.IDENTIFIER),
        ("functions/app.py", "x = 1\nlast_verdict = x\n", 2, Kind.IDENTIFIER),
        ("functions/app.py", "def f(verdict: int) -> int:\n    return 1\n", 1, Kind.IDENTIFIER),
        ("functions/app.py", "import a\n\nprint(a.verdict)\n", 3, Kind.IDENTIFIER),
        ("functions/app.py", "from a import Company\n", 1, Kind.IDENTIFIER),
        ("layers/common/connector/verdict.py", "", 1, Kind.FILE),
        ("functions/verdict/app.py", "", 1, Kind.FILE),
        ("functions/app.py", 'log("run", event="verdict_found")\n', 1, Kind.CODE),
        ("functions/app.py", 'raise ValueError("begin anew")\n', 1, Kind.PROSE),
        ("functions/app.py", '"""Begin.\n\nBegin anew.\n"""\n', 3, Kind.PROSE),
        ("functions/app.py", "x = 1\n# nobody\n# is told\n", 2, Kind.PROSE),
        ("functions/app.py", '"""Return the `verdict`."""\n', 1, Kind.CODE),
        ("docs/page.md", "First.\n\nBegin\nanew.\n", 4, Kind.PROSE),
        ("docs/page.md", "The `MergeVerdict` is stored.\n", 1, Kind.CODE),
        ("docs/page.md", "A merge_verdict is stored.\n", 1, Kind.CODE),
        ("docs/openapi.json", json.dumps({"verdict": 1}), 1, Kind.MEMBER),
        ("docs/openapi.json", json.dumps({"summary": "Save it anew"}), 1, Kind.PROSE),
        ("docs/openapi.json", json.dumps({"enum": ["verdict"]}), 1, Kind.CODE),
        ("events/run.json", json.dumps({"detail": {"verdict": "x"}}), 1, Kind.MEMBER),
        ("template.yaml", "Parameters:\n  MaxVerdict:\n    Type: Number\n", 2, Kind.MEMBER),
        ("template.yaml", "A:\n  Description: >-\n    Begin\n    anew.\n", 4, Kind.PROSE),
        ("Makefile", "run: ## Begin anew\n", 1, Kind.PROSE),
        ("README.md", "Begin anew.\n", 1, Kind.PROSE),
    ],
)
def test_a_retired_term_is_found_in(
    tmp_path: Path, path: str, text: str, line: int, kind: Kind
) -> None:
    found = findings(tmp_path, path, text)
    assert [(item.path, item.line, item.kind) for item in found] == [(path, line, kind)]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("functions/old.py", "verdict = 1\n"),
        ("functions/app.py", "class VerdictOfTheOrg:\n    pass\n"),
        ("functions/app.py", "verdict_of_salesforce = 1\n"),
        ("functions/app.py", 'lead = {"Company": "Roi SA"}\n'),
        ("functions/app.py", "verdicts_are_not_this_word = 1\n"),
        ("functions/app.py", '"""The verdict of a court is an ordinary word."""\n'),
        ("functions/app.py", 'name = "janew"\n'),
        ("docs/page.md", "The Company of a Lead.\n"),
        ("tools/retired_terms.toml", '[[phrase]]\nretired = ["anew"]\n'),
        ("CHANGELOG.md", "`verdict` is now `resolution`\n"),
    ],
)
def test_an_allowed_or_ordinary_use_is_not_found_in(tmp_path: Path, path: str, text: str) -> None:
    assert findings(tmp_path, path, text) == []


def test_a_file_with_a_wrong_syntax_is_checked_as_text(tmp_path: Path) -> None:
    found = findings(tmp_path, "functions/app.py", "def f(:\n    # begin anew\n")
    assert [item.line for item in found] == [2]


def test_a_finding_names_the_place_and_the_standard_term(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, "functions/app.py", "verdict = 1\n")
    assert str(found) == (
        "functions/app.py:1: identifier 'verdict': retired 'verdict', use resolution"
    )


def test_the_command_fails_on_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(terms, "ROOT", tmp_path)
    (tmp_path / "README.md").write_text("Begin anew.\n")
    assert terms.main([]) == 1
    assert "README.md:1" in capsys.readouterr().out
    assert terms.main(["--summary"]) == 1
    (tmp_path / "README.md").write_text("Begin again.\n")
    assert terms.main([]) == 0


def test_every_entry_of_the_list_is_usable_and_every_exception_has_a_reason() -> None:
    for term in terms.load_terms():
        assert term.use
        assert term.retired not in term.use.split(", "), term
        assert all(exception.reason for exception in term.allowed)
        if term.match == "part":
            assert terms.split(term.retired), term


def test_an_exception_without_a_reason_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "terms.toml"
    path.write_text('[[part]]\nretired = ["a"]\nuse = "b"\nallow = [{ path = "x", reason = "" }]\n')
    with pytest.raises(ValueError, match="reason"):
        terms.load_terms(path)


@pytest.mark.parametrize(
    "sentence",
    [
        "The run is told of it.",
        "It begins anew.",
        "See product P9.",
        "(reference: reliability, invariant 20)",
        "as plezi 2.2 states",
        "until start is pressed",
        "Nobody can know.",
        "Look in connector.engine.runs.",
    ],
)
def test_the_list_knows_this_phrase(sentence: str) -> None:
    piece = Piece("docs/page.md", 1, Kind.PROSE, sentence)
    assert list(terms.find([piece], terms.load_terms()))


@pytest.mark.parametrize(
    "name",
    ["Voice", "Verdict", "parked_lines", "far_time", "ShadowLedger", "rehearse", "settle_people",
     "LoginLaterError", "mass_emptying", "MostEmptied", "FormDoor", "told_run", "keep_document"],
)  # fmt: skip
def test_the_list_knows_this_name(name: str) -> None:
    piece = Piece("functions/app.py", 1, Kind.IDENTIFIER, name)
    assert list(terms.find([piece], terms.load_terms()))


def test_a_path_that_does_not_exist_is_refused() -> None:
    with pytest.raises(SystemExit):
        terms.main(["functons"])


def test_the_value_survivor_of_the_setting_duplicates_is_allowed() -> None:
    path = "layers/common/connector/mapping/model.py"
    piece = Piece(path, 1, Kind.CODE, "survivor")
    assert not list(terms.find([piece], terms.load_terms()))
