"""The score of the mutants, and the list of equivalent ones."""

from __future__ import annotations

import tomllib

from tools.cli_transcripts import ROOT
from tools.mutants import EQUIVALENT, EVERYWHERE, THOROUGH, Outcome, key_of, score

NAME = "connector.planning.plan.x_plan_link__mutmut_"


CHANGE = "     first = min(new)\n-    return first\n+    return None"


def test_a_mutant_that_no_test_notices_counts_unless_a_reason_is_listed() -> None:
    codes = {f"{NAME}1": 1, f"{NAME}2": 0, f"{NAME}3": 0, f"{NAME}4": 33}
    outcomes = {name: Outcome(code, CHANGE) for name, code in codes.items()}
    outcomes[f"{NAME}2"] = Outcome(0, "+    return first")
    reason = "the order of equal values does not matter"
    found = score("planning", outcomes, {"planning.plan.plan_link: return None": reason})
    assert (found.killed, found.tried) == (1, 3)
    assert found.unnoticed == [f"{NAME}2"]
    assert found.untested == [f"{NAME}4"]
    assert found.equivalent == {f"{NAME}3": reason}
    assert str(found) == (
        "planning: 1 of 3 mutants killed (33.3 %), 1 are not noticed, 1 are reached by no test, "
        "1 are equivalent"
    )


def test_a_mutant_is_listed_by_its_function_and_its_new_lines() -> None:
    method = "connector.sync.runs.x\u01c1Runs\u01c1add__mutmut_7"
    assert key_of(method, "-        a = 1\n+        a = None") == "sync.runs.Runs.add: a = None"
    assert key_of(f"{NAME}9", "-    stop()") == "planning.plan.plan_link: -     stop()"


def test_a_mutant_that_never_ends_is_killed() -> None:
    assert score("planning", {f"{NAME}1": Outcome(-24, CHANGE)}, {}).killed == 1


def test_every_test_that_is_named_exists() -> None:
    named = {*EVERYWHERE, *(name for names in THOROUGH.values() for name in names)}
    assert not [name for name in sorted(named) if not (ROOT / name).exists()]


def test_every_equivalent_mutant_has_a_reason() -> None:
    listed = tomllib.loads((ROOT / EQUIVALENT).read_text(encoding="utf-8"))
    assert all(isinstance(why, str) and why.strip() for why in listed.values())
