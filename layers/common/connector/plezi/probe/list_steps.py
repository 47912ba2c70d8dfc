"""Questions about the list of contacts: access, pages, and what it can be limited and sorted by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from connector.mapping.literals import format_stamp
from connector.plezi.api_dialect import PAGE_SIZES, ChangedSince, Pager
from connector.plezi.probe.answers import Answer, Rows, ids_of, paging
from connector.plezi.probe.context import ProbeContext, TenantNotUsableError
from connector.plezi.reader import SINCE_PARAMETER

REFUSED_KEY: Final = frozenset({401, 403})
NOT_FOUND: Final = 404
"""HTTP: nothing is at this address."""
ALL_ROWS: Final = "the tenant has no more contacts than one page"
NO_CONTACT: Final = "the tenant has no contact that could show it"
SIZES: Final = (100, 50, 20, 10)
"""Sizes of a page that are tried, from the assumed maximum on."""
NOBODY: Final = "nobody@plezi-probe.invalid"
"""An address that no contact has: the domain `.invalid` is reserved (RFC 2606)."""
UNKNOWN_PARAMETER: Final = "plezi_probe"
OLDEST: Final = {"sort_by": "updated_at", "sort_dir": "asc"}
NEWEST: Final = {"sort_by": "updated_at", "sort_dir": "desc"}


def check_access(context: ProbeContext) -> None:
    """Ask whether the tenant answers, accepts the key, and lists contacts as assumed.

    Raises `TenantNotUsableError` where nothing else can be asked.
    """
    answer = context.calls.get("contacts")
    evidence = context.evidence
    if answer.rows is not None:
        evidence.prove("reachable", "Plezi answers, and accepts the key for reading")
        evidence.prove("list_form", "a list is an object with 'data', as in JSON:API")
        return
    if answer.is_ok:
        evidence.contradict("list_form", f"a list has no 'data' (form {answer.form or 'none'})")
        raise TenantNotUsableError(
            "Plezi's list of contacts has no 'data': check the parameter PleziBaseUrl"
        )
    evidence.contradict("reachable", f"Plezi refuses to list contacts: {answer.error}")
    if answer.status in REFUSED_KEY:
        remedy = "check the API key, its rights and the tenant's name in the secret"
    elif answer.status == NOT_FOUND:
        remedy = "check the parameter PleziBaseUrl, and the tenant's name in the secret"
    else:
        remedy = "check the parameter PleziBaseUrl"
    raise TenantNotUsableError(f"Plezi answered {answer.error}: {remedy}")


def check_headers(context: ProbeContext) -> None:
    """Ask whether both headers are needed, and what a refusal looks like."""
    evidence = context.evidence
    for name, header in (("key_header", "X-API-Key"), ("tenant_header", "X-Tenant-Company")):
        answer = context.calls.get("contacts", without=header)
        if answer.is_ok:
            evidence.contradict(name, f"a call without {header} is answered too")
        else:
            evidence.prove(name, f"a call without {header} is refused: {answer.status}")
            note_error_form(context, answer)


def note_error_form(context: ProbeContext, answer: Answer) -> None:
    """Record the form of a refusal."""
    errors = answer.body.get("errors") if answer.body is not None else None
    if isinstance(errors, list):
        context.evidence.prove("error_form", "a refusal is JSON with 'errors', as in JSON:API")
    else:
        form = answer.form or "no content"
        context.evidence.contradict("error_form", f"a refusal has no 'errors' ({form})")


def find_pager(context: ProbeContext) -> None:
    """Ask for two pages of one contact in each way of paging, and compare them."""
    evidence = context.evidence
    outcomes = {pager: _pager_outcome(context, pager) for pager in Pager}
    works = [pager for pager, outcome in outcomes.items() if outcome == "works"]
    accepted = [pager for pager, outcome in outcomes.items() if outcome == "accepted"]
    evidence.refusals.pop("pager", None)
    if works:
        _record_pager(context, works[0], "its pages show different contacts")
    elif len(accepted) == 1 and "refused" in outcomes.values():
        _record_pager(context, accepted[0], "the other one is refused")
    elif accepted:
        evidence.assume("pager", NO_CONTACT)
    else:
        evidence.contradict("pager", "neither page and per_page nor offset and limit work")
        evidence.refuse("pager", "the list of contacts cannot be read page by page")


def _pager_outcome(context: ProbeContext, pager: Pager) -> str:
    """Return whether a way of paging works, is refused or ignored, or is accepted at least."""
    first = context.calls.get("contacts", paging(pager, 1, 1))
    if first.rows is None:
        return "refused"
    second = context.calls.get("contacts", paging(pager, 2, 1))
    if second.rows is None:
        return "refused"
    if not first.rows:
        return "accepted"
    is_limited = len(first.rows) == 1 and len(second.rows) <= 1
    return "works" if is_limited and ids_of(first.rows) != ids_of(second.rows) else "ignored"


def _record_pager(context: ProbeContext, pager: Pager, why: str) -> None:
    names = " and ".join(reversed(list(paging(pager, 1, 1))))
    record = context.evidence.prove if pager is Pager.PAGE else context.evidence.contradict
    record("pager", f"{names} work: {why}", pager=pager.value)


def find_page_size(context: ProbeContext) -> None:
    """Ask for the largest page; it is known once the tenant has more contacts than one page."""
    evidence = context.evidence
    rows: Rows = []
    requested = 0
    for size in SIZES:
        answer = context.page(size=size)
        if answer.rows is not None:
            rows, requested = answer.rows, size
            break
    evidence.facts["seen"], evidence.facts["total"] = len(rows), answer.total
    evidence.facts["is_all"] = False
    if len(rows) == requested == SIZES[0]:
        _try_larger(context)
    elif len(rows) == requested or _has_more(context, rows):
        evidence.contradict(
            "page_size", f"a page has {len(rows)} contacts at most", page_size=max(len(rows), 1)
        )
    else:
        evidence.facts["is_all"] = True
        evidence.assume("page_size", f"{ALL_ROWS}: {len(rows)}")
        if evidence.dialect.pager is Pager.LIMIT_OFFSET and rows:
            # An offset counts contacts: a page that is smaller than asked would leave some out.
            evidence.found["page_size"] = min(len(rows), PAGE_SIZES[-1])


def _has_more(context: ProbeContext, rows: Rows) -> bool:
    """Return whether contacts follow a page that is smaller than it was asked for."""
    following = context.page(2, len(rows)).rows if rows else []
    return bool(set(ids_of(following or [])) - set(ids_of(rows)))


def _try_larger(context: ProbeContext) -> None:
    most = PAGE_SIZES[-1]
    rows = context.page(size=most).rows or []
    is_larger = len(rows) > SIZES[0] and (len(rows) == most or _has_more(context, rows))
    size = len(rows) if is_larger else SIZES[0]
    context.evidence.prove("page_size", f"a page has {size} contacts", page_size=size)


def find_order(context: ProbeContext) -> None:
    """Ask for the list in both directions of `updated_at`, and compare the stamps."""
    evidence = context.evidence
    size = context.sample_size()
    oldest, newest = context.page(1, size, OLDEST), context.page(1, size, NEWEST)
    if oldest.rows is None or newest.rows is None:
        refused = oldest if oldest.rows is None else newest
        evidence.contradict("order", f"sort_by is refused: {refused.error}", newest_first=False)
        return
    rising, falling = _stamps(context, oldest.rows), _stamps(context, newest.rows)
    if not oldest.rows and not newest.rows:
        evidence.assume("order", NO_CONTACT)
    elif not any([*rising, *falling]):
        evidence.contradict("order", "contacts show no 'updated_at'", newest_first=False)
    elif rising != sorted(rising) or falling != sorted(falling, reverse=True):
        evidence.contradict("order", "the list ignores sort_by or sort_dir", newest_first=False)
    elif len({*rising, *falling}) < 2:  # noqa: PLR2004  # an order needs two different stamps
        evidence.assume("order", "all contacts that were seen have the same 'updated_at'")
    else:
        evidence.prove("order", "the list sorts by updated_at, both ways", newest_first=True)


def _stamps(context: ProbeContext, rows: Rows) -> list[str]:
    codec = context.codec
    return [codec.stamp(row) for row in rows]


def find_filter(context: ProbeContext) -> None:
    """Ask for a changed-since filter under one name after the other, and compare the results."""
    evidence = context.evidence
    row = context.first_contact()
    if row is None:
        evidence.assume("changed_since", NO_CONTACT)
        return
    none = ChangedSince.NONE.value
    stamp = context.codec.stamp(row)
    if not stamp:
        message = "contacts show no 'updated_at', by which a filter could be checked"
        evidence.contradict("changed_since", message, changed_since=none)
        return
    if evidence.found.get("newest_first") is False:
        message = "a filter is of no use where the list does not sort by updated_at"
        evidence.contradict("changed_since", message, changed_since=none)
        return
    outcomes = []
    for way, name in SINCE_PARAMETER.items():
        outcome = _filter_outcome(context, name, stamp)
        if not outcome:
            record = evidence.prove if way is ChangedSince.FILTER else evidence.contradict
            record("changed_since", f"{name} limits the list", changed_since=way.value)
            return
        outcomes.append(f"{name} {outcome}")
    evidence.contradict("changed_since", "; ".join(outcomes), changed_since=none)


def _filter_outcome(context: ProbeContext, name: str, stamp: str) -> str:
    """Return '' if a filter limits the list to what changed at a time or later, else what it does.

    Unknown parameters are often ignored without a word: only a list that is empty for a time that
    is still to come, and is not for that of a contact, shows a filter.
    """
    to_come = format_stamp(datetime.fromtimestamp(context.clock(), UTC) + timedelta(days=1))
    late = context.page(1, 1, {**OLDEST, name: to_come})
    if late.rows is None:
        return f"is refused: {late.error}"
    if late.rows:
        return "is ignored"
    known = context.page(1, context.sample_size(), {**OLDEST, name: stamp})
    if known.rows is None:
        return f"is refused: {known.error}"
    stamps = _stamps(context, known.rows)
    if not stamps:
        return "leaves out a contact that changed at that time"
    return "" if min(stamps) >= stamp else "returns contacts that changed before"


def find_email_filter(context: ProbeContext) -> None:
    """Ask for the contact of a known e-mail, and for one that no contact has."""
    evidence = context.evidence
    nobody = context.calls.get("contacts", {"filter[email]": NOBODY})
    if nobody.rows is None:
        message = f"filter[email] is refused: {nobody.error}"
        evidence.contradict("email_filter", message, finds_by_email=False)
        return
    if nobody.rows:
        evidence.contradict("email_filter", "filter[email] is ignored", finds_by_email=False)
        return
    row = context.first_contact()
    email = context.email_of(row) if row is not None else ""
    if row is None or not email:
        evidence.assume("email_filter", NO_CONTACT)
        return
    found = context.calls.get("contacts", {"filter[email]": email}).rows or []
    if ids_of([row]) == ids_of(found):
        evidence.prove("email_filter", "filter[email] finds the contact", finds_by_email=True)
    else:
        message = "filter[email] does not find a contact by its own e-mail"
        evidence.contradict("email_filter", message, finds_by_email=False)


def check_totals(context: ProbeContext) -> None:
    """Compare the total of the list with what was seen, and ask for an unknown parameter."""
    evidence = context.evidence
    seen, total = evidence.facts["seen"], evidence.facts["total"]
    if total is None:
        evidence.contradict("totals", "the list states no total; the connector needs none")
    elif total < seen or (evidence.facts["is_all"] and total != seen):
        evidence.contradict("totals", f"the total is wrong: {total} of {seen} contacts")
    elif evidence.facts["is_all"]:
        evidence.prove("totals", "meta.total_results is the number of contacts")
    else:
        evidence.assume("totals", f"the list states {total} contacts; not all were counted")
    unknown = context.page(1, 1, {UNKNOWN_PARAMETER: "1"})
    if unknown.is_ok:
        evidence.prove("unknown_parameters", "an unknown parameter is ignored without a word")
    else:
        evidence.prove("unknown_parameters", f"an unknown parameter is refused: {unknown.status}")
