"""The mapping of a run is bound to today's fields: a pair is suspended only by a fresh look."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from connector.mapping import Field, FieldKind, Filter, Operator, Schema, bind_mapping
from connector.mapping.model import PLEZI_URL_PAIR
from connector.mapping.validation import validate
from connector.model import RecordKind, Run, RunKind, RunState, Side
from connector.schema_cache import (
    GENERATION_KEY,
    ConfirmedSuspensions,
    load_confirmed,
    save_confirmed,
)
from connector.sync.binding import MappingBinder
from tests.unit.connector.sync_fixtures import SyncSetup, System
from tests.unit.connector.sync_fixtures_limits import (
    BOUND,
    MAPPING,
    SCHEMAS,
    limited,
    schemas_without,
)
from tests.unit.connector.sync_fixtures_stores import NOW, Ledger

NO_PHONE: Final = schemas_without(RecordKind.LEAD, "Phone")
WITHOUT_PHONE: Final = bind_mapping(MAPPING, NO_PHONE)
GONE: Final = WITHOUT_PHONE.suspended[0].reason
DRY: Final = Run("d1", RunKind.DRY_RUN, RunState.RUNNING, requested_at=NOW)
COMPLETE: Final = replace(MAPPING, pairs=(*MAPPING.pairs, PLEZI_URL_PAIR))
"""A mapping without problems: it has all locked pairs."""
LOOK_AGAIN: Final = [("refresh",), ("invalidate",)]


class DescribedSystem(System):
    """A system whose descriptions have a generation in the ledger, as those of the clients.

    It describes other fields once its description was invalidated, if a test has some.
    """

    def __init__(
        self,
        side: Side,
        ledger: Ledger,
        described: dict[RecordKind, Schema],
        again: dict[RecordKind, Schema],
    ) -> None:
        super().__init__(side, schemas=described)
        self._ledger = ledger
        self._again = System(side, schemas=again).described

    def invalidate_schemas(self) -> None:
        super().invalidate_schemas()
        self.described = self._again
        self._ledger.save_document(GENERATION_KEY, {"generation": f"after {self.side}"})


def setup_with(
    described: dict[RecordKind, Schema], again: dict[RecordKind, Schema] | None = None
) -> SyncSetup:
    """Return a setup whose systems describe these fields, and others once they are invalidated."""
    setup = limited()
    setup.ledger.save_document(GENERATION_KEY, {"generation": "first"})
    setup.plezi, setup.org = (
        DescribedSystem(side, setup.ledger, described, again or described)
        for side in (Side.PLEZI, Side.SALESFORCE)
    )
    return setup


def binder(setup: SyncSetup) -> MappingBinder:
    return MappingBinder(setup.context)


def requests(setup: SyncSetup) -> list[list[tuple[Any, ...]]]:
    return [setup.plezi.requests, setup.org.requests]


def test_a_mapping_whose_fields_exist_is_bound_to_what_is_known_in_this_generation() -> None:
    setup = setup_with(dict(SCHEMAS))

    assert binder(setup).bind(MAPPING) == BOUND
    assert requests(setup) == [[("refresh",)], [("refresh",)]]


def test_a_field_that_is_missing_in_an_old_description_is_found_in_a_fresh_one() -> None:
    setup = setup_with(NO_PHONE, dict(SCHEMAS))

    assert binder(setup).bind(MAPPING) == replace(BOUND, is_fresh=True)
    assert requests(setup) == [LOOK_AGAIN, LOOK_AGAIN]
    assert load_confirmed(setup.ledger) == ConfirmedSuspensions("", {})


def test_a_field_that_is_missing_in_a_fresh_description_too_is_suspended_and_noted() -> None:
    setup = setup_with(NO_PHONE)

    assert binder(setup).bind(MAPPING) == replace(WITHOUT_PHONE, is_fresh=True)
    assert load_confirmed(setup.ledger) == ConfirmedSuspensions("after salesforce", {"Phone": GONE})
    assert setup.ledger.suspended_pairs() == {}


def test_a_suspension_that_is_confirmed_needs_no_other_description() -> None:
    by_last_run, by_description = setup_with(NO_PHONE), setup_with(NO_PHONE)
    by_last_run.ledger.save_suspended_pairs({"Phone": GONE, "Title": "gone too"})
    by_description.ledger.save_suspended_pairs({"Phone": "another reason"})
    save_confirmed(by_description.ledger, ConfirmedSuspensions("first", {"Phone": GONE}))

    for setup in (by_last_run, by_description):
        assert binder(setup).bind(MAPPING) == WITHOUT_PHONE
        assert requests(setup) == [[("refresh",)], [("refresh",)]]


def test_a_suspension_for_another_reason_needs_another_description() -> None:
    setup = setup_with(NO_PHONE)
    setup.ledger.save_suspended_pairs({"Phone": GONE})
    save_confirmed(setup.ledger, ConfirmedSuspensions("first", {"Phone": "another reason"}))

    assert binder(setup).bind(MAPPING).is_fresh
    assert requests(setup) == [LOOK_AGAIN, LOOK_AGAIN]


def test_a_fresh_bind_asks_both_systems_whatever_is_known() -> None:
    setup = setup_with(dict(SCHEMAS), NO_PHONE)

    assert binder(setup).bind_afresh(MAPPING) == replace(WITHOUT_PHONE, is_fresh=True)
    assert requests(setup) == [[("invalidate",)], [("invalidate",)]]
    assert load_confirmed(setup.ledger) == ConfirmedSuspensions("after salesforce", {"Phone": GONE})


# What the last bind suspended


def test_what_is_suspended_is_stored_with_the_generation_of_the_bind() -> None:
    setup = setup_with(dict(SCHEMAS))
    binding = binder(setup)
    binding.bind(MAPPING)
    setup.ledger.save_document(GENERATION_KEY, {"generation": "a later one"})

    assert binding.update_suspended(WITHOUT_PHONE) is False

    assert setup.ledger.suspended_pairs() == {"Phone": GONE}
    assert load_confirmed(setup.ledger) == ConfirmedSuspensions("first", {"Phone": GONE})


def test_before_the_first_bind_no_generation_is_noted() -> None:
    setup = setup_with(dict(SCHEMAS))

    binder(setup).update_suspended(WITHOUT_PHONE)

    assert load_confirmed(setup.ledger) == ConfirmedSuspensions("", {"Phone": GONE})


def test_a_pair_that_can_be_used_again_is_news_and_one_that_stays_suspended_is_none() -> None:
    setup = setup_with(dict(SCHEMAS))
    setup.ledger.save_suspended_pairs({"Phone": "the former reason", "Title": "gone"})
    binding = binder(setup)

    assert binding.update_suspended(WITHOUT_PHONE) is True
    assert setup.ledger.suspended_pairs() == {"Phone": GONE}
    assert binding.update_suspended(WITHOUT_PHONE) is False
    assert binding.update_suspended(BOUND) is True
    assert setup.ledger.suspended_pairs() == {}


# The validation for a dry run


def test_the_saved_mapping_is_validated_as_it_is_bound() -> None:
    setup = setup_with(NO_PHONE, dict(SCHEMAS))

    assert binder(setup).validate(DRY, MAPPING) == validate(MAPPING, SCHEMAS)
    assert requests(setup) == [LOOK_AGAIN, LOOK_AGAIN]


def test_the_saved_mapping_needs_no_other_description_for_what_is_confirmed() -> None:
    setup = setup_with(NO_PHONE)
    setup.ledger.save_suspended_pairs({"Phone": GONE})

    result = binder(setup).validate(DRY, MAPPING)

    assert result == validate(MAPPING, NO_PHONE)
    assert requests(setup) == [[("refresh",)], [("refresh",)]]


def test_a_draft_without_problems_is_validated_by_what_is_known() -> None:
    schemas = {
        **SCHEMAS,
        RecordKind.PLEZI_CONTACT: {
            **SCHEMAS[RecordKind.PLEZI_CONTACT],
            "url": Field("url", FieldKind.TEXT),
        },
        RecordKind.LEAD: {
            **SCHEMAS[RecordKind.LEAD],
            "plezi_url__c": Field("plezi_url__c", FieldKind.TEXT),
        },
    }
    setup = setup_with(schemas)

    result = binder(setup).validate(replace(DRY, draft="{}"), COMPLETE)

    assert result == validate(COMPLETE, schemas)
    assert (result.mapping, result.problems) == (COMPLETE, ())
    assert requests(setup) == [[("refresh",)], [("refresh",)]]


def test_a_draft_with_problems_is_validated_again_by_a_fresh_description() -> None:
    setup = setup_with(NO_PHONE, dict(SCHEMAS))

    result = binder(setup).validate(replace(DRY, draft="{}"), MAPPING)

    assert result == validate(MAPPING, SCHEMAS)
    assert [it.pair for it in result.problems] == ["plezi_url__c"]
    assert requests(setup) == [LOOK_AGAIN, LOOK_AGAIN]


def test_a_filter_whose_field_is_gone_is_suspended_with_its_reason() -> None:
    mapping = replace(MAPPING, contact_filter=Filter("sync__c", Operator.EQUALS, "yes"))
    setup = setup_with(dict(SCHEMAS))

    bound = binder(setup).bind(mapping)

    expected = bind_mapping(mapping, SCHEMAS)
    assert bound == replace(expected, is_fresh=True)
    assert load_confirmed(setup.ledger).reasons == {"Contact filter": expected.suspended[0].reason}
