"""What the engine was told over the wire: by that it is judged, not by what it remembers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from connector.model import RecordKind
from local.world.both_sides import StoredRecord
from tests.simulation.history.events import LEAD_FIELDS, TWO_WAY
from tests.simulation.history.wire import records_in, said, value_of

NAMES = (*TWO_WAY, "function", "newsletter_optout")
Words = dict[str, str]


@dataclass
class ObservedAnswers:
    """Words by record: `heard` by anybody or written by us, `read` by the process at work.

    `heard_at` is the last thing that people did before a record was shown as it is;
    `unseen_until` is when a transaction about a record commits: nobody can read it before.
    """

    heard: dict[str, Words] = field(default_factory=dict)
    read: dict[str, Words] = field(default_factory=dict)
    heard_at: dict[str, int] = field(default_factory=dict)
    unseen_until: dict[str, float] = field(default_factory=dict)

    def forget(self) -> None:
        """Nothing was heard of anybody."""
        self.heard.clear()
        self.read.clear()

    @contextmanager
    def second_process(self) -> Iterator[None]:
        """A second process knows only what it reads itself, and the first one learns none of it.

        What the second one has changed is not what the first one read any more.
        """
        read, heard_at = dict(self.read), dict(self.heard_at)
        self.read.clear()
        yield
        self.heard_at = heard_at
        self.read = {
            record: {n: word for n, word in words.items() if self.words(record).get(n) == word}
            for record, words in read.items()
        }

    def words(self, record: str) -> Words:
        """Return what was last heard of a record."""
        return self.heard.setdefault(record, {})

    def observe(
        self, content: bytes, truth: Mapping[str, StoredRecord], when: float, order: int
    ) -> Iterator[tuple[str, Words]]:
        """Hear an answer at an instant (seconds), after the `order`th thing that people did.

        `truth` (where a side may show what was): a record that is shown as it was is not heard.
        Yields every record that the answer shows, with its words.
        """
        try:
            body = json.loads(content)
        except ValueError:
            return
        for record, kind, values in records_in(body):
            words = self.words(record)
            for name in NAMES:
                wire = name if kind is RecordKind.PLEZI_CONTACT else LEAD_FIELDS[name]
                if kind is RecordKind.PLEZI_CONTACT or wire in values:
                    words[name] = said(values.get(wire))
            now = truth.get(record)
            was = now is not None and now.stamp and now.stamp != values.get("updated_at")
            is_now = now is None or all(value_of(now, it) == words.get(it) for it in TWO_WAY)
            if is_now and not was and when >= self.unseen_until.get(record, 0.0):
                self.heard_at[record] = order
            if not was:
                self.read[record] = dict(words)
            yield record, words
