"""The probe finds the right dialect in random combinations of the simulated tenant's switches."""

from __future__ import annotations

import pytest

from connector.probe_report import ProbeState
from local.plezi_tenant import Switches
from tests.component.probe_fixtures import CONTACT, ProbedTenant
from tests.component.probe_variants import Variant, can_create, can_update, variants, wrong_keys

COMBINATIONS = 200
OFTEN = 30
"""Combinations of the normal suite; all of them take longer than 20 s on a busy machine."""


def check(variant: Variant, *, is_writing: bool) -> None:
    probed = ProbedTenant(variant.contacts, variant.spread_seconds)
    probed.tenant.public_url = variant.public_url
    probed.tenant.set_switches(**variant.switches)
    switches = Switches().with_changes(variant.switches)
    before = probed.others()

    report = probed.probe(CONTACT if is_writing else "", may_exist=True)

    assert report.state is ProbeState.DONE
    assert wrong_keys(variant, probed.dialect(), is_writing=is_writing) == []
    assert not [each for each in report.findings if "could not be asked" in each.message]
    assert probed.others() == before
    if is_writing:
        is_refused = "update_method" in {each.key for each in report.refusals}
        is_served = bool(can_update(switches)) or not can_create(variant, switches)
        assert is_refused is not is_served
        assert (probed.throwaway() is None) or report.left_behind
    else:
        assert probed.throwaway() is None
        assert {method for method, _ in probed.requests} == {"GET"}
    probed.tenant.close()


@pytest.mark.parametrize("variant", list(variants(OFTEN)), ids=str)
def test_the_dialect_that_is_found_is_right_in_some_combinations(variant: Variant) -> None:
    check(variant, is_writing=variant.number % 4 != 0)


@pytest.mark.nightly
@pytest.mark.parametrize("variant", list(variants(COMBINATIONS)), ids=str)
def test_the_dialect_that_is_found_is_right_in_each_combination(variant: Variant) -> None:
    check(variant, is_writing=variant.number % 4 != 0)
