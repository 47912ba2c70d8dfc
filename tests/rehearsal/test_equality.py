"""A small verification at the template's defaults; `make rehearse-equality` has 20,000 people."""

from __future__ import annotations

from typing import Final

from local.rehearsal.drift import DIFFERENCES
from local.rehearsal.equality import rehearse_equality

FEW: Final = 40


def test_each_planted_difference_is_found_none_is_false_and_a_repair_corrects_what_it_can() -> None:
    report = rehearse_equality(FEW)

    assert report.problems == ()
    assert (report.people, report.planted) == (FEW + 2, 20)
    assert len({(it.field, it.cause) for it in DIFFERENCES}) > 10
    assert 0 < report.salesforce_calls < report.share
