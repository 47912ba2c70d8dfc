"""The end of the writing part: the throwaway contact is deleted, or has its values again."""

from __future__ import annotations

from connector.plezi.probe.context import ProbeContext
from connector.plezi.probe.throwaway import Throwaway
from connector.plezi.probe.write_steps import NOT_WRITTEN, update_verb


def clean_up(context: ProbeContext) -> None:
    """Delete the contact if the probe created it, else write back what it had; say what is left."""
    contact, evidence, verb = Throwaway(context), context.evidence, update_verb(context)
    if not contact.is_usable():
        evidence.assume("deletion", NOT_WRITTEN)
        return
    if not contact.is_created:
        message = "the throwaway contact existed, or may have: it is not deleted"
        evidence.assume("deletion", message)
        _restore(context, contact, verb)
        return
    answer = contact.delete()
    if answer.is_ok:
        evidence.prove("deletion", f"a contact is deleted: {answer.status}")
        return
    evidence.contradict("deletion", f"a contact cannot be deleted: {answer.error}")
    left = f"the throwaway contact {contact.record_id}: delete it in Plezi"
    evidence.left_behind.append(left)


def _restore(context: ProbeContext, contact: Throwaway, verb: str) -> None:
    """Write back what a contact that existed had before; say what cannot be restored."""
    evidence = context.evidence
    ways = evidence.facts.get("ways", {}).values()
    if any(way["works"] and not way["keeps"] for way in ways):
        evidence.left_behind.append("the throwaway contact lost attributes that were not named")
    before = contact.before
    if verb and before and contact.write(verb, before).is_ok:
        row, _ = contact.wait_for(lambda row: contact.shows(row, before))
        if contact.shows(row, before):
            return
    names = ", ".join(before or contact.tenant_names())
    evidence.left_behind.append(f"the throwaway contact has values of the probe in {names}")
