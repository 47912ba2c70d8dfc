"""The faults and the invariants: the tables of docs/reliability.md are generated from here."""
# ruff: noqa: E501  # a row of a table is one line

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from local.world.fault_injector import PUT_REFUSED
from tests.simulation.history import excuses
from tests.simulation.history.events import (
    DECISIONS,
    MAPPING_CHANGES,
    SCHEMA_CHANGES,
    USER_ACTIONS,
)
from tests.simulation.history.fields import Kind

HISTORIES, MODEL, NONE = "histories", "model", ""


@dataclass(frozen=True, slots=True)
class Row:
    """One fault or invariant: where it is injected or checked, and the expected behaviour.

    `where` is `histories`, `model`, or the test that shows it (`folder/file.py::name`). It is '' if
    the row is not simulated; `expected` is then the reason. `counters` are the names under which
    histories count it.
    """

    number: int
    name: str
    where: str
    expected: str
    counters: tuple[str, ...] = ()

    @property
    def is_test(self) -> bool:
        """Whether a single test shows it."""
        return "::" in self.where


FAULTS: Final = (
    Row(1, "session expires during a run", HISTORIES, "one new login; no write happens twice",
        ("1 session expired", "salesforce session_expired")),
    Row(2, "password reset", HISTORIES, "one login, then the breaker opens; a new secret closes it",
        ("2 password reset",)),
    Row(3, "grant revoked", "component/test_logins.py::test_each_refusal_has_its_own_causes_and_opens_the_breaker", "as 2, with its own cause"),
    Row(4, "API limit", HISTORIES, "the run ends; the next run continues", ("salesforce quota_exceeded",)),
    Row(5, "5xx, reset, HTML instead of JSON", HISTORIES, "reads are repeated, writes are recovered",
        ("salesforce server_unavailable", "salesforce server_error",
         "salesforce connection_reset", "salesforce unavailable_page", "salesforce edge_page")),
    Row(6, "time-out after a creation", HISTORIES, "one record",
        ("salesforce timeout_after_commit", "plezi timeout_after", "plezi reset_after",
         "plezi empty_body")),
    Row(7, "time-out after an update", HISTORIES, "recognized as our own write",
        ("salesforce reset_after_commit", "plezi reset_after")),
    Row(8, "mixed results of a collection", HISTORIES, "matched by position",
        ("salesforce record_error", "salesforce lock_row")),
    Row(9, "locked row", HISTORIES, "tried again; other records continue", ("salesforce lock_row",)),
    Row(10, "validation rule", HISTORIES, "in quarantine with its code",
        ("10 validation rule", "salesforce record_error")),
    Row(11, "duplicate rule", HISTORIES, "in quarantine", ("salesforce record_error",)),
    Row(12, "automation replaces our value", HISTORIES, "the new value is synchronized", ("12 automation",)),
    Row(13, "automations that revert each other", "component/test_faults.py::test_automations_that_revert_each_other_are_held_and_other_fields_are_synchronized", "held as a write loop"),
    Row(14, "long transaction", HISTORIES, "read after its commit", ("14 long transaction",)),
    Row(15, "equal timestamps across a page", HISTORIES, "no record is missed (pages of one row)",
        ("salesforce short_page",)),
    Row(16, "page cursor expired, short page", HISTORIES, "resumes after the last row",
        ("salesforce cursor_expired", "salesforce short_page")),
    Row(17, "rows move between pages", HISTORIES, "no row is missed (users edit during runs)"),
    Row(18, "replication window refused", NONE, "only latestDateCovered of the last hour is used"),
    Row(19, "delete log purged", NONE, "the delete log is not used: queryAll is"),
    Row(20, "deleted, undeleted", HISTORIES, "the other side is not deleted; an undeleted record continues"),
    Row(21, "converted during a run", HISTORIES, "the Contact continues; the Lead is never written"),
    Row(22, "merged", HISTORIES, "the winner continues"),
    Row(23, "e-mail changed, swapped or cleared", HISTORIES, "the link follows, or is held; no value reaches another person; cleared and set again: in the model too",
        ("23 e-mail changed", "act clear_email")),
    Row(24, "field deleted, hidden, renamed or retyped", HISTORIES, "the pair is suspended while it does not work; other pairs continue; nothing is emptied",
        ("24 field withdrawn or changed",)),
    Row(25, "timestamps move without a change", HISTORIES, "0 writes (unmapped fields are edited)"),
    Row(26, "bulk job fails", NONE, "the Bulk API is not used"),
    Row(27, "bulk CSV quoting", NONE, "the Bulk API is not used"),
    Row(28, "instance moves, maintenance page", "unit/connector/test_hosts.py::test_a_token_is_never_sent_to_an_instance_outside_of_salesforce", "only allowed hosts receive a token"),
    Row(29, "sandbox refreshed", NONE, "the simulation has one org, which is never refreshed"),
    Row(30, "Salesforce's clock is wrong", HISTORIES, "no edit is lost", ("salesforce clock_skew",)),
    Row(31, "429 with and without Retry-After", HISTORIES, "waits, then tries again", ("plezi http_429",)),
    Row(32, "list parameters are ignored", HISTORIES, "every contact is read", ("tenant {'changed_since': 'ignored'}",
        "tenant {'changed_since': 'absent'}",
        "tenant {'changed_since': 'absent', 'sort': 'ignored'}",
        "tenant {'page_size_cap': 2, 'total_results': 'low'}")),
    Row(33, "a page lacks rows, rows move", HISTORIES, "a page with fewer rows than the list states is read again; absence never means deletion",
        ("plezi truncated_page",)),
    Row(34, "updated_at missing or unchanged", HISTORIES, "changes are detected by value",
        ("tenant {'updated_at': 'missing'}", "tenant {'unchanged_write': 'moves_updated_at'}")),
    Row(35, "creation with a known e-mail", HISTORIES, "one contact, in upper or lower case",
        ("tenant {'known_email': 'conflict'}",
         "tenant {'email_filter': 'absent', 'known_email': 'conflict_409'}")),
    Row(36, "stale reads", HISTORIES, "no false conflict",
        ("plezi stale", "tenant {'read_lag_seconds': 5.0}")),
    Row(37, "null, missing, text instead of number", HISTORIES, "accepted when read",
        ("tenant {'empty_values': 'omitted'}",)),
    Row(38, "score or state out of range", "component/test_main_job.py::test_a_score_out_of_range_and_an_unknown_state_are_written_unchanged", "synchronized without change"),
    Row(39, "Plezi is unavailable", HISTORIES, "the run fails without damage", ("plezi http_503", "plezi http_500")),
    Row(40, "schedule late or missing", HISTORIES, "the next run covers the gap"),
    Row(41, "schedule, user and form at once", HISTORIES, "each waits for the intents of the others",
        ("41 overlapping processes", "hint")),
    Row(42, "message duplicated or late", HISTORIES, "no effect", ("42 duplicate message",)),
    Row(43, "process crashes at any step", HISTORIES, "no edit is lost", ("43 process crash",)),
    Row(44, "killed by the time-out", "e2e/test_killed_worker.py::test_a_worker_that_is_killed_repeatedly_ends_with_the_same_data_as_an_uninterrupted_one", "the next run continues"),
    Row(45, "frozen process continues late", HISTORIES, "its puts are refused; later than the worker's "
        "time-out: not simulated, AWS has killed it by then", ("41 overlapping processes",)),
    Row(46, "our clock jumps", HISTORIES, "an hour ahead or behind: no edit is lost",
        ("46 clock jump",)),
    Row(47, "DynamoDB throttles, condition failed", "component/test_aws_faults.py::test_a_link_is_stored_when_the_table_is_available_again", "refused links are reported, others are stored"),
    Row(48, "table restored to an older point", HISTORIES, "replaced by an empty ledger, as "
        "docs/operations.md requires: records match for the first time; an older copy is not used", ("48 ledger lost",)),
    Row(49, "S3 shard lost", NONE, "S3 is not used"),
    Row(50, "Secrets Manager unavailable",
        "component/test_aws_faults.py::test_the_cached_version_stays_in_use",
        "the cached secret is used until a side refuses it"),
    Row(51, "rotation interrupted", "component/test_rotation.py::test_a_rotation_killed_at_any_call_is_finished_by_the_next_one", "the old or the new secret works"),
    Row(52, "permission missing",
        "component/test_aws_faults.py::test_a_function_without_permission_does_not_use_the_cached_version",
        "fails closed; IAM itself is not simulated"),
    Row(53, "dead letters", "template/test_alarm_rules.py::test_every_dead_letter_queue_has_an_alarm",
        "an alarm; a redriven message has the effect of a late message (42)"),
    Row(54, "message that always fails",
        "component/test_form_consumer.py::test_each_failed_hint_is_delivered_again",
        "only it is delivered again, then it is a dead letter; a run's message carries no data"),
    Row(55, "disk full, memory short", NONE, "nothing is written to a disk; `make bench` measures "
        "that memory is flat"),
    Row(56, "deployment during a run", NONE, "no stack with an older schema was deployed; every "
        "stored item has a schema number"),
    Row(57, "two tenants in one process", NONE, "one stack serves one tenant"),
    Row(58, "forged or repeated push", "component/test_form_receiver.py::test_a_replay_is_refused_and_has_no_effect", "refused, or no effect"),
    Row(59, "hostile bodies", "component/test_form_receiver.py::test_a_refused_request_changes_no_table", "refused"),
    Row(60, "flood of forms",
        "template/test_house_rules.py::test_the_api_is_throttled_and_logs_no_body",
        "throttled by API Gateway, which is not simulated"),
    Row(61, "form before its contact is visible", "component/test_form_consumer.py::test_a_contact_that_stays_invisible_is_left_to_the_schedule_after_three_retries", "tried later"),
    Row(62, "queue unavailable",
        "component/test_form_receiver.py::"
        "test_an_unavailable_queue_is_a_503_and_the_next_try_sends_the_hint",
        "503 to the sender; its next try is accepted"),
    Row(63, "hostile configuration", "unit/connector/test_host_bypasses.py::test_a_host_that_only_looks_like_salesforce_s_is_refused", "refused when saved"),
    Row(64, "mapping saved during a run", HISTORIES, "the run keeps its version",
        ("64 mapping saved",)),
)  # fmt: skip

INVARIANTS: Final = (
    Row(1, "convergence", HISTORIES, "both sides are equal at the end", ("1 convergence",)),
    Row(2, "quiescence", HISTORIES, "without new input, a run changes nothing", ("2 quiescence",)),
    Row(3, "termination", HISTORIES, "a run has a bounded number of invocations"),
    Row(4, "no echo", HISTORIES, "without new input, a run changes nothing", ("2 quiescence",)),
    Row(5, "idempotence", HISTORIES, "messages are delivered again", ("42 duplicate message",)),
    Row(6, "order independence", MODEL, "every order of steps"),
    Row(7, "no lost update", HISTORIES, "each typed value is there, was typed over by somebody who could see it, or the journal says what became of it",
        ("7 no lost update",)),
    Row(8, "conflict is journaled", HISTORIES, "an overwritten value is journaled before the write: record, field, before, after, rule, run",
        ("8 conflict is journaled",)),
    Row(9, "equal edits are no conflict", "unit/connector/test_field_merge.py::test_each_row_of_the_decision_table", "the merge's table"),
    Row(10, "field isolation", HISTORIES, "each field of each write", ("10 field isolation",)),
    Row(11, "direction", HISTORIES, "no write to a Contact, a converted Lead or against a one-way pair",
        ("10 field isolation",)),
    Row(12, "eligibility", HISTORIES, "no record without e-mail is created", ("15 no duplicate creation",)),
    Row(13, "identity", "contract/storage/test_ports.py::test_a_moved_link_is_stored_once_and_its_pointers_follow", "pointers move with the link"),
    Row(14, "no write across persons", HISTORIES, "a user typed each written value in a record of the same person",
        ("14 no write across persons",)),
    Row(15, "no duplicate creation", HISTORIES, "each creation", ("15 no duplicate creation",)),
    Row(16, "delete safety", HISTORIES, "no call of the connector deletes a record",
        ("10 field isolation",)),
    Row(17, "base is correct", MODEL, "the values of both sides, in every state"),
    Row(18, "intent before write", MODEL, "the weaker orders fail"),
    Row(19, "lost base", HISTORIES, "the ledger is lost: equal values are agreed, overwritten values are journaled",
        ("48 ledger lost",)),
    Row(20, "stale read guard", HISTORIES, "hours between read and write"),
    Row(21, "watermark", HISTORIES, "late commits; a full run finds no drift", ("30 no drift",)),
    Row(22, "crash at any step", HISTORIES, "before and after each step", ("43 process crash",)),
    Row(23, "isolation of faulty records", HISTORIES, "one rejected record of a batch", ("salesforce record_error",)),
    Row(24, "mutual exclusion", HISTORIES, "conditional puts: a second process between two steps",
        (PUT_REFUSED,)),
    Row(25, "lease", NONE, "there is no lease: an intent expires with the worker's time-out"),
    Row(26, "deadline", HISTORIES, "runs stop and continue after a few steps", ("26 stopped in time",)),
    Row(27, "budget", "component/test_budget.py::test_a_run_that_used_its_share_is_paused_and_continues_the_next_day", "a run does not use more than its share"),
    Row(28, "fairness", "e2e/test_submitted_forms.py::test_a_form_becomes_a_lead_within_seconds_during_a_full_run", "forms have their own queue"),
    Row(29, "accounting", "component/test_main_job.py::test_a_record_without_email_is_skipped_and_counted", "skipped records are counted with the reason; the sum is not checked"),
    Row(30, "no drift", HISTORIES, "a full run at the end writes nothing", ("30 no drift",)),
    Row(31, "deterministic tests", HISTORIES, "one seed, one trace hash"),
    Row(32, "mapping change", HISTORIES, "pairs are added, removed, moved to another field, swapped, and get another direction or policy; a pair that is removed, or pointed elsewhere and back: in the model too",
        ("64 mapping saved",)),
    Row(33, "round trip", "unit/connector/test_values.py::test_a_conversion_does_not_change_the_canonical_form", "properties of conversions"),
    Row(34, "dry run", HISTORIES, "it writes to no side, and its plan is not in the journal of people", ("dry run",)),
    Row(35, "each hold has its reason", HISTORIES, "a field is held for a cause that the history has, shows the present values, and continues after a decision; a conflict and the decision: in the model too",
        ("35 each hold has its reason",)),
    Row(36, "opt-outs", HISTORIES, "examined like every other typed value", ("36 opt-outs arrive",)),
    Row(37, "e-mails", HISTORIES, "examined like every other typed value", ("37 e-mails arrive",)),
)  # fmt: skip

ACTS: Final = (
    ("users", USER_ACTIONS),
    ("the mapping", MAPPING_CHANGES),
    ("fields", SCHEMA_CHANGES),
    ("decisions", DECISIONS),
)
HEADER: Final = "<!-- generated: python -m tests.simulation docs -->"


def document() -> str:
    """Return docs/reliability.md."""
    lines = [
        HEADER,
        "# Reliability: faults injected and invariants checked",
        "",
        "`make simulate HISTORIES=n [SEED=s]` runs seeded random histories: the real engine and",
        "adapters, both simulators, and ports in memory, with user edits, changes of the mapping and",
        "of the fields, decisions, faults and crashes. An oracle follows each typed value to the end:",
        "it is there, or it was typed over by somebody who could see it, or the journal says what",
        "became of it. It knows for each value which others its author could see, judges each write",
        "and the final state against the policy table, and reads of the connector only what an admin",
        "sees. `make simulate-bugs` plants bugs that other products have shipped, and shows that the",
        "histories find each one. `make model` checks every reachable state of the write protocol,",
        "with edits, cleared e-mails, decisions of admins, refused fields and changes of the mapping at",
        "any moment. A row with a test is shown by this test. A row with *histories* is drawn at random",
        "in the histories, which count it; `--json FILE` stores the counts. A run of 2,000 histories or",
        "more fails if an act or a fault was never exercised, or an excuse was used beyond its limit.",
        "",
        "## Faults",
        "",
        "| | fault | injected in | expected behaviour, or why it is not simulated |",
        "| --- | --- | --- | --- |",
        *(_line(row) for row in FAULTS),
        "",
        "## Invariants",
        "",
        "| | invariant | checked in | how, or why it is not checked |",
        "| --- | --- | --- | --- |",
        *(_line(row) for row in INVARIANTS),
        "",
        "## What users and admins do",
        "",
        "Half of the histories have one person and one field; a few have tens or hundreds of people.",
        "`--acts` and `--without` select acts by name.",
        "",
        "| | acts |",
        "| --- | --- |",
        *(_acts(title, kinds) for title, kinds in ACTS),
        f"| types of fields | {', '.join(kind.value for kind in Kind)} |",
        "",
        "## Excuses",
        "",
        "An excuse is for one field and one reason. It is counted, its use is bounded, and",
        "`tests/simulation/test_excuses_*.py` show that a fault beside it is not excused.",
        "",
        "| excuse | uses per history, at most |",
        "| --- | --- |",
        *(f"| {name} | {limit} |" for name, limit in excuses.LIMITS.items()),
        "",
        *DEPLOYED_WORKLOAD,
        "## What the simulation cannot prove",
        "",
        "Real Salesforce triggers and sharing, the real Plezi API (its behaviour is assumed), IAM,",
        "cold starts, memory and load. Records that are shared with the integration user, or not, are",
        "not simulated. Of two or three processes at once, one is paused while the next one works;",
        "their steps are not interleaved. If a user edits a field between our last read of",
        "the record and our write to the same field, the edit may be overwritten: Salesforce has",
        "no precondition on sObject Collections. The histories count how often this happens.",
        "",
    ]
    return "\n".join(lines)


DEPLOYED_WORKLOAD: Final = (
    "## A random workload on the deployed stack",
    "",
    "`make random-workload` (`[PEOPLE=300] [EDITS=2000] [SEED=1]`) creates people on either side, on",
    "both or by a form, and edits fields of every type, e-mails and opt-outs included, through the",
    "control API of both simulators. In the meantime forms are submitted, admins change directions and",
    "policies, remove pairs and add them again, and decide held fields; runs of changes and of all",
    "records start at random times and overlap with the edits, and the worker is killed in some of",
    "them. The seed decides who does what; which step of a run it meets is different each time.",
    "",
    "The examination (`tests/e2e/random_workload/examination.py`) uses nothing of the connector. It knows what",
    "users typed and what the record showed them before, the final records, the journal, and the holds",
    "and refusals that an admin sees. Both sides must agree, or a reason of the table below must hold.",
    "Each typed value must be there, or have been typed over by somebody who saw it, or be in the",
    "journal as `before` of its record and field, with a rule that the mapping permitted at the time;",
    "one line explains one value. Everything else is unexplained, is printed with its history, and",
    "fails the test. `newest` is checked by the rule's name only, not by the times of the records.",
    "`tests/e2e/test_workload_examination.py` shows that a planted loss is found, and",
    "`tests/simulation/test_random_workload.py`, the same workload in one process, that five planted",
    "bugs are.",
    "",
    "Measured on two shared cores, 300 people and 2,000 edits, seed 1: 3,747 typed values, 39 runs to",
    "their end and one killed, in 248 seconds. 4,081 of 4,200 final fields agree; 2,506 values are",
    "there, 549 were typed over in the same record, 304 by somebody who saw them on the other side,",
    "383 are in the journal, 4 were typed between our last reading and our write, 1 was a blank that",
    "was filled; 0 are unexplained. The run before it (3,778 values, five kills) had one that was",
    "unexplained: a fault, which is repaired (`in_doubt` of a removed pair).",
    "",
)


def _acts(title: str, kinds: Sequence[tuple[str, int]]) -> str:
    return f"| {title} | {', '.join(f'`{kind}`' for kind, _ in kinds)} |"


def _line(row: Row) -> str:
    where = f"`{row.where}`" if row.is_test else row.where or "not simulated"
    return f"| {row.number} | {row.name} | {where} | {row.expected} |"
