"""Unexpected errors in the deployed worker: of a step of some people, and of each invocation."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from local.actors import Marketer, Operator, SalesPerson
from local.embedded_aws import EmbeddedAws
from local.on_call import OnCall
from local.stack.commands import AWS, StackCommands
from local.stack.stack_file import StackFile
from tests.e2e.deployed_worker import changed_worker, short_visibility
from tests.e2e.faulty_worker import CODE, OPERATION, PRIVATE, VARIABLE, Defects, Seen
from tests.injected_faults import NOT_STEPS, OTHER_CALLERS, STORING, UNKEYED, Step

pytestmark = pytest.mark.stack

REPOSITORY: Final = Path(__file__).parents[2]
OBSERVED: Final = 3
"""People of each system for whom the steps are observed before one is made to fail."""
VICTIMS: Final = 8
"""People of each system of whom one step fails; with 20 in all a run would stop itself."""
BYSTANDERS: Final = 20
ABANDONED_SECONDS: Final = 2
"""The time-out of a worker in the test: after it, a write in flight is recovered."""
PAUSE_SECONDS: Final = 1.0
RECOVERY_SECONDS: Final = 240.0
"""Real time for the recoveries: a creation in Plezi in doubt is looked up again after
`WRITE_LAG_SECONDS`, one minute; the rest is for slow machines."""
WRITTEN_SECONDS: Final = 10.0
"""Real time until the worker has written what it has seen, after its run has ended."""
FIRST_RUNS: Final = 3
"""An environment of the former program may still take the first message."""
DELIVERIES: Final = 5
"""`maxReceiveCount` of the runs queue."""


@contextmanager
def faulty_worker(
    stack: StackFile, aws: EmbeddedAws, defects: Defects, folder: Path
) -> Iterator[None]:
    """Let the worker run as the program `faulty_worker.py`, with these defects.

    The queue delivers the message of a failed invocation again after a second.
    """
    variables = {
        "PYTHONPATH": str(REPOSITORY),  # the program is not in the deployed package
        VARIABLE: str(defects.write(folder / "defects.json")),
    }
    handler = f"{Defects.__module__}.handler"
    with (
        short_visibility(stack, aws),
        changed_worker(stack, aws, variables, handler=handler),
    ):
        yield


def person(number: int) -> str:
    """Return the text that all data of a person contain."""
    return f"p{number:03d}x"


def email(name: str) -> str:
    return f"{name}@example.org"


def log(commands: StackCommands, event: str, **fields: object) -> list[dict[str, Any]]:
    """Return the log lines of an event with these fields."""
    text = commands.background.log(AWS).read_text(encoding="utf-8")
    lines = [line[line.index("{") :] for line in text.splitlines() if f'"{event}"' in line]
    found = [json.loads(line) for line in lines]
    return [
        line
        for line in found
        if line["message"] == event and all(line.get(name) == fields[name] for name in fields)
    ]


class People:
    """People of the two systems, who have not met."""

    def __init__(self, sales: SalesPerson, marketing: Marketer, first: int, number: int) -> None:
        names = [person(first + n) for n in range(2 * number)]
        self.in_plezi, self.in_salesforce = names[:number], names[number:]
        self.ids: dict[str, str] = {}
        for name in self.in_plezi:
            attributes = {"last_name": f"{name} Doe", "phone": f"1 {name}", "function": "CMO"}
            self.ids[marketing.add(email=email(name), **attributes)] = name
        for name in self.in_salesforce:
            fields = {"LastName": f"{name} Doe", "Company": f"{name} SA", "Phone": f"2 {name}"}
            self.ids[sales.add("Lead", Email=email(name), **fields)] = name


def spread(steps: Sequence[Step], number: int) -> list[Step]:
    """Return some of the steps, at equal distances."""
    assert len(steps) >= number
    return [steps[n * len(steps) // number] for n in range(number)]


def steps_of(seen: Seen, names: Sequence[str]) -> list[Step]:
    """Return the steps that were made for each of these people alone, and that can fail.

    The component test of isolation has the steps after which a link is only logged too.
    """
    only_logged = (*UNKEYED, *STORING)
    return sorted(
        step
        for step, people in seen.reached.items()
        if set(names) <= people
        and step.function not in NOT_STEPS
        and not step.caller.startswith(tuple(OTHER_CALLERS))
        and not step.function.startswith(only_logged)
        and not step.caller.startswith(only_logged)
    )


def test_an_error_in_any_step_of_a_person_stops_nobody_else(
    stack: StackFile,
    aws: EmbeddedAws,
    commands: StackCommands,
    sales: SalesPerson,
    marketing: Marketer,
    ops: Operator,
    tmp_path: Path,
) -> None:
    observed = People(sales, marketing, 0, OBSERVED)
    file = tmp_path / "seen.json"
    with faulty_worker(stack, aws, Defects(people=observed.ids, seen=str(file)), tmp_path):
        for _ in range(FIRST_RUNS):
            assert ops.fire_schedule()["state"] == "done"
            if file.exists():
                break
    seen = Seen.read(file)
    people = People(sales, marketing, 100, VICTIMS + BYSTANDERS)
    faults: dict[str, tuple[str, str]] = {}
    for names, before in (
        (people.in_plezi, observed.in_plezi),
        (people.in_salesforce, observed.in_salesforce),
    ):
        steps = spread(steps_of(seen, before), VICTIMS)
        faults |= {
            name: (step.function, step.caller) for name, step in zip(names, steps, strict=False)
        }

    file = tmp_path / "seen with faults.json"
    defects = Defects(people=people.ids, steps=faults, seen=str(file))
    with faulty_worker(stack, aws, defects, tmp_path):
        for _ in range(FIRST_RUNS):  # of somebody who is synchronized already
            ops.request_run(kind="selected", emails=[email(observed.in_plezi[0])])
            if file.exists():
                break
        run = ops.fire_schedule()
        # The change of the program ends an invocation that has stored the end of the run already.
        last = time.monotonic() + WRITTEN_SECONDS
        while Seen.read(file).hits != faults.keys() and time.monotonic() < last:
            time.sleep(PAUSE_SECONDS)

    assert run["state"] == "done", run["message"]
    assert Seen.read(file).hits == faults.keys()
    contacts, leads = marketing.contacts(), sales.emails_of_leads("p%@example.org")
    for name in {*people.in_plezi, *people.in_salesforce} - faults.keys():
        assert email(name) in contacts.keys() & leads, name
    queue = ops.admin("GET", "/admin/attention", kind="quarantine", limit="100")["people"]
    codes = {item["email"]: item["quarantine"]["code"] for item in queue}
    for name, step in faults.items():
        assert codes.get(email(name)) == "defect", step
        in_log = ops.admin("GET", f"/admin/contacts/{email(name)}")["log_name"]
        failed = log(commands, "link_failed", run_id=run["run_id"], link=in_log)
        assert failed, step
    assert ops.dead_letters() == 0
    # When the defect is corrected, a retry of the quarantine synchronizes them all.
    with changed_worker(stack, aws, {"WORKER_TIMEOUT_SECONDS": str(ABANDONED_SECONDS)}):
        assert missing_after_retries(ops, sales, marketing, map(email, faults)) == set()


def missing_after_retries(
    ops: Operator, sales: SalesPerson, marketing: Marketer, emails: Iterable[str]
) -> set[str]:
    """Retry the quarantine until the people are in both systems; return who never is.

    Writes that were in flight when a step failed are recovered once their worker counts as dead.
    """
    expected, last = set(emails), time.monotonic() + RECOVERY_SECONDS
    while True:
        retried = ops.admin("POST", "/admin/attention/quarantine")["run_id"]
        run = ops.wait(retried) if retried else ops.fire_schedule()
        assert run["state"] == "done", run["message"]
        arrived = marketing.contacts().keys() & sales.emails_of_leads("p%@example.org")
        if expected <= arrived or time.monotonic() > last:
            return expected - arrived
        time.sleep(PAUSE_SECONDS)


def test_a_run_whose_invocations_all_fail_ends_failed_and_everything_tells_the_cause(
    stack: StackFile, aws: EmbeddedAws, commands: StackCommands, ops: Operator, tmp_path: Path
) -> None:
    ops.fire_schedule()
    on_call = OnCall(stack)
    on_call.new_alerts()
    dead_before = ops.dead_letters()

    with faulty_worker(stack, aws, Defects(every_run=True), tmp_path):
        run = ops.fire_schedule()
        [alert] = on_call.new_alerts(at_least=1)  # it is sent after the end of the run is stored

    cause = f"ClientError {CODE} {OPERATION}"
    assert (run["state"], run["reason"]) == ("failed", "defect")
    assert cause in run["message"]
    listed = ops.admin("GET", "/admin/runs")["runs"][0]
    assert (listed["run_id"], listed["message"]) == (run["run_id"], run["message"])
    assert ops.admin("GET", "/admin/status")["last_run"]["message"] == run["message"]
    assert cause in alert.text
    lines = log(commands, "run_failed", run_id=run["run_id"])
    assert [(line["aws_code"], line["aws_operation"]) for line in lines] == [
        (CODE, OPERATION)
    ] * DELIVERIES
    assert PRIVATE not in commands.background.log(AWS).read_text(encoding="utf-8")
    assert PRIVATE not in run["message"] + alert.text
    # The next run works, and the failed one stays failed.
    assert ops.fire_schedule()["state"] == "done"
    assert ops.admin("GET", f"/admin/runs/{run['run_id']}")["state"] == "failed"
    # The queue moves the message after its last delivery; the alarm of the queue points to the log.
    assert ops.dead_letters() <= dead_before + 1
