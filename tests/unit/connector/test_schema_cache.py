"""The cache of descriptions: shared by all processes, and never older than its generation."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest

from connector.errors import RetryError, StopReason
from connector.mapping import Field, FieldKind, Schema
from connector.model import RecordKind
from connector.schema_cache import (
    RETRY_SECONDS,
    Description,
    SchemaCache,
    stored_generation,
)
from local.world.memory import MemoryLedger

HOUR = 3600.0


class System:
    """A system with fields, and the processes that describe them."""

    def __init__(self) -> None:
        self.store = MemoryLedger()
        self.fields = ["email"]
        self.describes = 0
        self.now = 1000.0
        self.while_described: Callable[[], None] = lambda: None
        self.is_busy = False
        self._ids = count(1)

    def process(self) -> SchemaCache:
        return SchemaCache(
            self.store,
            lambda: self.now,
            lambda: f"id-{next(self._ids)}",
            describe={"describe#lead": (RecordKind.LEAD, self._describe)},
            parse=self._parse,
            max_age=HOUR,
        )

    def _describe(self) -> Description:
        self.describes += 1
        if self.is_busy:
            raise RetryError("busy", reason=StopReason.SALESFORCE_UNAVAILABLE)
        described = {"names": list(self.fields)}
        act, self.while_described = self.while_described, lambda: None
        act()
        return described

    @staticmethod
    def _parse(_: RecordKind, description: Description | None) -> Schema:
        names = (description or {"names": ()})["names"]
        return {name: Field(name, FieldKind.TEXT) for name in names}


def names(cache: SchemaCache) -> set[str]:
    return set(cache.schemas()[RecordKind.LEAD])


@pytest.fixture
def system() -> System:
    return System()


def test_all_processes_share_one_description(system: System) -> None:
    for _ in range(3):
        assert names(system.process()) == {"email"}

    assert system.describes == 1


def test_a_warm_process_describes_again_after_another_one_raised_the_generation(
    system: System,
) -> None:
    warm, other = system.process(), system.process()
    names(warm)
    system.fields.append("new")

    other.invalidate()
    warm.refresh()

    assert names(warm) == {"email", "new"}


def test_a_warm_process_keeps_its_copy_while_the_generation_is_the_same(system: System) -> None:
    warm = system.process()
    names(warm)
    system.fields.append("new")

    warm.refresh()

    assert names(warm) == {"email"}
    assert system.describes == 1


def test_a_description_during_which_the_generation_is_raised_is_not_of_the_new_generation(
    system: System,
) -> None:
    slow, other = system.process(), system.process()

    def change_fields() -> None:
        system.fields.append("new")
        other.invalidate()

    system.while_described = change_fields
    names(slow)

    assert names(system.process()) == {"email", "new"}
    slow.refresh()
    assert names(slow) == {"email", "new"}


def test_an_older_description_that_is_stored_last_is_not_used(system: System) -> None:
    slow, other = system.process(), system.process()

    def change_fields_and_describe() -> None:
        system.fields.append("new")
        other.invalidate()
        names(other)

    system.while_described = change_fields_and_describe
    names(slow)

    assert names(system.process()) == {"email", "new"}


def test_two_processes_that_raise_at_the_same_time_raise_to_different_generations(
    system: System,
) -> None:
    system.process().invalidate()
    first = stored_generation(system.store)
    system.process().invalidate()

    assert stored_generation(system.store) != first


def test_a_description_expires(system: System) -> None:
    warm = system.process()
    names(warm)
    system.fields.append("new")

    system.now += HOUR + 1

    assert names(warm) == {"email", "new"}


def test_a_description_of_the_future_is_not_used(system: System) -> None:
    names(system.process())
    system.fields.append("new")

    system.now -= 10 * HOUR

    assert names(system.process()) == {"email", "new"}


def test_many_refusals_of_one_run_raise_the_generation_once(system: System) -> None:
    warm = system.process()
    names(warm)
    for _ in range(200):
        warm.report_refusal()
        names(warm)
    assert system.describes == 2

    warm.refresh()
    warm.report_refusal()
    names(warm)
    assert system.describes == 3


def test_a_failed_description_keeps_nothing(system: System) -> None:
    def fail() -> None:
        raise RetryError("busy", reason=StopReason.SALESFORCE_UNAVAILABLE)

    cache = system.process()
    system.while_described = fail
    with pytest.raises(RetryError):
        names(cache)

    assert names(cache) == {"email"}


@pytest.mark.parametrize("age", [HOUR + 1, 1000 * HOUR, -10 * HOUR])
@pytest.mark.parametrize("is_warm", [True, False])
def test_an_expired_description_is_used_while_the_system_cannot_describe(
    system: System, age: float, *, is_warm: bool
) -> None:
    first = system.process()
    names(first)
    system.fields.append("new")
    system.now += age
    system.is_busy = True

    cache = first if is_warm and age > 0 else system.process()

    assert [names(cache) for _ in range(100)] == [{"email"}] * 100
    assert system.describes == 2, "one failed description"


def test_a_system_that_could_not_describe_is_asked_again_after_some_minutes(
    system: System,
) -> None:
    names(system.process())
    system.fields.append("new")
    system.now += HOUR + 1
    system.is_busy = True
    cache, other = system.process(), system.process()
    names(cache)
    system.is_busy = False

    assert names(other) == {"email", "new"}
    assert names(cache) == {"email"}

    system.now += RETRY_SECONDS + 1

    assert names(cache) == {"email", "new"}


def test_a_description_of_an_earlier_generation_does_not_replace_a_failed_one(
    system: System,
) -> None:
    cache = system.process()
    names(cache)
    system.is_busy = True

    cache.invalidate()

    with pytest.raises(RetryError):
        names(cache)
    with pytest.raises(RetryError):
        names(system.process())


def test_a_stored_description_without_generation_is_valid_before_the_first_change(
    system: System,
) -> None:
    old = {"names": ["stored"], "described_at": system.now}
    system.store.save_document("describe#lead", old)

    assert names(system.process()) == {"stored"}
