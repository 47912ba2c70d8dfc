"""A small preview and its run at the template's defaults; `make rehearse-preview` has 20,000."""

from __future__ import annotations

from typing import Final

from local.rehearsal.previews import EDITS, rehearse_preview

FEW: Final = 32
OVERWRITTEN_AND_REFUSED: Final = ("salesforce overwritten", "salesforce quarantined")


def test_a_preview_and_its_approved_run_are_equal_line_by_line() -> None:
    report = rehearse_preview(FEW)

    assert report.problems == ()
    assert report.planned == report.done > FEW
    assert all(report.counts[name][1] > 0 for name in OVERWRITTEN_AND_REFUSED)
    assert len(EDITS) < FEW - 4, "each kind of edit occurs"
