"""The set-up guide: each step from credentials to the start, with its state and what to do next.

A console and the command line show the same data. The guide logs in to neither system before a
check has accepted the credentials that are in use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from connector.admin.connection_check import LastCheck, load_last_check
from connector.admin.context import AdminContext
from connector.admin.plezi_probe import dialect_view
from connector.connection_report import Grade
from connector.described_enum import DescribedEnum
from connector.errors import ConnectorError
from connector.mapping.connector_fields import required_fields
from connector.mapping.validation import validate_freshly
from connector.model import Run, RunKind, RunState, Side
from connector.secret_version import SecretState
from connector.setup_report import FieldReport, FieldState

RECENT_RUNS: Final = 100
"""The newest runs in which a preview, or a run that proves the credentials, is looked for."""
SECRET_NAMES: Final = {Side.SALESFORCE: "salesforce", Side.PLEZI: "plezi"}
"""The name of each secret in the command `plezi-sync connect set`, the more difficult one first."""
CREATABLE: Final = frozenset(FieldState) - {FieldState.PRESENT, FieldState.WRONG_TYPE}
"""States that the creation of fields, and of access to them, corrects."""
IN_PROGRESS: Final = frozenset({RunState.REQUESTED, RunState.RUNNING})
CHECK_COMMAND: Final = "plezi-sync connect check"
PROOFS: Final = frozenset({"login", "api", "plezi"})
"""Findings without which a check proves nothing; others may stay unknown."""

LIMITS: Final = frozenset({"accounts", "sharing", "record_type"})
"""Findings that do not prevent a run, and may keep people or some of their values out of it."""


class GuideStepName(DescribedEnum):
    """The steps of the set-up, in their order."""

    CONNECT = "connect", "The credentials of both systems are in their secrets."
    CHECK = "check", "Both systems accept the credentials, and a run can work with them."
    FIELDS = "fields", "Salesforce has the fields that the product needs, and the user sees them."
    MAPPING = "mapping", "Every pair of the mapping fits the fields of both systems."
    PREVIEW = "preview", "A dry run of everybody shows what the first run will do."
    START = "start", "Synchronization is enabled."


class GuideStepState(DescribedEnum):
    """The state of a step."""

    DONE = "done", "Nothing is left to do."
    TO_DO = "to_do", "The command can be run now."
    BLOCKED = (
        "blocked",
        "An earlier step, or something outside that the reason names, must be corrected first.",
    )


@dataclass(frozen=True, slots=True)
class GuideStep:
    """One step: its state, the reason in a sentence, and the remedy ('' where none is needed).

    `command` is what to run next for this step ('': nothing). `notes` do not prevent anything:
    each is a sentence with its own command.
    """

    name: GuideStepName
    title: str
    state: GuideStepState
    reason: str
    remedy: str = ""
    command: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetupGuide:
    """All steps in order; `next` is the first one that is not done ('': all are)."""

    steps: tuple[GuideStep, ...]
    next: str


def show_setup(context: AdminContext) -> SetupGuide:
    """Return the state of every step; a step behind one that is not done is blocked by it.

    Two steps are done whatever is before them: the preview once the mapping was applied to all
    people, and the start once synchronization is enabled. An error of a system is the reason of its
    step. Raises `RetryError` when a secret or the ledger cannot be read now.
    """
    facts = _Facts(context, tuple(context.runs.list_runs(limit=RECENT_RUNS)))
    steps: list[GuideStep] = []
    for name, look, is_done in (
        (GuideStepName.CONNECT, _connect, False),
        (GuideStepName.CHECK, _check, False),
        (GuideStepName.FIELDS, _fields, False),
        (GuideStepName.MAPPING, _mapping, False),
        (GuideStepName.PREVIEW, _preview, context.control.applied_version() is not None),
        (GuideStepName.START, _start, context.control.is_enabled()),
    ):
        before = next((step for step in steps if step.state is not GuideStepState.DONE), None)
        if before is not None and not is_done:
            steps.append(_blocked_by(name, before))
            continue
        try:
            steps.append(look(facts))
        except ConnectorError as error:
            steps.append(_failed(name, error))
    left = (step.name.value for step in steps if step.state is not GuideStepState.DONE)
    return SetupGuide(tuple(steps), next(left, ""))


@dataclass(frozen=True, slots=True)
class _Facts:
    context: AdminContext
    runs: tuple[Run, ...]

    def newest(self, found: Callable[[Run], bool]) -> Run | None:
        """Return the newest run of all people, with the saved mapping, that is found."""
        of_everybody = (run for run in self.runs if not (run.emails or run.draft or run.undo))
        return next((run for run in of_everybody if found(run)), None)


def _connect(facts: _Facts) -> GuideStep:
    name = GuideStepName.CONNECT
    states = facts.context.secret_states()
    for side, secret in SECRET_NAMES.items():
        if states[side].problem:
            remedy = f"put the credentials of {secret.capitalize()} in its secret"
            return _to_do(name, states[side].problem, f"plezi-sync connect set {secret}", remedy)
    return _done(name, "The credentials of both systems are in their secrets.")


def _check(facts: _Facts) -> GuideStep:
    name, context = GuideStepName.CHECK, facts.context
    dialect = dialect_view(context)
    if dialect is not None and dialect.refusal:
        return _blocked(name, dialect.refusal, "plezi-sync probe")
    notes: tuple[str, ...] = ()
    if dialect is None:
        probe = "plezi-sync probe --contact THROWAWAY_EMAIL"
        notes = (f"No probe has shown what the API of this Plezi tenant is like: {probe}",)
    states = context.secret_states()
    last = load_last_check(context.documents)
    if last is None or dict(last.versions) != {side: states[side].version for side in Side}:
        if _proved_by_run(facts, states):
            return _done(name, "A run with these credentials is complete.", notes)
        reason = "The credentials are new" if last else "No check was made"
        return _to_do(name, f"{reason}: nothing shows yet that they work.", CHECK_COMMAND)
    return _checked(last, notes)


def _checked(last: LastCheck, notes: tuple[str, ...]) -> GuideStep:
    name = GuideStepName.CHECK
    failed = [finding for finding in last.findings if finding.grade is Grade.FAILED]
    if failed:
        causes = [finding.causes[0] for finding in failed if finding.causes]
        reason = " ".join(finding.message for finding in failed)
        return _blocked(name, reason, CHECK_COMMAND, "; ".join(causes))
    unknown = [
        finding
        for finding in last.findings
        if finding.name in PROOFS and finding.grade is Grade.UNKNOWN
    ]
    if unknown:
        return _to_do(name, " ".join(finding.message for finding in unknown), CHECK_COMMAND)
    limits = tuple(
        f"{finding.message} Remedy: {'; '.join(finding.causes)}"
        for finding in last.findings
        if finding.name in LIMITS
    )
    return _done(name, "Both systems accept the credentials.", (*notes, *limits))


def _proved_by_run(facts: _Facts, states: Mapping[Side, SecretState]) -> bool:
    """Return whether a run of all people began after both secrets were put, and is complete."""
    since = [states[side].created_at for side in Side]
    if not all(since):
        return False
    is_proof = facts.newest(lambda run: run.state is RunState.DONE and run.started_at > max(since))
    return is_proof is not None


def _fields(facts: _Facts) -> GuideStep:
    name = GuideStepName.FIELDS
    reports = _inspect(facts.context)
    wrong = [report for report in reports if report.state is FieldState.WRONG_TYPE]
    lacking = [report for report in reports if report.state in CREATABLE]
    if wrong:
        return _blocked(name, _listed(wrong), "plezi-sync setup fields", wrong[0].remedy)
    if lacking:
        remedy = "let the set-up create them, or create and grant them by hand in Setup"
        return _to_do(name, _listed(lacking), "plezi-sync setup fields --create", remedy)
    note = (
        "Sales sees a new field only with access to it, and on the page layout "
        "(docs/salesforce-setup.md)"
    )
    return _done(name, "Salesforce has every field that the product needs.", (note,))


def _inspect(context: AdminContext) -> tuple[FieldReport, ...]:
    """Return the report of each field; where one is lacking, after a fresh description."""
    sides = context.sides()
    needed = required_fields(context.mappings.current())
    reports = sides.setup.inspect(needed, sides.schemas())
    if all(report.state is FieldState.PRESENT for report in reports):
        return reports
    sides.invalidate_schemas()
    return sides.setup.inspect(needed, sides.schemas())


def _listed(reports: list[FieldReport]) -> str:
    texts = (
        f"{report.object}.{report.name} is {report.state.value.replace('_', ' ')}"
        + (f" ({report.remedy})" if report.remedy else "")
        for report in reports
    )
    return "; ".join(texts) + "."


def _mapping(facts: _Facts) -> GuideStep:
    name, context = GuideStepName.MAPPING, facts.context
    mapping, sides = context.mappings.current(), context.sides()
    validation = validate_freshly(mapping, sides.schemas, sides.invalidate_schemas)
    if validation.problems:
        reason = "; ".join(f"{issue.pair}: {issue.message}" for issue in validation.problems)
        return _to_do(name, reason, "plezi-sync mapping edit", validation.problems[0].remedy)
    warnings = tuple(
        f"{issue.pair}: {issue.message}. Remedy: {issue.remedy}" for issue in validation.warnings
    )
    saved = f"Version {mapping.version}" if mapping.version else "The mapping as shipped"
    return _done(name, f"{saved} fits the fields of both systems.", warnings)


def _preview(facts: _Facts) -> GuideStep:
    name, version = GuideStepName.PREVIEW, facts.context.mappings.current().version
    if facts.context.control.applied_version() is not None:
        return _done(name, "The mapping was applied to all people by a run.")
    run = facts.newest(
        lambda run: (
            run.kind is RunKind.DRY_RUN
            and (run.mapping_version == version or run.state in IN_PROGRESS)
        )
    )
    if run is None:
        return _to_do(name, f"No dry run of version {version} was made.", "plezi-sync preview")
    show = f"plezi-sync preview --run {run.id}"
    match run.state:
        case RunState.DONE:
            return _done(name, f"The dry run {run.id} shows it: {show}")
        case state if state in IN_PROGRESS:
            return _to_do(name, f"The dry run {run.id} is in progress.", show)
    return _to_do(name, f"The dry run {run.id} did not end: {run.message}", "plezi-sync preview")


def _start(facts: _Facts) -> GuideStep:
    name, breaker = GuideStepName.START, facts.context.control.breaker()
    if breaker is not None:
        return _blocked(name, f"No run starts: {breaker.message}", "plezi-sync breaker")
    if not facts.context.control.is_enabled():
        remedy = (
            "switch Plezi's built-in connector off first (two connectors would write the same "
            "Leads), then enable synchronization"
        )
        return _to_do(name, "Synchronization is not enabled.", "plezi-sync start", remedy)
    writing = frozenset(RunKind) - {RunKind.DRY_RUN, RunKind.VERIFY}
    first = facts.newest(lambda run: run.kind in writing and run.state is RunState.DONE)
    notes = () if first else ("No run is complete yet: plezi-sync sync --wait",)
    return _done(name, "Synchronization is enabled.", notes)


def _done(name: GuideStepName, reason: str, notes: tuple[str, ...] = ()) -> GuideStep:
    return GuideStep(name, name.description, GuideStepState.DONE, reason, notes=notes)


def _to_do(name: GuideStepName, reason: str, command: str, remedy: str = "") -> GuideStep:
    return GuideStep(name, name.description, GuideStepState.TO_DO, reason, remedy, command)


def _blocked(name: GuideStepName, reason: str, command: str, remedy: str = "") -> GuideStep:
    return GuideStep(name, name.description, GuideStepState.BLOCKED, reason, remedy, command)


def _blocked_by(name: GuideStepName, before: GuideStep) -> GuideStep:
    return _blocked(name, f"The step {before.name.value} is not done.", before.command)


def _failed(name: GuideStepName, error: ConnectorError) -> GuideStep:
    """Return the step that a system does not let us look at: its message names the remedy."""
    return _blocked(name, str(error), CHECK_COMMAND)
