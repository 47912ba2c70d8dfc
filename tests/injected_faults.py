"""Faults injected into the steps of single people: every function that gets one person's data.

The steps are not listed by hand. They are all functions and methods of `MODULES`; a run with a
`FaultInjector` shows which of them are called with the data of exactly one person, and from which
function. Such a call is a *step*. A fault is then injected into each step, for one person.

Every value of these tests shows whose it is: the text `p007x` in an e-mail, a name, a
phone number or an id belongs to person 7.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from types import FrameType
from typing import Any, Final

import pytest

PACKAGES: Final = ("connector.planning", "connector.mapping", "connector.model")
"""Pure packages: all their modules are taken."""
MODULES: Final = (
    "connector.clean_text",
    "connector.sync.hint_work",
    "connector.sync.isolation",
    "connector.sync.journal_entries",
    "connector.sync.link_batch",
    "connector.sync.read_phase",
    "connector.sync.reread",
    "connector.sync.resolve_phase",
    "connector.sync.resolve_unit",
    "connector.sync.selected_people",
    "connector.sync.write_stage",
    "connector.sync.dry_run_client",
    "connector.plezi.client",
    "connector.plezi.contact_codec",
    "connector.plezi.list_end",
    "connector.plezi.list_order",
    "connector.plezi.list_proof",
    "connector.plezi.list_rows",
    "connector.plezi.contact_calls",
    "connector.plezi.reader",
    "connector.salesforce.lookup",
    "connector.salesforce.lookup_queries",
    "connector.salesforce.lost_writes",
    "connector.salesforce.missing_records",
    "connector.salesforce.failed_lookups",
    "connector.salesforce.record_queries",
    "connector.salesforce.answers",
    "connector.salesforce.diagnosis",
    "connector.salesforce.page_position",
    "connector.salesforce.reader",
    "connector.salesforce.write_answer",
    "connector.salesforce.writer",
    "connector.aws.dynamodb.dataclass_json",
    "connector.aws.dynamodb.item_size",
    "connector.aws.dynamodb.journal",
    "connector.aws.dynamodb.link_codec",
    "connector.aws.dynamodb.links",
    "connector.aws.dynamodb.scratch",
)
"""The modules outside of the pure packages that work on the data of one person."""
PERSON: Final = re.compile(r"p\d\d\dx")
MAX_DEPTH: Final = 7
"""How deep the arguments of a call are searched: a write is four levels inside a plan."""
SHARED_TYPES: Final = frozenset(
    {"BoundMapping", "BoundPair", "FieldPair", "MappingConfig", "Field", "ReadScope", "SyncContext"}
)
"""Types of arguments that belong to all people: they are not searched."""


NOT_STEPS: Final[Mapping[str, str]] = {
    # They isolate the step that they call, and do nothing else.
    "aws.dynamodb.links.to_link": "isolates",
    "aws.dynamodb.links.read_link": "isolates",
    "plezi.contact_codec.ContactCodec.decode": "isolates",
    "plezi.contact_codec.text_of": "isolates",
    "plezi.client.PleziClient._look_up_one": "isolates",
    "salesforce.reader.Reader._located": "isolates",
    "salesforce.reader.Reader._read_row": "isolates",
    "salesforce.reader._problem": "isolates",
    "salesforce.write_answer._answer_of": "isolates",
    "salesforce.writer._Batch.encode": "isolates",
    "salesforce.writer._Batch.finish": "isolates",
    "sync.isolation.Isolation.add": "isolates",
    "sync.isolation.Isolation.count_defect": "isolates",
    "sync.isolation.Isolation.report": "isolates",
    "sync.isolation.Isolation.step": "isolates",
    "sync.read_phase._add": "isolates",
    "planning.write_outcome.defect_outcome": "isolates",
    # They read attributes of a frozen dataclass, join an id and a prefix, look for a character, or
    # hash a key: they cannot fail.
    "aws.dynamodb.item_size._value_bytes": "accessor",
    "aws.dynamodb.item_size.item_bytes": "accessor",
    "aws.dynamodb.links._is_email": "accessor",
    "aws.dynamodb.links._pointer": "accessor",
    "aws.dynamodb.scratch.DynamoScratch._item": "accessor",
    "model.links.Link.awaited_emails": "accessor",
    "model.links.Link.email_in_plezi": "accessor",
    "model.links.Link.names": "accessor",
    "model.links.Link.next_revision": "accessor",
    "model.links.Link.observation": "accessor",
    "model.links.Link.observations": "accessor",
    "model.links.Link.record_ids": "accessor",
    "model.links.Observation.is_active": "accessor",
    "model.links.Observation.participates": "accessor",
    "model.links.Observation.side": "accessor",
    "model.links.Write.is_create": "accessor",
    "model.links.Write.needs_text": "accessor",
    "model.links.Write.side": "accessor",
    "salesforce.lost_writes._key": "accessor",
    "salesforce.write_answer.Answer.is_of_batch": "accessor",
    "salesforce.write_answer.Answer.is_of_schema": "accessor",
    "salesforce.write_answer.Answer.is_temporary": "accessor",
    "salesforce.write_answer.Answer.row": "accessor",
    "sync.link_batch.LinkBatch.owner_email": "accessor",
    "sync.link_batch.LinkBatch._contains": "accessor",
    "sync.link_batch.LinkBatch._page_owner": "isolates",
    "aws.dynamodb.links.LinkStore._move": "isolates",
    "sync.selected_people._contact_placeholder": "accessor",
    "aws.dynamodb.dataclass_json._same": "accessor",
    "sync.dry_run_client._is_predicted": "accessor",
    "sync.dry_run_client.DryRunClient._predict_one": "isolates",
    # They make the parts of a run, which is for one person only in the story of a form.
    "sync.hint_work.HintWork.__init__": "run",
    "sync.hint_work.HintWork._read_contact": "run",
    "sync.hint_work.HintWork.work": "run",
    "sync.isolation.Isolation.__init__": "run",
    "sync.read_phase.ReadPhase.__init__": "run",
    "sync.resolve_phase.ResolvePhase.__init__": "run",
    "sync.resolve_phase.ResolvePhase.resolve_people": "run",
    "sync.resolve_unit.UnitResolver.__init__": "run",
    "sync.selected_people.PeopleRefresher.refresh": "run",
    "sync.write_stage.WriteStage.__init__": "run",
}
"""Functions without an injected fault, with the reason."""
OTHER_CALLERS: Final[Mapping[str, str]] = {
    "aws.dynamodb.runs.": "the record of a run for one person",
    "sync.hint_work.": "the run of a form: its only person is the whole run",
    "sync.runs.": "as above",
    "plezi.contact_codec.text_of": "the order of a list; a row that fails is decoded too, and told",
    "plezi.contact_codec.ContactCodec.stamp": "as above",
    "aws.dynamodb.dataclass_json.dumps": "tries to encode a text",
    "salesforce.lookup_queries.": "a query for many people; `is_unicode` tries to encode a text",
}
"""Callers whose calls are no steps of a link, with the reason."""
UNKEYED: Final = (
    "clean_text.canonical_email",
    "clean_text.clean",
    "plezi.contact_codec.ContactCodec._email",
)
"""Steps that make the e-mail a key: without it, a record that is not known yet is only logged."""
STORING: Final = (
    "aws.dynamodb.link_codec.",
    "aws.dynamodb.links._item",
    "aws.dynamodb.links.LinkStore._move",
    "aws.dynamodb.dataclass_json.",
    "aws.dynamodb.scratch.",
    "clean_text.is_unicode",
    "mapping.values.stored_value",
    "model.links.Link.attention",
)
"""Steps of the encoding and decoding of a link: it cannot be stored in quarantine, only logged."""


class InjectedError(RuntimeError):
    """The error that a defect of the connector would raise."""


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """A call of a function with the data of one person; both names start with the module's."""

    function: str
    caller: str

    def __str__(self) -> str:
        return f"{self.function} called by {self.caller}"


def step_modules() -> list[str]:
    """Return the names of all modules whose functions may be steps."""
    names = list(MODULES)
    for package in PACKAGES:
        path = importlib.import_module(package).__path__
        names += [f"{package}.{module.name}" for module in pkgutil.iter_modules(path)]
    return sorted(names)


@dataclass(frozen=True, slots=True)
class Target:
    """A function of the connector, where it is stored, and how a method is bound."""

    name: str
    owner: Any
    attribute: str
    function: Callable[..., Any]
    wrapper: Callable[[Callable[..., Any]], Any]


def targets() -> Iterator[Target]:
    """Yield every function and method that is defined in the modules."""
    for module_name in step_modules():
        module = importlib.import_module(module_name)
        short = module_name.removeprefix("connector.")
        for attribute, member in list(vars(module).items()):
            if getattr(member, "__module__", "") != module_name:
                continue
            if inspect.isfunction(member):
                yield Target(f"{short}.{attribute}", module, attribute, member, _plain)
            elif inspect.isclass(member):
                yield from _methods(f"{short}.{attribute}", member)


def _methods(prefix: str, owner: type) -> Iterator[Target]:
    for attribute, member in list(vars(owner).items()):
        name = f"{prefix}.{attribute}"
        if attribute.startswith("__") and (attribute != "__init__" or is_dataclass(owner)):
            continue
        match member:
            case staticmethod():
                yield Target(name, owner, attribute, member.__func__, staticmethod)
            case classmethod():
                yield Target(name, owner, attribute, member.__func__, classmethod)
            case property() if member.fget is not None:
                yield Target(name, owner, attribute, member.fget, property)
            case _ if inspect.isfunction(member):
                yield Target(name, owner, attribute, member, _plain)


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


@dataclass
class FaultInjector:
    """Replaces the functions of the connector by ones that observe, and raise where asked to.

    `faults` holds the step that fails for a person, `reached` which steps were made for whom,
    `batches` the functions that get the data of several people at once, `hits` the people whose
    fault was raised. `people` finds the person of a record's id. `functions` are the functions to
    replace (None: all); then the first person in the arguments is the only one.
    """

    faults: dict[str, Step] = field(default_factory=dict)
    reached: dict[Step, set[str]] = field(default_factory=dict)
    batches: set[str] = field(default_factory=set)
    hits: set[str] = field(default_factory=set)
    people: dict[str, str] = field(default_factory=dict)
    functions: frozenset[str] | None = None

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Replace every function, wherever it was imported by its name."""
        replaced: dict[int, Any] = {}
        for target in list(targets()):  # all modules are imported before the first patch
            if self.functions is not None and target.name not in self.functions:
                continue
            wrapped = self._wrap(target)
            patch.setattr(target.owner, target.attribute, target.wrapper(wrapped))
            if inspect.ismodule(target.owner):
                replaced[id(target.function)] = wrapped
        for name, module in list(sys.modules.items()):
            if not name.startswith("connector."):
                continue
            for attribute, member in list(vars(module).items()):
                if id(member) in replaced and member is not replaced[id(member)]:
                    patch.setattr(module, attribute, replaced[id(member)])

    def _wrap(self, target: Target) -> Callable[..., Any]:
        @functools.wraps(target.function)
        def call(*args: Any, **kwargs: Any) -> Any:
            people = self.people_in((args, kwargs))
            if len(people) == 1:
                [person] = people
                step = Step(target.name, _caller())
                self.reached.setdefault(step, set()).add(person)
                if self.faults.get(person) == step:
                    self.hits.add(person)
                    raise InjectedError(f"injected into {step}")
            elif people:
                self.batches.add(target.name)
            return target.function(*args, **kwargs)

        return call

    def people_in(self, value: object) -> set[str]:
        """Return the people whose data a value contains; two are enough to tell a batch."""
        found: set[str] = set()
        self._search(value, found, 0, 1 if self.functions is None else 0)
        return found

    def _search(self, value: object, found: set[str], depth: int, enough: int) -> None:
        if isinstance(value, str) and not isinstance(value, Enum):
            self._search_text(value, found)
        elif depth > MAX_DEPTH or len(found) > enough:
            return
        elif isinstance(value, Mapping):
            for key, member in value.items():
                self._search(key, found, depth + 1, enough)
                self._search(member, found, depth + 1, enough)
        elif isinstance(value, list | tuple | set | frozenset):
            for member in value:
                self._search(member, found, depth + 1, enough)
        elif isinstance(value, bytes):
            return
        elif (
            is_dataclass(value)
            and not isinstance(value, type)
            and type(value).__name__ not in SHARED_TYPES
            and type(value).__module__.startswith("connector.")
        ):
            for each in fields(value):
                self._search(getattr(value, each.name), found, depth + 1, enough)

    def _search_text(self, text: str, found: set[str]) -> None:
        if (person := self.people.get(text)) is not None:
            found.add(person)
        elif (match := PERSON.search(text.lower())) is not None:
            found.add(match.group())


def _caller() -> str:
    """Return the connector's function that made the call; frames of this module do not count."""
    frame: FrameType | None = sys._getframe(2)  # the call stack without building a traceback
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.startswith("connector."):
            return f"{name.removeprefix('connector.')}.{frame.f_code.co_qualname}"
        if name != __name__:
            return f"{name}.{frame.f_code.co_qualname}"
        frame = frame.f_back
    return ""
