"""The ports of the connector in memory, with the same semantics as those of DynamoDB.

One contract suite (`tests/contract/storage`) tests both, so that they stay equal.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any, Final

from connector.aws.dynamodb.rate_bucket import LONGEST_QUEUE_SECONDS
from connector.errors import MASS_CHANGES, StaleError, StopReason
from connector.mapping import DEFAULT_MAPPING, MappingConfig
from connector.mapping.document import parse_draft
from connector.model import (
    Alert,
    AttentionKind,
    Breaker,
    Counts,
    Cursor,
    JournalEntry,
    JournalPage,
    Link,
    LinkChange,
    MappingProblem,
    Phase,
    Progress,
    RecordKind,
    Run,
    RunKind,
    RunState,
    SaveResult,
    SessionToken,
    Values,
    WorkList,
)
from connector.stores import Reservation

HOURS_OF_DAY = 24
NO_PROGRESS = Progress()


class MemoryScratch:
    """What one dry run stores."""

    def __init__(self) -> None:
        self._links: dict[str, Link | None] = {}
        self._cursors: dict[RecordKind, Cursor] = {}
        self._written: dict[str, Values] = {}
        self._work: dict[WorkList, tuple[str, ...]] = {}

    def load_scratch_links(self, emails: Iterable[str]) -> dict[str, Link | None]:
        """Return the links stored here; None for one that would be deleted."""
        return {email: self._links[email] for email in emails if email in self._links}

    def scratch_owners(self, records: Iterable[str]) -> dict[str, str]:
        """Return the e-mail of the link of each record id stored here."""
        owners = {
            record: email
            for email, link in self._links.items()
            if link is not None
            for record in link.names
        }
        return {record: owners[record] for record in records if record in owners}

    def save_scratch_links(self, links: Mapping[str, Link | None]) -> SaveResult:
        """Store links by e-mail."""
        self._links |= links
        return SaveResult()

    def load_written(self, records: Sequence[str]) -> dict[str, Values]:
        """Return the values that would have been written to some records."""
        return {record: self._written[record] for record in records if record in self._written}

    def save_written(self, written: Mapping[str, Values]) -> None:
        """Store the values that would have been written."""
        self._written |= written

    def load_scratch_cursor(self, kind: RecordKind) -> Cursor | None:
        """Return the cursor of a kind of record, or None."""
        return self._cursors.get(kind)

    def save_scratch_cursor(self, cursor: Cursor) -> None:
        """Store a cursor."""
        self._cursors[cursor.kind] = cursor

    def save_work(self, work: WorkList, emails: Sequence[str]) -> None:
        """Store a work list; an empty one is deleted."""
        if emails:
            self._work[work] = tuple(emails)
        else:
            self._work.pop(work, None)

    def load_work(self, lists: Sequence[WorkList]) -> dict[WorkList, tuple[str, ...]]:
        """Return the e-mails of the lists that exist."""
        return {work: self._work[work] for work in lists if work in self._work}

    def open_work(self, limit: int, after: WorkList | None = None) -> list[WorkList]:  # noqa: ARG002  # a port
        """Return nothing: no other dry run leaves lists to this one."""
        return []


class MemoryLedger:
    """Links, cursors, runs, documents; every put of a link is conditional on its revision."""

    def __init__(self) -> None:
        self._links: dict[str, Link] = {}
        self._owners: dict[str, str] = {}
        self._cursors: dict[RecordKind, Cursor] = {}
        self._runs: dict[str, Run] = {}
        self._documents: dict[str, str] = {}
        self._calls: dict[int, int] = {}
        self._listed: set[str] = set()
        self._work: dict[WorkList, tuple[str, ...]] = {}
        self._scratch: dict[str, MemoryScratch] = {}
        self._next_slot = 0.0
        self._closed_until = 0.0

    def load_links(self, emails: Iterable[str]) -> dict[str, Link]:
        """Return the links known under these canonical e-mails."""
        return {email: self._links[email] for email in sorted(set(emails)) if email in self._links}

    def all_links(self) -> list[Link]:
        """Return every link, in order of e-mails."""
        return [self._links[email] for email in sorted(self._links)]

    def owner_emails(self, records: Iterable[str]) -> dict[str, str]:
        """Return the e-mail of the link of each known record id."""
        known = sorted(set(records) & set(self._owners))
        return {record: self._owners[record] for record in known}

    def list_unreadable(self, email: str) -> None:
        """Raise `AssertionError`: every link in memory can be read."""
        raise AssertionError(email)

    def save_links(self, changes: Sequence[LinkChange], *, listed: bool = False) -> SaveResult:
        """Store new states of links; return the e-mails refused because the link changed.

        Raises `ValueError` if two changes have one e-mail: DynamoDB refuses a transaction with
        several operations on one item.
        """
        emails = [change.link.email for change in changes]
        emails += [it.email for change in changes if (it := change.moved_from) and it.revision]
        if len(emails) != len(set(emails)):
            raise ValueError("a put may not include several operations on one link")
        refused = set()
        displaced: dict[str, str] = {}
        for change in changes:
            link, before = change.link, change.moved_from
            is_stale = self._revision(link.email) != link.revision
            if before is not None and before.revision:
                is_stale = is_stale or self._revision(before.email) != before.revision
            if is_stale:
                refused.add(link.email)
                continue
            if listed:
                self._listed.add(link.email)
            else:
                self._listed.discard(link.email)
            if before is not None and before.revision:
                del self._links[before.email]
            self._links[link.email] = replace(link, revision=link.next_revision, indexed=link.names)
            for name in (before or link).indexed - link.names:
                if "@" in name and self._owners.get(name) == (before or link).email:
                    del self._owners[name]  # it does not wait for this e-mail any more
            if before is None or not before.revision:
                displaced |= {
                    name: owner
                    for name in link.names - link.indexed
                    if (owner := self._owners.get(name, link.email)) != link.email
                    and "@" not in name
                }
            self._owners |= dict.fromkeys(link.names - link.indexed, link.email)
        return SaveResult(frozenset(refused), displaced=displaced)

    def _revision(self, email: str) -> int:
        return self._links[email].revision if email in self._links else 0

    def dirty_emails(self, limit: int, after: str = "") -> list[str]:
        """Return the e-mails of dirty links in order, starting after one."""
        unlisted = (
            email
            for email, link in self._links.items()
            if link.dirty and email > after and email not in self._listed
        )
        return sorted(unlisted)[:limit]

    def save_work(self, work: WorkList, emails: Sequence[str]) -> None:
        """Store a work list; an empty one is deleted."""
        if emails:
            self._work[work] = tuple(emails)
        else:
            self._work.pop(work, None)

    def load_work(self, lists: Sequence[WorkList]) -> dict[WorkList, tuple[str, ...]]:
        """Return the e-mails of the lists that exist."""
        return {work: self._work[work] for work in lists if work in self._work}

    def open_work(self, limit: int, after: WorkList | None = None) -> list[WorkList]:
        """Return lists that exist, in order, starting after one."""

        def key(work: WorkList) -> tuple[str, int]:
            return work.run_id, work.number

        found = [work for work in self._work if after is None or key(work) > key(after)]
        return sorted(found, key=key)[:limit]

    def scratch(self, run_id: str) -> MemoryScratch:
        """Return what a dry run stores."""
        return self._scratch.setdefault(run_id, MemoryScratch())

    def all_emails(self, limit: int, after: str = "") -> list[str]:
        """Return e-mails of links in order, starting after one."""
        return sorted(email for email in self._links if email > after)[:limit]

    def emails_needing_attention(
        self, kind: AttentionKind, limit: int, after: str = ""
    ) -> list[str]:
        """Return the e-mails of links that need attention, in order."""
        emails = (e for e, link in self._links.items() if kind in link.attention and e > after)
        return sorted(emails)[:limit]

    def load_cursor(self, kind: RecordKind) -> Cursor:
        """Return the cursor of a kind of record; a new one if none is stored."""
        return self._cursors.get(kind, Cursor(kind))

    def checkpoint(
        self, cursor: Cursor, run: str, counts: Counts, progress: Progress = NO_PROGRESS
    ) -> None:
        """Store a cursor and add to the counts and the progress of the run, in one step."""
        self._cursors[cursor.kind] = cursor
        self.add_counts(run, counts, progress)

    def applied_version(self) -> int | None:
        """Return the version of the mapping last applied to all records; None: never."""
        applied = {self.load_cursor(kind).applied_version for kind in RecordKind}
        return applied.pop() if len(applied) == 1 and applied != {-1} else None

    def create_run(self, run: Run) -> None:
        """Store the record of a requested run."""
        self._runs[run.id] = run

    def load_run(self, run: str) -> Run | None:
        """Return the record of a run."""
        return self._runs.get(run)

    def list_runs(self, limit: int, before: str = "", *, forms: bool = False) -> list[Run]:
        """Return the records of the newest runs, newest first, starting before one."""
        runs = [
            run
            for run in self._runs.values()
            if (run.kind is RunKind.FORM) is forms and (not before or run.id < before)
        ]
        return sorted(runs, key=lambda run: run.id, reverse=True)[:limit]

    def start_phase(self, run: str, now: float, mapping_version: int, phase: Phase) -> None:
        """Record that an invocation works on a run, with a version of the mapping."""
        known = self._runs[run]
        self._runs[run] = replace(
            known,
            state=RunState.RUNNING,
            started_at=known.started_at or now,
            invocations=known.invocations + 1,
            mapping_version=mapping_version,
            phase=phase,
            active_at=now,
        )

    def end_invocation(
        self,
        run: str,
        *,
        idle: int,
        position: WorkList | None = None,
        visited_lists: int = 0,
    ) -> None:
        """Record the last invocations without progress, and the position; forget an error."""
        self._runs[run] = replace(
            self._runs[run],
            idle=idle,
            error="",
            position=position,
            visited_lists=visited_lists,
        )

    def note_error(self, run: str, error: str) -> None:
        """Record the unexpected error of an invocation; the place of the run stays."""
        self._runs[run] = replace(self._runs[run], error=error)

    def save_problems(self, run: str, problems: tuple[MappingProblem, ...]) -> None:
        """Record the problems of the mapping of a dry run, in the place of earlier ones."""
        self._runs[run] = replace(self._runs[run], problems=problems)

    def add_counts(self, run: str, counts: Counts, progress: Progress = NO_PROGRESS) -> None:
        """Add to a run's counts and progress."""
        if not counts and progress == NO_PROGRESS:
            return
        known = self._runs[run]
        after = {side: dict(numbers) for side, numbers in known.counts.items()}
        for (side, what), amount in counts.numbers.items():
            totals = after.setdefault(side, {})
            totals[what] = totals.get(what, 0) + amount
        sums = {
            each.name: getattr(known.progress, each.name) + getattr(progress, each.name)
            for each in fields(Progress)
        }
        self._runs[run] = replace(known, counts=after, progress=Progress(**sums))

    def finish_run(
        self,
        run: str,
        state: RunState,
        now: float,
        reason: StopReason | None = None,
        message: str = "",
    ) -> None:
        """Record how a run ended."""
        self._runs[run] = replace(
            self._runs[run], state=state, finished_at=now, reason=reason, message=message
        )

    def is_enabled(self) -> bool:
        """Return whether synchronization is enabled."""
        return bool((self.load_document("sync_switch") or {}).get("on", False))

    def set_enabled(self, *, on: bool, now: float) -> None:
        """Enable or disable synchronization."""
        self.save_document("sync_switch", {"on": on, "since": now})

    def suspended_pairs(self) -> dict[str, str]:
        """Return the pairs that the last run suspended, with the reasons."""
        return dict(self.load_document("suspended_pairs") or {})

    def save_suspended_pairs(self, reasons: Mapping[str, str]) -> None:
        """Store the suspended pairs with the reasons."""
        self.save_document("suspended_pairs", reasons)

    def add_calls(self, hour: int, number: int) -> None:
        """Count calls to Salesforce in an hour (hours since 1970)."""
        self._calls[hour] = self._calls.get(hour, 0) + number

    def calls_since(self, hour: int) -> int:
        """Return the calls to Salesforce in an hour and the 23 hours after it."""
        return sum(self._calls.get(it, 0) for it in range(hour, hour + HOURS_OF_DAY))

    def reserve_slots(self, now: float, number: int, gap: float) -> Reservation:
        """Reserve the next free slots of the rate that all functions share."""
        if not now < self._next_slot <= now + LONGEST_QUEUE_SECONDS:
            self._next_slot, self._closed_until = now, 0.0
        start = self._next_slot
        self._next_slot += number * gap
        return Reservation(start, self._closed_until)

    def postpone_slots(self, until: float) -> None:
        """Hand out no slot before this time."""
        if self._next_slot < until:
            self._next_slot = self._closed_until = until

    def breaker(self) -> Breaker | None:
        """Return the open breaker, or None."""
        document = self.load_document("breaker")
        if not document:
            return None
        return Breaker(**{**document, "reason": StopReason(document["reason"])})

    def open_breaker(self, breaker: Breaker) -> None:
        """Open the breaker."""
        names = ("reason", "message", "since", "secret_version")
        self.save_document("breaker", {name: getattr(breaker, name) for name in names})

    def close_breaker(self) -> None:
        """Close the breaker."""
        self._documents.pop("breaker", None)

    def clearing_allowed_until(self) -> float:
        """Return until when runs may change without a limit (seconds since 1970); 0: never."""
        return float((self.load_document("clearing_allowed") or {}).get("until", 0.0))

    def defects_allowed_until(self) -> float:
        """Return until when runs go on in spite of many unexpected errors; 0: never."""
        return float((self.load_document("defects_allowed") or {}).get("until", 0.0))

    def add_form_changes(self, day: int, counts: Counts) -> dict[str, dict[str, int]]:
        """Add what a form changes to a day; return the sums, by side and counter."""
        sums: dict[str, dict[str, int]] = self.load_document(f"form_changes#{day}") or {}
        for (side, name), number in counts.numbers.items():
            of_side = sums.setdefault(side, {})
            of_side[name] = of_side.get(name, 0) + number
        self.save_document(f"form_changes#{day}", sums)
        return sums

    def allow_clearing(self, until: float) -> None:
        """Let runs clear and overwrite without a limit until a time; close the breaker for it."""
        self.save_document("clearing_allowed", {"until": until})
        breaker = self.breaker()
        if breaker is not None and breaker.reason in MASS_CHANGES:
            self.close_breaker()

    def acquire_login_lock(self, now: float, seconds: float) -> bool:
        """Acquire the login lock for some seconds; return False if another process has it."""
        claim = self.load_document("claim") or {"until": 0.0}
        if claim["until"] >= now:
            return False
        self.save_document("claim", {"until": now + seconds})
        return True

    def release_login_lock(self) -> None:
        """Release the login lock."""
        self._documents.pop("claim", None)

    def load_session(self) -> SessionToken | None:
        """Return the stored session, if any."""
        document = self.load_document("session")
        return SessionToken(**document) if document else None

    def save_session(self, token: SessionToken) -> None:
        """Store a session for all invocations."""
        names = ("access_token", "instance_url", "secret_version", "org_id")
        self.save_document("session", {name: getattr(token, name) for name in names})

    def load_document(self, key: str) -> dict[str, Any] | None:
        """Return the document stored under a key, or None."""
        text = self._documents.get(key)
        document: dict[str, Any] | None = None if text is None else json.loads(text)
        return document

    def save_document(self, key: str, document: Mapping[str, Any]) -> None:
        """Store a document under a key."""
        self._documents[key] = json.dumps(document)

    def snapshot(self) -> dict[str, Any]:
        """Return a copy of all stored data, as a point-in-time backup does."""
        return copy.copy({name: copy.copy(value) for name, value in vars(self).items()})

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Restore a backup: links, cursors and runs."""
        vars(self).update({name: copy.copy(value) for name, value in snapshot.items()})


def _key(entry: JournalEntry) -> tuple[str, float, str, str, str, str]:
    return (entry.email, entry.at, entry.run_id, entry.kind, entry.record_id, entry.field)


class MemoryJournal:
    """Entries by contact and time; an entry that is written twice is stored once."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, float, str, str, str, str], JournalEntry] = {}
        self.plans: list[JournalEntry] = []

    def write(self, entries: Sequence[JournalEntry]) -> None:
        """Store entries."""
        for entry in entries:
            self._entries[_key(entry)] = entry

    def entries(self) -> list[JournalEntry]:
        """Return all entries."""
        return list(self._entries.values())

    def write_dry_run(self, entries: Sequence[JournalEntry]) -> None:
        """Store entries of a dry run, separate from the history of contacts."""
        self.plans += entries

    def person_entries(self, email: str, limit: int = 100) -> JournalPage:
        """Return the newest entries of one contact, newest first."""
        keys = sorted((key for key in self._entries if key[0] == email), reverse=True)
        return JournalPage(tuple(self._entries[key] for key in keys[:limit]))

    def people_of_run(self, run: str) -> Iterator[str]:
        """Yield the e-mail of each person with an entry of a run once."""
        yield from dict.fromkeys(
            entry.email for entry in self._entries.values() if entry.run_id == run
        )

    def entries_since(
        self, emails: Sequence[str], since: float
    ) -> dict[str, tuple[JournalEntry, ...]]:
        """Return the entries of some people since a time, oldest first."""
        found: dict[str, list[JournalEntry]] = {email: [] for email in emails}
        for entry in sorted(self._entries.values(), key=lambda entry: entry.at):
            if entry.email in found and entry.at >= since:
                found[entry.email].append(entry)
        return {email: tuple(entries) for email, entries in found.items()}

    def run_entries(self, run: str, limit: int = 100) -> JournalPage:
        """Return the first entries of a run, oldest first."""
        entries = [entry for entry in self._entries.values() if entry.run_id == run]
        entries.sort(key=lambda entry: (entry.at, entry.kind, entry.record_id, entry.field))
        return JournalPage(tuple(entries[:limit]))


class MemoryRunQueue:
    """The runs queue: messages in the order in which they were sent."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, Phase]] = []

    def send(self, run: str, phase: Phase) -> None:
        """Request work on a phase of a run."""
        self.messages.append((run, phase))


class MemoryMappings:
    """Versions of the mapping; `shipped` is valid until a version is saved."""

    def __init__(self, shipped: MappingConfig = DEFAULT_MAPPING) -> None:
        self._shipped = shipped
        self._versions: dict[int, MappingConfig] = {}

    def current(self) -> MappingConfig:
        """Return the newest version of the mapping."""
        return self._versions[max(self._versions)] if self._versions else self._shipped

    def version(self, number: int) -> MappingConfig | None:
        """Return one version of the mapping, or None; 0 is the shipped one."""
        return self._shipped if number == self._shipped.version else self._versions.get(number)

    def draft(self, document: str) -> MappingConfig:
        """Return the mapping of a JSON document that is not saved."""
        return parse_draft(document)

    def save(self, mapping: MappingConfig) -> None:
        """Save a mapping under its version, which must be new. Raises `StaleError` otherwise."""
        if mapping.version in self._versions:
            raise StaleError(
                f"version {mapping.version} of the mapping is saved already: read it again"
            )
        self._versions[mapping.version] = mapping


class MemoryAlertPublisher:
    """Collects the published alerts."""

    def __init__(self) -> None:
        self.published: list[Alert] = []

    def publish(self, alert: Alert) -> None:
        """Publish an alert."""
        self.published.append(alert)


CREATED: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""When every version of a secret was created."""


class MemorySecrets:
    """Answers `get_secret_value` as a Secrets Manager client does."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[str, str]] = {}

    def put(self, name: str, material: Mapping[str, object]) -> None:
        """Put a new version of a secret."""
        version = int(self._values[name][0]) + 1 if name in self._values else 1
        self._values[name] = (str(version), json.dumps(material))

    def get_secret_value(self, *, SecretId: str, **_version: str) -> dict[str, Any]:  # noqa: N803  # as boto3 spells it
        """Return the current version of a secret."""
        version, text = self._values[SecretId]
        return {"VersionId": version, "SecretString": text, "CreatedDate": CREATED}
