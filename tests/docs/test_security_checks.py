"""The table of security checks is complete, and names only tests that exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.aws.dynamodb import personal_items
from connector.aws.dynamodb.schema import ItemKind
from tools.data_map import DATA_MAP
from tools.security_checks import CHECKS, CheckState, SecurityCheck
from tools.security_hub import CONTROLS, OWASP, Control

TESTS = Path(__file__).parents[1]
NUMBER_OF_CHECKS = 34


def test_there_are_all_checks() -> None:
    assert len(CHECKS) == NUMBER_OF_CHECKS
    assert len({each.check for each in CHECKS}) == NUMBER_OF_CHECKS


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.check[:40])
def test_a_check_names_tests_that_exist_or_says_what_is_missing(check: SecurityCheck) -> None:
    if check.state is CheckState.HOLDS:
        assert check.tests
    else:
        assert check.remark
    for test in check.tests:
        assert exists(test), test


def exists(test: str) -> bool:
    """Return whether a test, or a file of tests, exists."""
    file, _, name = test.partition("::")
    source = (TESTS / file).read_text(encoding="utf-8")
    return f"def {name}(" in source or not name


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.id)
def test_a_control_that_holds_names_tests_that_exist(control: Control) -> None:
    if control.state is CheckState.HOLDS:
        assert control.tests
    else:
        assert control.reason
    assert all(exists(test) for test in control.tests)


def test_each_of_the_ten_owasp_classes_has_a_test() -> None:
    assert [name.partition(" ")[0] for name, _ in OWASP] == [f"S{it}" for it in range(1, 11)]
    for _, test in OWASP:
        assert exists(test), test


def test_the_data_map_has_every_kind_of_stored_item() -> None:
    assert set(ItemKind) <= set(DATA_MAP)


PREFIXES = {
    "contact": ItemKind.LINK,
    "record": ItemKind.RECORD_POINTER,
    "work": ItemKind.WORK_LIST,
    "preview": ItemKind.LINK,
    "form": ItemKind.FORM_HINT,
    "run": ItemKind.RUN,
    "state": ItemKind.DOCUMENT,
}
"""The kind of the items of the ledger, by the first part of their keys."""


def test_the_map_and_the_erasure_agree_on_what_names_people() -> None:
    read = {PREFIXES[prefix] for prefix in personal_items._LEDGER}
    read |= {ItemKind.JOURNAL_ENTRY, ItemKind.AUDIT_ENTRY}
    assert {kind for kind, row in DATA_MAP.items() if row.erased} == read
    assert all(row.personal for row in DATA_MAP.values() if row.erased)


def test_make_deploy_uses_a_region_in_the_eu_by_default() -> None:
    makefile = (TESTS.parent / "Makefile").read_text(encoding="utf-8")
    assert "DEPLOY_REGION = $(or $(AWS_REGION),$(AWS_DEFAULT_REGION),eu-" in makefile
    assert 'deploy --region "$(DEPLOY_REGION)"' in makefile


def test_ci_runs_the_audit() -> None:
    assert "make check" in (TESTS.parent / ".ci/run").read_text(encoding="utf-8").splitlines()
    makefile = (TESTS.parent / "Makefile").read_text(encoding="utf-8")
    assert any(line.startswith("check: install audit ") for line in makefile.splitlines())
