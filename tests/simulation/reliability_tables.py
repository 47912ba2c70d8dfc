"""What is injected and what is checked: the tables of docs/reliability.md come from here."""
# ruff: noqa: E501  # a row of a table is one line

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from local.world.fault_injector import REFUSED

WORLD, MODEL, NONE = "world", "model", ""


@dataclass(frozen=True, slots=True)
class Row:
    """One fault or invariant: where it is injected or checked, and what is expected and seen.

    `where` is `world` (the histories), `model`, the test that shows it (`folder/file.py::name`), or
    '' where it is not simulated: `what` is then the reason. `counted` are the names under which
    histories count it.
    """

    number: int
    name: str
    where: str
    what: str
    counted: tuple[str, ...] = ()

    @property
    def is_test(self) -> bool:
        """Whether a single test shows it."""
        return "::" in self.where


FAULTS: Final = (
    Row(1, "session expires in the middle", WORLD, "renewed once; nothing twice",
        ("1 session killed", "salesforce session_expired")),
    Row(2, "password reset", WORLD, "one login, then the breaker; a new secret goes on",
        ("2 password reset",)),
    Row(3, "grant revoked", "component/test_logins.py::test_each_refusal_has_its_own_causes_and_opens_the_breaker", "as 2, with its own cause"),
    Row(4, "API limit", WORLD, "the run ends; the next goes on", ("salesforce quota_exceeded",)),
    Row(5, "5xx, reset, HTML instead of JSON", WORLD, "reads repeated, writes judged",
        ("salesforce server_unavailable", "salesforce server_error",
         "salesforce connection_reset", "salesforce unavailable_page", "salesforce edge_page")),
    Row(6, "time-out after a create", WORLD, "one record",
        ("salesforce timeout_after_commit", "plezi timeout_after", "plezi reset_after",
         "plezi empty_body")),
    Row(7, "time-out after an update", WORLD, "known as our own",
        ("salesforce reset_after_commit", "plezi reset_after")),
    Row(8, "mixed success of a collection", WORLD, "matched by position",
        ("salesforce record_error", "salesforce lock_row")),
    Row(9, "locked row", WORLD, "tried again, others go on", ("salesforce lock_row",)),
    Row(10, "validation rule", WORLD, "quarantined with its code",
        ("10 validation rule", "salesforce record_error")),
    Row(11, "duplicate rule", WORLD, "quarantined", ("salesforce record_error",)),
    Row(12, "automation rewrites our value", WORLD, "its value travels", ("12 automation",)),
    Row(13, "automations that undo each other", "component/test_faults.py::test_automations_that_undo_each_other_are_held_and_everything_else_goes_on", "held as oscillating"),
    Row(14, "long transaction", WORLD, "read all the same", ("14 long transaction",)),
    Row(15, "equal stamps across a page", WORLD, "none lost (pages of one row)",
        ("salesforce short_page",)),
    Row(16, "page cursor expired, short page", WORLD, "resumes after the last row",
        ("salesforce cursor_expired", "salesforce short_page")),
    Row(17, "rows move while paging", WORLD, "none skipped (people type during runs)"),
    Row(18, "replication window refused", NONE, "only latestDateCovered of the last hour is used"),
    Row(19, "delete log purged", NONE, "the delete log is not used: queryAll is"),
    Row(20, "deleted, undeleted", WORLD, "nothing deleted across; goes on when it comes back"),
    Row(21, "converted during a run", WORLD, "the Contact goes on; the Lead is never written"),
    Row(22, "merged", WORLD, "the winner goes on"),
    Row(23, "e-mail changed, swapped", WORLD, "followed, or held; no word crosses people"),
    Row(24, "field deleted, hidden", "component/test_schema_change.py::test_a_hidden_field_is_suspended_and_all_others_are_synchronized", "the line is parked, others go on"),
    Row(25, "stamps move without a change", WORLD, "0 writes (other fields are edited)"),
    Row(26, "bulk job fails", NONE, "the Bulk API is not used"),
    Row(27, "bulk CSV quoting", NONE, "the Bulk API is not used"),
    Row(28, "instance moves, maintenance page", "unit/connector/test_hosts.py::test_a_token_is_never_sent_to_an_instance_outside_of_salesforce", "allow-list of hosts holds"),
    Row(29, "sandbox refreshed", NONE, "no org is refreshed in a world of one org"),
    Row(30, "Salesforce's clock is off", WORLD, "nothing lost", ("salesforce clock_skew",)),
    Row(31, "429 with and without advice", WORLD, "waited for", ("plezi http_429",)),
    Row(32, "list parameters lie", WORLD, "all seen", ("tenant {'changed_since': 'ignored'}",
        "tenant {'changed_since': 'absent'}",
        "tenant {'changed_since': 'absent', 'sort': 'ignored'}",
        "tenant {'page_size_cap': 2, 'total_results': 'low'}")),
    Row(33, "page loses rows, rows move", WORLD, "absence never means deletion",
        ("plezi truncated_page",)),
    Row(34, "updated_at missing or unmoved", WORLD, "the values decide",
        ("tenant {'updated_at': 'missing'}", "tenant {'unchanged_write': 'moves_updated_at'}")),
    Row(35, "create of a known e-mail", WORLD, "one contact, capitals or not",
        ("tenant {'known_email': 'conflict'}",
         "tenant {'email_filter': 'absent', 'known_email': 'conflict_409'}")),
    Row(36, "stale reads", WORLD, "no false conflict",
        ("plezi stale", "tenant {'read_lag_seconds': 5.0}")),
    Row(37, "null, missing, text for number", WORLD, "read with tolerance",
        ("tenant {'empty_values': 'omitted'}",)),
    Row(38, "score or state out of bounds", "component/test_main_job.py::test_a_score_out_of_bounds_and_a_state_that_nobody_knows_are_passed_on_as_said", "passed on as said"),
    Row(39, "Plezi is down", WORLD, "the run fails clean", ("plezi http_503", "plezi http_500")),
    Row(40, "schedule late or not at all", WORLD, "the next run covers the gap"),
    Row(41, "schedule, person and form at once", WORLD, "each waits for the other's intents",
        ("41 two at once", "hint")),
    Row(42, "message twice or late", WORLD, "no effect", ("42 duplicate message",)),
    Row(43, "the process dies anywhere", WORLD, "nothing lost", ("43 the process dies",)),
    Row(44, "killed by the time-out", "e2e/test_killed_worker.py::test_a_worker_killed_again_and_again_leaves_what_an_undisturbed_one_leaves", "the next run goes on"),
    Row(45, "process thawed late", WORLD, "its lines are refused; thawed after the worker's "
        "time-out: not drawn, AWS has killed it by then", ("41 two at once",)),
    Row(46, "our clock jumps", WORLD, "an hour ahead, an hour behind: nothing lost",
        ("46 our clock jumps",)),
    Row(47, "DynamoDB busy, condition failed", "component/test_aws_faults.py::test_a_link_is_put_once_the_table_has_time", "refused lines are told, others stored"),
    Row(48, "table restored to an older point", WORLD, "begun anew with an empty ledger, as "
        "docs/operations.md says: strangers meet; an older copy is not used", ("48 ledger lost",)),
    Row(49, "S3 shard lost", NONE, "S3 is not used"),
    Row(50, "Secrets Manager down",
        "component/test_aws_faults.py::test_what_is_held_goes_on_being_believed",
        "what is held is used until a side refuses it"),
    Row(51, "rotation cut in two", "component/test_rotation.py::test_a_function_killed_anywhere_is_followed_by_one_that_finishes", "old or new secret works"),
    Row(52, "permission missing",
        "component/test_aws_faults.py::test_who_may_not_read_it_any_more_does_not_go_on_with_it",
        "fails closed; IAM itself is not simulated"),
    Row(53, "dead letters", "template/test_house_rules.py::test_dead_letters_raise_an_alarm",
        "an alarm; a message put back has the effect of one that comes late (42)"),
    Row(54, "a message that kills",
        "component/test_form_consumer.py::test_a_hint_that_breaks_down_is_handed_over_again_and_only_it",
        "handed over again alone, then a dead letter; a run's message carries no data"),
    Row(55, "disk full, memory short", NONE, "nothing is written to a disk; `make bench` measures "
        "that memory is flat"),
    Row(56, "deployed during a run", NONE, "there is one schema so far; every link carries its "
        "number"),
    Row(57, "two tenants in one process", NONE, "one stack serves one tenant"),
    Row(58, "forged or repeated push", "component/test_form_receiver.py::test_a_replay_is_refused_and_has_no_effect", "refused, or no effect"),
    Row(59, "hostile bodies", "component/test_form_receiver.py::test_whatever_is_refused_leaves_no_trace", "refused"),
    Row(60, "flood of forms",
        "template/test_house_rules.py::test_the_api_is_throttled_traced_and_logs_no_body",
        "throttled by API Gateway, which is not simulated"),
    Row(61, "form before its contact shows", "component/test_form_consumer.py::test_a_contact_never_shown_is_left_to_the_schedule_after_the_third_time", "tried later"),
    Row(62, "queue down",
        "component/test_form_receiver.py::"
        "test_a_queue_that_cannot_be_reached_is_a_503_and_the_next_try_sends_the_hint",
        "503 to the sender, whose next try counts"),
    Row(63, "hostile configuration", "unit/connector/test_host_bypasses.py::test_a_host_that_only_looks_like_salesforce_s_is_refused", "refused at save"),
    Row(64, "mapping saved during a run", WORLD, "the run keeps its version",
        ("64 mapping saved",)),
)  # fmt: skip

INVARIANTS: Final = (
    Row(1, "convergence", WORLD, "sides compared in peace", ("1 convergence",)),
    Row(2, "quiescence", WORLD, "a run in peace changes nothing", ("2 quiescence",)),
    Row(3, "termination", WORLD, "a run has a bounded number of parts"),
    Row(4, "no echo", WORLD, "a run in peace changes nothing", ("2 quiescence",)),
    Row(5, "idempotence", WORLD, "messages are delivered again", ("42 duplicate message",)),
    Row(6, "order freedom", MODEL, "every order of steps"),
    Row(7, "no lost uncontested edit", WORLD, "every write, every edit at the end",
        ("7 no lost uncontested edit",)),
    Row(8, "conflict is explicit", WORLD, "what is overwritten is journalled before",
        ("8 conflict is explicit",)),
    Row(9, "false conflicts are silent", "unit/connector/test_field_merge.py::test_each_row_of_the_decision_table", "the merge's table"),
    Row(10, "field isolation", WORLD, "every field of every write", ("10 field isolation",)),
    Row(11, "direction", WORLD, "no Contact, no converted Lead, no one-way field",
        ("10 field isolation",)),
    Row(12, "eligibility", WORLD, "nobody without e-mail is created", ("15 no duplicate create",)),
    Row(13, "identity", "contract/storage/test_ports.py::test_a_moved_link_leaves_its_place_and_takes_its_pointers_along", "pointers move with the link"),
    Row(14, "duplicates not overwritten", WORLD, "every word was typed about this person",
        ("17 base truth",)),
    Row(15, "no duplicate create", WORLD, "every creation", ("15 no duplicate create",)),
    Row(16, "delete safety", WORLD, "nothing is ever deleted by a call of ours",
        ("10 field isolation",)),
    Row(17, "base truth", MODEL, "both sides' words, in every state"),
    Row(18, "intent before effect", MODEL, "the weaker orders break"),
    Row(19, "lost base", WORLD, "the ledger is lost: equal words agreed, losers journalled",
        ("48 ledger lost",)),
    Row(20, "stale read guard", WORLD, "hours between reading and writing"),
    Row(21, "watermark", WORLD, "late commits; a full run finds no drift", ("30 self-healing",)),
    Row(22, "crash anywhere", WORLD, "before and after each step", ("43 the process dies",)),
    Row(23, "poison isolation", WORLD, "one refused row of a batch", ("salesforce record_error",)),
    Row(24, "mutual exclusion", WORLD, "conditional puts: a second process between two steps",
        (REFUSED,)),
    Row(25, "lease", NONE, "there is no lease: intents age by the worker's time-out"),
    Row(26, "deadline", WORLD, "runs saved and continued after few steps"),
    Row(27, "budget", "component/test_budget.py::test_a_run_that_used_its_share_is_paused_and_continues_the_next_day", "the share is kept to"),
    Row(28, "fairness", "e2e/test_submitted_forms.py::test_also_while_everybody_is_read_again", "forms have a lane of their own"),
    Row(29, "accounting", "component/test_main_job.py::test_a_record_without_email_is_skipped_and_counted", "who is left out is counted with the reason; the sum is not checked"),
    Row(30, "self-healing", WORLD, "a full run in peace writes nothing", ("30 self-healing",)),
    Row(31, "determinism of tests", WORLD, "one seed, one trace hash"),
    Row(32, "mapping change", WORLD, "lines leave and return", ("64 mapping saved",)),
    Row(33, "round trip", "unit/connector/test_values.py::test_a_conversion_does_not_change_the_canonical_form", "properties of conversions"),
)  # fmt: skip

HEADER: Final = "<!-- generated: python -m tests.simulation docs -->"


def document() -> str:
    """Return docs/reliability.md."""
    lines = [
        HEADER,
        "# Reliability: what is injected, what is checked",
        "",
        "`make simulate HISTORIES=n [SEED=s]` plays seeded histories of the whole world (real",
        "engine, real adapters, both simulators, ports in memory) and judges them by what people",
        "typed. `make simulate-bugs` plants faults of peers and shows that each is found. The",
        "model (`make model`) visits every state of the write protocol. A row that names a test is",
        "shown by that test; one that says *world* is drawn in histories, which count it.",
        "",
        "## Faults",
        "",
        "| | fault | injected in the world, or by a test | expected and seen, or why not |",
        "| --- | --- | --- | --- |",
        *(_line(row) for row in FAULTS),
        "",
        "## Invariants",
        "",
        "| | invariant | checked in the world, the model, or by a test | how, or why not |",
        "| --- | --- | --- | --- |",
        *(_line(row) for row in INVARIANTS),
        "",
        "## What simulation cannot prove",
        "",
        "Real Salesforce triggers and sharing, the real Plezi API (its behaviour is assumed), IAM,",
        "cold starts, memory and load. Two processes at once are simulated as one that stands",
        "still while the other works, not step by step. An edit of the same field typed between",
        "our last reading of a record and our write may be overwritten: Salesforce has no",
        "precondition on collections. The histories count how often that happens.",
        "",
    ]
    return "\n".join(lines)


def _line(row: Row) -> str:
    where = f"`{row.where}`" if row.is_test else row.where or "not simulated"
    return f"| {row.number} | {row.name} | {where} | {row.what} |"
