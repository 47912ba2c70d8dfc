"""The enumerations of which the documentation is generated."""

from __future__ import annotations

from enum import StrEnum

import pytest

from connector.described_enum import DescribedEnum
from connector.errors import StopReason
from connector.mapping.issues import IssueCode
from connector.mapping.model import ConflictPolicy, Direction, DuplicatePolicy, Operator
from connector.model import (
    AlertKind,
    AttentionKind,
    HintResult,
    HoldReason,
    JournalKind,
    MergeRule,
    RunKind,
    RunState,
    SkipReason,
)

DOCUMENTED: tuple[type[DescribedEnum], ...] = (
    AlertKind,
    AttentionKind,
    ConflictPolicy,
    Direction,
    DuplicatePolicy,
    HintResult,
    HoldReason,
    IssueCode,
    JournalKind,
    MergeRule,
    Operator,
    RunKind,
    RunState,
    SkipReason,
    StopReason,
)


@pytest.mark.parametrize("kind", DOCUMENTED)
def test_each_member_has_a_description_of_one_sentence(kind: type[DescribedEnum]) -> None:
    for member in kind:
        assert member.description[0].isupper(), member
        assert member.description.endswith("."), member
        assert "\n" not in member.description


@pytest.mark.parametrize("kind", DOCUMENTED)
def test_a_member_is_found_by_its_value_and_is_that_text(kind: type[DescribedEnum]) -> None:
    for member in kind:
        assert kind(member.value) is member
        assert isinstance(member, StrEnum)
        assert f"{member}" == member.value


@pytest.mark.parametrize("policy", ConflictPolicy)
def test_each_conflict_policy_is_a_merge_rule(policy: ConflictPolicy) -> None:
    if policy is not ConflictPolicy.HOLD:  # its rule is `held`
        assert MergeRule(policy.value)
