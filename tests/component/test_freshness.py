"""How long an observation of Plezi is fresh: until its unit was read again in Salesforce."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.mapping import bind_mapping
from connector.model import Side
from connector.planning.plan import plan_link
from connector.sync.isolation import Isolation
from connector.sync.reread import FRESH_SECONDS, Refresher
from tests.component.harness import Harness
from tests.component.people_fixtures import ANA


@pytest.mark.parametrize(
    ("age", "for_seconds", "is_stale"),
    [
        (FRESH_SECONDS - 1, 0.0, False),
        (FRESH_SECONDS + 1, 0.0, True),
        (FRESH_SECONDS - 1, 12.0, True),
        (FRESH_SECONDS - 13, 12.0, False),
    ],
)
def test_an_observation_that_will_be_too_old_within_the_unit_counts_as_old(
    harness: Harness, ana: str, age: float, for_seconds: float, *, is_stale: bool
) -> None:
    link = harness.ledger.load_links([ANA])[ANA]
    assert link.plezi is not None
    read_at = link.plezi.as_of
    context = replace(harness.context, clock=lambda: read_at + age)
    schemas = {
        kind: schema for side in Side for kind, schema in context.clients[side].schemas().items()
    }
    bound = bind_mapping(context.mappings.current(), schemas)
    refresher = Refresher(context, bound, Isolation(context, "run"))
    plan = plan_link(link, bound, now=read_at)

    stale = refresher.stale_records(Side.PLEZI, link, plan, for_seconds=for_seconds)

    assert [it.id for it in stale] == ([ana] if is_stale else [])
