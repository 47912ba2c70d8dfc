"""The probe of the Plezi tenant: what its API is like, and which dialect is in use."""

from __future__ import annotations

from dataclasses import dataclass

from connector.admin.context import AdminContext
from connector.admin.errors import InvalidRequestError, UnknownItemError
from connector.clean_text import canonical_email, is_email_address
from connector.errors import StaleError
from connector.model import state_digest
from connector.probe_report import (
    DialectValue,
    ProbeReport,
    ProbeState,
    load_found_dialect,
    load_probe,
)


@dataclass(frozen=True, slots=True)
class DialectView:
    """What differs between the tenant's API and the assumed API, as the last probe found it.

    `probed_at` is in seconds since 1970. `overridden` are the keys that the stack's parameter
    PleziDialect sets in their place. `refusal` says why the tenant cannot be served ('': it can).
    """

    tenant: str
    probed_at: float
    keys: dict[str, DialectValue]
    overridden: tuple[str, ...]
    refusal: str


def probe_plezi(
    context: AdminContext, actor: str, *, contact: str = "", throwaway: bool = False
) -> ProbeReport:
    """Go on with the probe of the tenant, or begin one.

    `contact` is the e-mail of a throwaway contact: without it, the probe only reads. With
    `throwaway`, the contact may exist, and is overwritten. Raises `InvalidRequestError` for a text
    that is no e-mail; `StaleError` while synchronization is enabled, for a contact that is
    synchronized, and for one that exists although it may not.
    """
    email = canonical_email(contact)
    if email:
        _check_consent(context, email)
        if not _is_running(context, email):
            context.audit_change(actor, "write a throwaway contact in plezi")
    before = load_found_dialect(context.documents)
    report = context.probe.run(email, may_exist=throwaway)
    found = load_found_dialect(context.documents)
    if report.state is ProbeState.DONE:
        if found.keys != before.keys or found.tenant != before.tenant:
            context.sides().invalidate_schemas()  # attributes may have other names now
        digests = state_digest(before.keys), state_digest(found.keys)
        context.audit_change(actor, "probe plezi", report.tenant, *digests)
    return report


def _is_running(context: AdminContext, email: str) -> bool:
    """Return whether a probe that writes this contact goes on."""
    stored = load_probe(context.documents)
    if stored is None:
        return False
    return stored[0].state is ProbeState.RUNNING and stored[0].contact == email


def last_probe(context: AdminContext) -> ProbeReport:
    """Return the report of the last probe. Raises `UnknownItemError` when none was made."""
    stored = load_probe(context.documents)
    if stored is None:
        raise UnknownItemError("no probe was made: POST /admin/plezi/probe makes one")
    return stored[0]


def dialect_view(context: AdminContext) -> DialectView | None:
    """Return the dialect that was found; None before the first probe."""
    found = load_found_dialect(context.documents)
    if not found.tenant:
        return None
    return DialectView(
        found.tenant,
        found.probed_at,
        found.keys,
        tuple(sorted(context.overridden_keys)),
        found.first_refusal(context.overridden_keys),
    )


def _check_consent(context: AdminContext, email: str) -> None:
    """Raise if the probe must not write this contact, or not now."""
    if not is_email_address(email):
        raise InvalidRequestError("contact: give the e-mail of a throwaway contact")
    if context.control.is_enabled():
        raise StaleError(
            "synchronization is enabled: a run would carry the throwaway contact to Salesforce. "
            "Pause it (POST /admin/pause), probe, then start it again"
        )
    if email in context.review.load_links([email]):
        raise StaleError(
            "the contact is synchronized with Salesforce: name another e-mail, best one that no "
            "contact has"
        )
