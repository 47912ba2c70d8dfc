"""The probe of one tenant: its steps in order, each stored when it is done.

An invocation makes as many steps as its time allows; the next one goes on with the step that was
not done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, Final

from connector.deadline import DeadlineError
from connector.errors import ConnectorError, HaltError, RetryError, StaleError, describe_defect
from connector.plezi.api import PleziApi, TooManyRequestsError
from connector.plezi.api_dialect import UpdateMethod
from connector.plezi.probe import contact_steps, list_steps, write_steps
from connector.plezi.probe.answers import TenantCalls
from connector.plezi.probe.clean_up import clean_up
from connector.plezi.probe.conclusions import (
    changed_keys,
    found_dialect,
    keep_former_findings,
    record_pace,
)
from connector.plezi.probe.context import ProbeContext, TenantNotUsableError
from connector.plezi.probe.evidence import Evidence
from connector.plezi.rate_limiter import NoSlotError
from connector.probe_report import (
    PROBE_KEY,
    Certainty,
    ProbeFinding,
    ProbeRefusal,
    ProbeReport,
    ProbeState,
    load_found_dialect,
    load_probe,
    save_found_dialect,
    save_probe,
)
from connector.stores import DocumentStore

Step = Callable[[ProbeContext], None]

ACCESS: Final = "access"
THROWAWAY: Final = "throwaway"
READING: Final[Mapping[str, Step]] = {
    ACCESS: list_steps.check_access,
    "headers": list_steps.check_headers,
    "pager": list_steps.find_pager,
    "page_size": list_steps.find_page_size,
    "attribute_call": contact_steps.describe_attributes,
    "contacts": contact_steps.compare_contacts,
    "order": list_steps.find_order,
    "changed_since": list_steps.find_filter,
    "email_filter": list_steps.find_email_filter,
    "read_by_id": contact_steps.read_by_id,
    "totals": list_steps.check_totals,
}
WRITING: Final[Mapping[str, Step]] = {
    THROWAWAY: write_steps.find_throwaway,
    "create": write_steps.create,
    "read_lag": write_steps.check_visibility,
    **{
        f"{name}_again": partial(write_steps.ask_again, step=READING[name])
        for name in ("pager", "contacts", "changed_since", "email_filter", "read_by_id")
    },
    "put": partial(write_steps.check_method, method=UpdateMethod.PUT),
    "patch": partial(write_steps.check_method, method=UpdateMethod.PATCH),
    "post": partial(write_steps.check_method, method=UpdateMethod.POST_UPSERT),
    "update_method": write_steps.conclude_methods,
    "blanks_written": write_steps.check_blanks,
    "unchanged_write": write_steps.check_unchanged_write,
    "lists": write_steps.check_lists,
    "clean_up": clean_up,
}
MAX_FAILURES: Final = 2
"""Invocations in which a step may fail; then its question stays open, and the next one is asked."""
MAX_SECONDS: Final = 3600.0
"""Seconds after which an unfinished probe is begun again: the tenant may have changed."""


@dataclass(slots=True)
class _Progress:
    """What was done and found so far, as JSON in the ledger."""

    done: list[str]
    failures: dict[str, int]
    evidence: Evidence

    def stored(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> _Progress:
        evidence = stored["evidence"]
        findings = {
            name: ProbeFinding(name, Certainty(each["certainty"]), each["message"])
            for name, each in evidence["findings"].items()
        }
        refusals = {key: ProbeRefusal(**each) for key, each in evidence["refusals"].items()}
        return cls(
            list(stored["done"]),
            dict(stored["failures"]),
            Evidence(**{**evidence, "findings": findings, "refusals": refusals}),
        )


class Probe:
    """Probes the tenant of the secret. `pause` waits for seconds, within the deadline.

    `key` is where the probe is stored. What is found is in use when the probe is done, unless it
    is a check (`CHECK_KEY`): an admin decides whether a change of the API is used.
    """

    def __init__(
        self,
        api: PleziApi,
        store: DocumentStore,
        clock: Callable[[], float],
        pause: Callable[[float], None],
        key: str = PROBE_KEY,
    ) -> None:
        self._key = key
        self._api = api
        self._store = store
        self._clock = clock
        self._pause = pause

    def run(self, contact: str = "", *, may_exist: bool = False) -> ProbeReport:
        """Go on with the probe, or begin one; return its report, which may be `running` still.

        `contact` is the e-mail of a throwaway contact for the writing part ('': nothing is
        written), `may_exist` says that it may exist and be overwritten. Raises `StaleError` if it
        exists although it may not: nothing is written then. Raises `RetryError` while Plezi does
        not answer, and `HaltError` for a secret that cannot be used; what was found is kept.
        """
        tenant = self._api.tenant
        stored = load_probe(self._store, self._key)
        if stored is not None and self._is_unfinished(stored[0], tenant, contact):
            report, progress = stored[0], _Progress.of(stored[1])
        else:
            report = ProbeReport(tenant, self._clock(), contact)
            progress = _Progress([], {}, Evidence(contact))
            former = stored[0] if stored is not None and not contact else None
            is_same = former is not None and former.tenant.casefold() == tenant.casefold()
            keep_former_findings(progress.evidence, former if is_same else None)
        progress.evidence.may_exist = may_exist
        calls = TenantCalls(self._api, self._clock)
        context = ProbeContext(calls, progress.evidence, self._clock, self._pause)
        return _Invocation(self._store, context, report, progress, self._key).work()

    def _is_unfinished(self, report: ProbeReport, tenant: str, contact: str) -> bool:
        is_same = (report.tenant, report.contact) == (tenant, contact)
        age = self._clock() - report.started_at
        return is_same and report.state is ProbeState.RUNNING and 0 <= age <= MAX_SECONDS


class _Invocation:
    """The steps that one invocation makes."""

    def __init__(
        self,
        store: DocumentStore,
        context: ProbeContext,
        report: ProbeReport,
        progress: _Progress,
        key: str,
    ) -> None:
        self._key = key
        self._store = store
        self._context = context
        self._report = report
        self._progress = progress
        self._steps = {**READING, **(WRITING if report.contact else {})}
        self._calls_before = report.calls
        self._refusals_before = progress.evidence.facts.get("rate_refusals", 0)

    def work(self) -> ProbeReport:
        """Make the steps that are left, as far as the time allows; return the report so far."""
        left = [name for name in self._steps if name not in self._progress.done]
        for name in left:
            try:
                self._make(name)
            except DeadlineError:
                # A step that has the time of a whole invocation, and needs more, is left open.
                if name == left[0] and self._is_given_up(name):
                    self._leave_open(name, "the tenant answers too slowly")
                return self._save()
            except TenantNotUsableError as error:
                now = self._context.clock()
                return self._save(state=ProbeState.FAILED, message=str(error), ended_at=now)
            except ConnectorError:
                self._save()
                raise
            self._finish(name)
            self._save()
        return self._conclude()

    def _make(self, name: str) -> None:
        """Make one step; what concerns only its question leaves this question open."""
        try:
            self._steps[name](self._context)
        except (DeadlineError, TenantNotUsableError, HaltError, NoSlotError, TooManyRequestsError):
            raise
        except RetryError as error:
            if name == ACCESS or not self._is_given_up(name):
                raise
            self._leave_open(name, str(error))
        except StaleError as error:
            if name == THROWAWAY:
                raise
            self._leave_open(name, str(error))
        except ConnectorError:
            raise
        except Exception as error:  # noqa: BLE001  # an answer of any form; the others are asked
            self._leave_open(name, describe_defect(error))

    def _is_given_up(self, name: str) -> bool:
        """Count a failure of a step; return whether it has failed too often."""
        failures = self._progress.failures
        failures[name] = failures.get(name, 0) + 1
        return failures[name] >= MAX_FAILURES

    def _leave_open(self, name: str, why: str) -> None:
        self._progress.evidence.assume(name, f"it could not be asked: {why}")
        self._finish(name)

    def _finish(self, name: str) -> None:
        if name not in self._progress.done:
            self._progress.done.append(name)

    def _conclude(self) -> ProbeReport:
        evidence, now = self._progress.evidence, self._context.clock()
        self._save()
        record_pace(evidence, self._context.calls)
        tenant = self._report.tenant
        former = load_found_dialect(self._store, tenant)
        found = found_dialect(evidence, former, tenant, now)
        if self._key == PROBE_KEY:
            save_found_dialect(self._store, found)
        return self._save(
            state=ProbeState.DONE,
            ended_at=now,
            dialect=found.keys,
            refusals=found.refusals,
            changed=changed_keys(former, found),
        )

    def _save(self, **changes: Any) -> ProbeReport:  # noqa: ANN401  # members of the report
        """Store the progress with the report so far, and return the report."""
        evidence, calls = self._progress.evidence, self._context.calls
        evidence.facts["rate_refusals"] = self._refusals_before + calls.rate_refusals
        evidence.facts["rate_headers"] = sorted(
            {*evidence.facts.get("rate_headers", ()), *calls.rate_headers}
        )
        self._report = replace(
            self._report,
            **{
                "calls": self._calls_before + calls.number,
                "steps_left": len(self._steps.keys() - set(self._progress.done)),
                "findings": tuple(evidence.findings.values()),
                "dialect": dict(evidence.found),
                "refusals": tuple(evidence.refusals.values()),
                "left_behind": tuple(evidence.left_behind),
                **changes,
            },
        )
        save_probe(self._store, self._report, self._progress.stored(), self._key)
        return self._report
