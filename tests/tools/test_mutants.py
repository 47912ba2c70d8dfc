"""The score of the mutants, and the list of equivalent ones."""

from __future__ import annotations

import tomllib

from tools.cli_transcripts import ROOT
from tools.mutants import EQUIVALENT, EVERYWHERE, THOROUGH, score

NAME = "connector.planning.plan.x_plan_link__mutmut_"


def test_a_mutant_that_no_test_notices_counts_unless_a_reason_is_listed() -> None:
    codes = {f"{NAME}1": 1, f"{NAME}2": 0, f"{NAME}3": 0, f"{NAME}4": 33}
    found = score("planning", codes, {f"{NAME}3": "the order of equal values does not matter"})
    assert (found.killed, found.tried) == (1, 3)
    assert found.unnoticed == [f"{NAME}2"]
    assert found.untested == [f"{NAME}4"]
    assert list(found.equivalent) == [f"{NAME}3"]
    assert str(found) == (
        "planning: 1 of 3 mutants killed (33.3 %), 1 are not noticed, 1 are reached by no test, "
        "1 are equivalent"
    )


def test_a_mutant_that_never_ends_is_killed() -> None:
    assert score("planning", {f"{NAME}1": -24}, {}).killed == 1


def test_every_test_that_is_named_exists() -> None:
    named = {*EVERYWHERE, *(name for names in THOROUGH.values() for name in names)}
    assert not [name for name in sorted(named) if not (ROOT / name).exists()]


def test_every_equivalent_mutant_has_a_reason() -> None:
    listed = tomllib.loads((ROOT / EQUIVALENT).read_text(encoding="utf-8"))
    assert all(isinstance(why, str) and why.strip() for why in listed.values())
