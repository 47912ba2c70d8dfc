"""Questions that only a write can answer, all about the throwaway contact.

Each step can be repeated: an invocation may end in the middle of one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from connector.errors import StaleError
from connector.plezi.api_dialect import ClearsWith, UpdateMethod
from connector.plezi.probe.answers import Answer, Row, attributes_of
from connector.plezi.probe.contact_steps import NEVER_BLANK, record_page_address
from connector.plezi.probe.context import MAX_SAMPLE, ProbeContext
from connector.plezi.probe.evidence import Evidence
from connector.plezi.probe.list_steps import REFUSED_KEY
from connector.plezi.probe.throwaway import MAX_LAG_SECONDS, Throwaway

NOT_WRITTEN: Final = "the throwaway contact could not be written"
WRITE_RIGHT: Final = "write_right"
"""The finding about the key, and the refusal of one that only reads: no key of the dialect."""
NO_WRITE_RIGHT: Final = (
    "the API key may read contacts and not write them: create a key with the right to write in "
    "Plezi, put it in the secret, and probe again with a throwaway contact"
)
NO_METHOD: Final = "no way to update a contact works"
CREATED: Final = "Created"
KEPT: Final = "Kept"
TAKEN: Final = frozenset({409, 422})
"""Statuses of a creation whose e-mail may belong to a contact (`client.REFUSED_CREATIONS`)."""
TEXTS_NEEDED: Final = 2
"""One attribute is written, another one shows what a write does to those that it does not name."""
NO_CLEARING: Final = (
    "neither a null nor an empty text clears an attribute: values that users delete would stay"
)
STAMP_SECONDS: Final = 1.0
"""A stamp may count whole seconds: so long after it, a new one differs."""
METHODS: Final = {
    UpdateMethod.PUT: "PUT",
    UpdateMethod.PATCH: "PATCH",
    UpdateMethod.POST_UPSERT: "POST",
}
"""The ways to update a contact, in the order of preference: what is assumed comes first."""
NO_UPDATE: Final = (
    "no way to update a contact works and keeps the attributes that are not named: each "
    "synchronized field would clear all others"
)


def find_throwaway(context: ProbeContext) -> None:
    """Look for the throwaway contact before anything is written.

    Raises `StaleError` if it exists, or may exist, and the admin did not say that it may be used.
    """
    contact = Throwaway(context)
    if contact.is_usable():
        return
    row, is_sure = _existing(context, contact)
    if row is None and is_sure:
        context.evidence.facts["is_new"] = True
        return
    if not context.evidence.may_exist:
        exists = "exists in Plezi" if row is not None else "may exist: this tenant cannot search"
        raise StaleError(
            f"the contact {exists}. Name an e-mail that no contact has, or send "
            '"throwaway": true to let the probe overwrite this contact'
        )
    if row is not None:
        contact.adopt(row, is_before=True)


def _existing(context: ProbeContext, contact: Throwaway) -> tuple[Row | None, bool]:
    """Return the contact if it exists, and whether the answer is sure."""
    evidence = context.evidence
    if evidence.found.get("finds_by_email") is True:
        rows = context.calls.get("contacts", {"filter[email]": contact.email}).rows
    elif evidence.facts["is_all"] and evidence.facts["seen"] < MAX_SAMPLE:
        rows = context.page(1, MAX_SAMPLE).rows  # one page shows every contact
    else:
        return None, False
    if rows is None:
        return None, False
    found = [row for row in rows if context.email_of(row) == contact.email]
    return (found[0] if found else None), True


def create(context: ProbeContext) -> None:
    """Create the throwaway contact, unless it exists."""
    contact, evidence = Throwaway(context), context.evidence
    if contact.is_usable():
        evidence.assume("create", "the throwaway contact existed already")
        return
    is_new = evidence.facts.get("is_new", False)
    if is_new and (row := contact.read()) is not None:
        _adopt_created(evidence, contact, row)  # the answer of an earlier invocation was lost
        return
    answer = contact.write("POST", contact.values(last_name=KEPT, first_name=CREATED))
    if is_new and answer.status in TAKEN:
        row, _ = contact.wait_for(lambda row: row is not None)
        if row is not None:
            _adopt_created(evidence, contact, row)
            return
    if not answer.is_ok:
        name = WRITE_RIGHT if answer.status in REFUSED_KEY else "create"
        evidence.contradict(name, f"a contact cannot be created: {answer.error}")
        if name == WRITE_RIGHT:
            evidence.refuse(WRITE_RIGHT, f"{NO_WRITE_RIGHT} ({answer.error})", by_writing=True)
        return
    row = answer.row or contact.wait_for(lambda row: row is not None)[0]
    if row is None:
        evidence.contradict("create", "a creation is accepted, and no contact is shown")
        return
    contact.adopt(row, created=is_new)
    _note_write_right(evidence)
    evidence.prove("create", f"a contact is created: {answer.status}")


def _note_write_right(evidence: Evidence) -> None:
    evidence.refusals.pop(WRITE_RIGHT, None)
    evidence.prove(WRITE_RIGHT, "the key may write contacts")


def _adopt_created(evidence: Evidence, contact: Throwaway, row: Row) -> None:
    """Use a contact that exists now and did not before, if it has the values of the creation."""
    if contact.shown(row, "first_name") != CREATED or contact.shown(row, "last_name") != KEPT:
        raise StaleError("another user has created the throwaway contact in the meantime")
    contact.adopt(row, created=True)
    _note_write_right(evidence)
    evidence.prove("create", "a contact is created; the answer was lost")


def check_visibility(context: ProbeContext) -> None:
    """Wait until reads show the contact; see which attributes they leave out, and its page."""
    contact, evidence = Throwaway(context), context.evidence
    if not contact.is_usable():
        evidence.assume("read_lag", NOT_WRITTEN)
        return
    row, seconds = contact.wait_for(lambda row: row is not None)
    if row is None:
        message = f"reads do not show the contact within {MAX_LAG_SECONDS:.0f} s"
        evidence.contradict("read_lag", f"{message}: the answers to writes were used instead")
        contact.note_unreadable()
        return
    _note_lag(context, seconds)
    record_page_address(context, row)
    described = {each["name"] for each in evidence.facts["attributes"]}
    lacking = set(evidence.facts["shown"] or described) - set(attributes_of(row)) - NEVER_BLANK
    if lacking:
        message = f"the new contact lacks {len(lacking)} attributes: blank ones are left out"
        evidence.contradict("blanks", message, omits_blanks=True)


def ask_again(context: ProbeContext, step: Callable[[ProbeContext], None]) -> None:
    """Ask a question again that an empty tenant left open: it has the throwaway contact now."""
    if not context.evidence.facts["seen"] and Throwaway(context).is_usable():
        step(context)


def _note_lag(context: ProbeContext, seconds: float) -> None:
    """Record the longest time after which a read showed a write, in whole seconds."""
    facts = context.evidence.facts
    facts["lag"] = max(facts.get("lag", 0), int(seconds))
    if facts["lag"] >= 1:
        context.evidence.contradict("read_lag", f"reads show a write after about {facts['lag']} s")
    else:
        context.evidence.prove("read_lag", "reads show a write at once")


def check_method(context: ProbeContext, method: UpdateMethod) -> None:
    """Update the contact in one way: whether it works, and keeps what it does not name."""
    contact = Throwaway(context)
    if not contact.is_usable():
        return
    if len(contact.texts()) < TEXTS_NEEDED:
        return
    verb, (name, other) = METHODS[method], contact.texts()[:TEXTS_NEEDED]
    ways: dict[str, Any] = context.evidence.facts.setdefault("ways", {})
    first = contact.write(verb, {name: f"{verb} 1", other: KEPT})
    if not first.is_ok or not _is_same(context, contact, first):
        ways[method.value] = {"works": False, "status": first.status, "error": first.error}
        return
    second = contact.write(verb, {name: f"{verb} 2"})
    row, seconds = contact.wait_for_value(second, name, f"{verb} 2")
    works = second.is_ok and contact.shown(row, name) == f"{verb} 2"
    keeps = contact.shown(row, other) == KEPT
    if works:
        _note_lag(context, seconds)
    ways[method.value] = {"works": works, "keeps": keeps, "status": second.status, "error": ""}


def _is_same(context: ProbeContext, contact: Throwaway, answer: Answer) -> bool:
    """Return whether an answer is about the same contact; note a second one."""
    record_id = "" if answer.row is None else context.codec.record_id(answer.row)
    if record_id in ("", contact.record_id):
        return True
    context.evidence.facts["second"] = record_id
    return False


def conclude_methods(context: ProbeContext) -> None:
    """Decide how contacts are updated, and record what a known e-mail does."""
    evidence = context.evidence
    ways = evidence.facts.get("ways", {})
    if len(ways) < len(METHODS):
        evidence.assume("update_method", NOT_WRITTEN)
        evidence.assume("known_email", NOT_WRITTEN)
        return
    _record_known_email(context, ways[UpdateMethod.POST_UPSERT.value])
    evidence.refusals.pop("update_method", None)
    usable = [each for each in METHODS if _is_usable(ways[each.value])]
    each_way = "; ".join(f"{METHODS[each]} {_way_text(ways[each.value])}" for each in METHODS)
    if not usable:
        evidence.contradict("update_method", each_way)
        evidence.refuse("update_method", f"{NO_UPDATE} ({each_way})", by_writing=True)
        return
    best = usable[0]
    record = evidence.prove if best is UpdateMethod.PUT else evidence.contradict
    record("update_method", each_way, update_method=best.value)


def _is_usable(way: Mapping[str, Any]) -> bool:
    return bool(way.get("works") and way.get("keeps"))


def _way_text(way: Mapping[str, Any]) -> str:
    if not way["works"]:
        return f"does not work ({way['error'] or way['status']})"
    return "updates a contact" if way["keeps"] else "clears the attributes that it does not name"


def _record_known_email(context: ProbeContext, way: Mapping[str, Any]) -> None:
    evidence = context.evidence
    if second := evidence.facts.get("second"):
        message = "a POST with a known e-mail makes a second contact"
        evidence.contradict("known_email", message)
        left = f"a second contact of the throwaway e-mail: {second}. Delete it in Plezi"
        evidence.left_behind.append(left)
    elif way["works"]:
        evidence.prove("known_email", "a POST with a known e-mail updates the contact")
    elif way["error"]:
        evidence.contradict("known_email", f"a POST with a known e-mail is refused: {way['error']}")
    else:
        evidence.contradict("known_email", "a POST with a known e-mail changes nothing")


def update_verb(context: ProbeContext) -> str:
    """Return the verb of the way to update that was found ('': none works)."""
    ways = context.evidence.facts.get("ways", {})
    usable = (verb for way, verb in METHODS.items() if _is_usable(ways.get(way.value, {})))
    return next(usable, "")


def check_blanks(context: ProbeContext) -> None:
    """Write a null and an empty text, see whether each clears, and decide how to clear.

    A tenant that ignores what clears an attribute would keep a value that users have deleted.
    """
    contact, evidence, verb = Throwaway(context), context.evidence, update_verb(context)
    evidence.refusals.pop("clears_with", None)
    if not verb:
        evidence.assume("null", NO_METHOD)
        evidence.assume("empty_text", NO_METHOD)
        return
    clears_null = _clears(context, contact, verb, "null", None)
    if _clears(context, contact, verb, "empty_text", "") or clears_null:
        way = ClearsWith.NULL if clears_null else ClearsWith.EMPTY_TEXT
        evidence.found["clears_with"] = way.value
    else:
        evidence.refuse("clears_with", NO_CLEARING, by_writing=True)


def _clears(
    context: ProbeContext, contact: Throwaway, verb: str, finding: str, blank: str | None
) -> bool:
    """Fill an attribute, then write a blank; return whether that clears it."""
    evidence, name = context.evidence, contact.texts()[-1]
    filled = contact.write(verb, {name: KEPT})
    contact.wait_for_value(filled, name, KEPT)
    answer = contact.write(verb, {name: blank})
    if not answer.is_ok:
        evidence.contradict(finding, f"it is refused: {answer.error}")
        return False
    row, _ = contact.wait_for_value(answer, name, None)
    if contact.shown(row, name) is None:
        evidence.prove(finding, "it clears an attribute")
        return True
    evidence.contradict(finding, "it is accepted, and does not clear the attribute")
    return False


def check_unchanged_write(context: ProbeContext) -> None:
    """Write the same value twice, and see by the answers whether `updated_at` moves."""
    contact, evidence, verb = Throwaway(context), context.evidence, update_verb(context)
    texts = dict.fromkeys(contact.texts()[:1], KEPT)
    row = contact.write(verb, texts).row if verb else None
    stamp = context.codec.stamp(row)
    if row is None or not stamp:
        evidence.assume("unchanged_write", NO_METHOD if not verb else "'updated_at' is not shown")
        return
    context.pause(STAMP_SECONDS)
    if context.codec.stamp(contact.write(verb, texts).row) == stamp:
        evidence.prove("unchanged_write", "a write without a change keeps 'updated_at'")
    else:
        evidence.contradict("unchanged_write", "a write without a change moves 'updated_at'")


def check_lists(context: ProbeContext) -> None:
    """Write one option of a list of several choices, then another: replaced, or added."""
    contact, evidence, verb = Throwaway(context), context.evidence, update_verb(context)
    types = evidence.dialect.attribute_types
    lists = [
        each
        for each in evidence.facts["attributes"]
        if types.get(each["type"], each["type"]) == "multi_list"
        and each["is_writable"]
        and each["is_custom"]  # a newsletter or a consent would have consequences
        and len(each["options"]) > 1
    ]
    if not verb or not lists:
        why = "the tenant describes no list of its own with two options"
        evidence.assume("lists", why if verb else NO_METHOD)
        return
    name, (first, second) = lists[0]["name"], lists[0]["options"][:2]
    contact.remember(name)
    row: Row | None = None
    for option in (first, second):
        answer = contact.write(verb, {name: [option]})
        if not answer.is_ok:
            evidence.contradict("lists", f"the key of an option is refused: {answer.error}")
            return
        row, _ = _wait_for_option(contact, answer, name, option)
    chosen = contact.shown(row, name)
    if chosen == [second]:
        evidence.prove("lists", "written options replace those of a contact")
    elif _has_option(chosen, second):
        message = "written options are added: an option cannot be removed. Map such a list from "
        evidence.contradict("lists", f"{message}Plezi to Salesforce only")
    else:
        evidence.contradict("lists", "a written option is not shown")


def _wait_for_option(
    contact: Throwaway, answer: Answer, name: str, option: object
) -> tuple[Row | None, float]:
    return contact.wait_after(answer, lambda row: _has_option(contact.shown(row, name), option))


def _has_option(chosen: object, option: object) -> bool:
    return isinstance(chosen, list) and option in chosen
