"""The table of security checks is complete, and names only tests that exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.security_checks import CHECKS, CheckState, SecurityCheck

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
        file, _, name = test.partition("::")
        source = (TESTS / file).read_text(encoding="utf-8")
        assert f"def {name}(" in source or not name, test
