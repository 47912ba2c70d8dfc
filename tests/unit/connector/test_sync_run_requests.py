"""A request for a run: it is stored, queued and logged, in this order."""

from __future__ import annotations

import json
from typing import Final

import pytest

from connector.errors import MappingError
from connector.log_events import Event
from connector.mapping.document import mapping_document
from connector.model import Phase, Run, RunKind, RunState, UndoRequest
from connector.sync.run_requests import RunRequester, new_run
from local.world.memory import MemoryRunQueue
from tests.unit.connector.sync_fixtures import SyncSetup
from tests.unit.connector.sync_fixtures_limits import MAPPING, limited
from tests.unit.connector.sync_fixtures_stores import NOW

DRAFT: Final = json.dumps(mapping_document(MAPPING))


class StoredBefore(MemoryRunQueue):
    """A queue whose messages must be about runs that are stored."""

    def __init__(self, setup: SyncSetup) -> None:
        super().__init__()
        self._setup = setup

    def send(self, run: str, phase: Phase) -> None:
        assert self._setup.ledger.load_run(run) is not None
        super().send(run, phase)


def requester(setup: SyncSetup) -> RunRequester:
    setup.queue = StoredBefore(setup)
    return RunRequester(setup.ledger, setup.queue, setup.clock, lambda: "r7", setup.log)


def test_a_requested_run_waits_in_the_queue_for_its_first_phase() -> None:
    setup = limited()

    assert requester(setup).request_run(RunKind.FULL) == "r7"

    assert setup.ledger.load_run("r7") == Run(
        "r7", RunKind.FULL, RunState.REQUESTED, requested_at=NOW
    )
    assert setup.queue.messages == [("r7", Phase.READ)]
    assert setup.log.lines == [(Event.run_requested, {"run_id": "r7", "kind": "full"})]


def test_the_record_of_a_run_has_all_parts_of_its_request() -> None:
    setup = limited()
    undo = UndoRequest("r0", field="Phone")

    requester(setup).request_run(
        RunKind.DRY_RUN,
        emails=iter(["a@x.fr", "b@x.fr"]),
        draft=DRAFT,
        include_unchanged=True,
        first=True,
        skip_stages=True,
        undo=undo,
        repairs="v1",
    )

    assert setup.ledger.load_run("r7") == Run(
        "r7",
        RunKind.DRY_RUN,
        RunState.REQUESTED,
        requested_at=NOW,
        emails=("a@x.fr", "b@x.fr"),
        draft=DRAFT,
        include_unchanged=True,
        first=True,
        skip_stages=True,
        undo=undo,
        repairs="v1",
    )


def test_a_draft_that_is_no_mapping_is_refused_and_no_run_is_stored() -> None:
    setup = limited()

    with pytest.raises(MappingError, match="the mapping is not JSON"):
        requester(setup).request_run(RunKind.DRY_RUN, draft="{")

    assert setup.ledger.load_run("r7") is None
    assert (setup.queue.messages, setup.log.lines) == ([], [])


def test_a_new_run_is_requested_at_the_given_time() -> None:
    assert new_run("r1", RunKind.VERIFY, 5.0) == Run(
        "r1", RunKind.VERIFY, RunState.REQUESTED, requested_at=5.0
    )
