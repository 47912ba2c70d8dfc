"""Responses of the admin API, as small as their descriptions allow; tests change what they need."""

from __future__ import annotations

from typing import Any

from tests.unit.cli.conftest import NOW

RUN_ID = "20261126T150000-1"
EMAIL = "ana@example.com"
PLEZI_ID, LEAD_ID = "98ae20", "00Q8d0"


def run(state: str = "done", **changes: Any) -> dict[str, Any]:
    """One run, without its journal."""
    progress = {
        "phase": "resolve",
        "stage": "",
        "people_listed": 200,
        "people_finished": 50,
        "people_an_hour": 3600.0,
        "seconds_left": 150.0,
        "last_invocation_at": NOW - 10,
        "last_error": "",
    }
    return {
        "run_id": RUN_ID,
        "kind": "changes",
        "state": state,
        "requested_at": NOW - 100,
        "started_at": NOW - 90,
        "finished_at": 0.0 if state in ("requested", "running") else NOW - 60,
        "duration_seconds": 30.0,
        "invocations": 1,
        "mapping_version": 3,
        "people": 0,
        "counts": {"plezi": {"created": 2, "calls": 7}, "salesforce": {"updated": 5}},
        "progress": progress,
        "reason": "",
        "message": "",
        "problems": [],
        "undoes": "",
        "undo_field": "",
        "undo_both_sides": False,
        "repairs": "",
        "verification": None,
        "expected": None,
        **changes,
    }


def run_detail(state: str = "done", **changes: Any) -> dict[str, Any]:
    """One run with a page of its journal, or of its plan."""
    return {**run(state), "journal": [], "next": "", "undos": [], **changes}


def entry(**changes: Any) -> dict[str, Any]:
    """One entry of a journal or of a plan."""
    return {
        "email": EMAIL,
        "at": NOW - 70,
        "run_id": RUN_ID,
        "kind": "written",
        "side": "salesforce",
        "record": LEAD_ID,
        "field": "Phone",
        "before": None,
        "after": "+33123456789",
        "rule": "changed",
        "newer_run": "",
        **changes,
    }


def probe(**changes: Any) -> dict[str, Any]:
    """The report of a probe that has ended."""
    finding = {"name": "sort", "certainty": "proved", "message": "newest first"}
    return {
        "tenant": "acme",
        "started_at": NOW - 20,
        "contact": "",
        "state": "done",
        "ended_at": NOW,
        "message": "",
        "calls": 22,
        "steps_left": 0,
        "findings": [finding],
        "dialect": {"page_size": 50},
        "refusals": [],
        "left_behind": [],
        "changed": [],
        **changes,
    }


def status(**changes: Any) -> dict[str, Any]:
    """The status of a stack with nothing to do."""
    attention = dict.fromkeys(("hold", "quarantine", "duplicate", "no_email", "shared"), 0)
    return {
        "version": "0.2.0",
        "started": True,
        "breaker": None,
        "mapping_version": 3,
        "applied_version": 3,
        "manual_sync": {"due": False, "why": ""},
        "first_sync": {"stage": "all", "done": True},
        "last_run": run(),
        "last_verification": None,
        "attention": {**attention, "counted_to": 1000, **changes.pop("attention", {})},
        "suspended_pairs": [],
        "alert_recipients": [
            {"protocol": "email", "endpoint": "ops@example.com", "confirmed": True}
        ],
        "api_budget": {"org_used": 900, "org_allowed": 100_000, "ours": 40, "our_share": 20_000},
        "password_expires_in_days": 12,
        "plezi_dialect": {
            "tenant": "acme",
            "probed_at": NOW - 86_400,
            "keys": {"page_size": 50},
            "overridden": [],
            "refusal": "",
        },
        **changes,
    }


def pair(plezi: str, salesforce: str, direction: str = "both", **changes: Any) -> dict[str, Any]:
    """One pair of a mapping as it is shown."""
    return {
        "plezi": plezi,
        "salesforce": salesforce,
        "direction": direction,
        "policy": "newest",
        "contact": "",
        "placeholder": "",
        "locked": False,
        "enforced": False,
        "values": [],
        "saved": True,
        "mandatory": False,
        "directions": ["both", "to_plezi", "to_salesforce"],
        "reason": "",
        **changes,
    }


def mapping(version: int = 3, *pairs: dict[str, Any]) -> dict[str, Any]:
    """A mapping; by default with the e-mail, and a suggestion for the phone."""
    default = (
        pair("email", "Email", locked=True, mandatory=True),
        pair("phone", "Phone", "off", saved=False),
    )
    return {
        "version": version,
        "pairs": list(pairs or default),
        "contact_filter": {"field": "sync__c", "operator": "equals", "value": "yes"},
        "lead_filter": None,
        "duplicates": "mirror",
        "create_lead_beside_contact": False,
        "phone_region": "FR",
        "saved_by": "arn:aws:iam::1:user/admin",
        "saved_at": NOW - 3600,
        "suggestions_error": "",
    }


def saved(version: int = 4, *changed: dict[str, str], **changes: Any) -> dict[str, Any]:
    """The result of a save."""
    default = ({"pair": "Phone", "field": "", "before": "", "after": "phone both"},)
    return {
        "mapping": mapping(version),
        "changed": list(changed or default),
        "warnings": [],
        "manual_sync_due": True,
        **changes,
    }


def hold(**changes: Any) -> dict[str, Any]:
    """A held field with two values."""
    values = (("contact", PLEZI_ID, "111"), ("Lead", LEAD_ID, "222"))
    return {
        "field": "Phone",
        "reason": "conflict",
        "since": NOW - 600,
        "values": [
            {"kind": kind, "record": record, "value": value, "can_be_chosen": True}
            for kind, record, value in values
        ],
        "chosen": "",
        **changes,
    }


def refusal(code: str = "STRING_TOO_LONG", *fields: str) -> dict[str, Any]:
    """A refused write."""
    return {
        "side": "salesforce",
        "code": code,
        "remedy": "shorten the value",
        "fields": list(fields or ("Title",)),
        "since": NOW - 600,
        "tries": 2,
    }


def review_item(email: str = EMAIL, **changes: Any) -> dict[str, Any]:
    """One person of the review queue."""
    return {
        "email": email,
        "kinds": [],
        "holds": [],
        "quarantine": None,
        "leads": [],
        **changes,
    }


def page(*people: dict[str, Any], after: str = "") -> dict[str, Any]:
    """A page of the review queue."""
    return {"people": list(people), "next": after}


def record(kind: str, record_id: str, **values: Any) -> dict[str, Any]:
    """One record of a person."""
    return {
        "id": record_id,
        "kind": kind,
        "version": "1",
        "modified": "2026-11-26T14:00:00+00:00",
        "read_at": NOW - 300,
        "eligible": True,
        "converted": False,
        "deleted": False,
        "values": values,
    }


def contact(**changes: Any) -> dict[str, Any]:
    """One person with all data."""
    why = "written on salesforce by the rule changed"
    return {
        "email": EMAIL,
        "log_name": "3f1c9a2b7d04",
        "revision": 4,
        "dirty": False,
        "unfinished_run": "",
        "primary_lead": "",
        "plezi": record("contact", PLEZI_ID, phone="111", url="https://app.plezi.co/contacts/1"),
        "salesforce": [record("Lead", LEAD_ID, Phone="222")],
        "base": {},
        "holds": [hold()],
        "quarantine": None,
        "fields": [
            {
                "field": "Phone",
                "plezi": "phone",
                "direction": "both",
                "values": {PLEZI_ID: "111", LEAD_ID: "222"},
                "base": {},
                "why": why,
                "last": None,
            }
        ],
        "consents": [],
        "journal": {"entries": [entry()], "next": ""},
        **changes,
    }


def finding(name: str, grade: str = "ok", *causes: str) -> dict[str, Any]:
    """One finding of a connection check."""
    described = {"name": name, "grade": grade, "message": f"About {name}."}
    return {**described, "causes": list(causes)} if causes else described


def checked(*findings: dict[str, Any], ok: bool = True) -> dict[str, Any]:
    """The result of a connection check."""
    return {"report": {"at": NOW, "ok": ok, "findings": list(findings)}, "fields": None}


def set_up(*missing: str) -> dict[str, Any]:
    """The report of the set-up: two fields."""
    names = ("plezi_url__c", "score__c")
    return {
        "ready": not missing,
        "steps": [],
        "fields": [
            {
                "object": "Lead",
                "name": name,
                "purpose": "the score",
                "state": "missing" if name in missing else "present",
                **({"remedy": "create it"} if name in missing else {}),
            }
            for name in names
        ],
    }


def systems(found: str = "") -> dict[str, Any]:
    """The connected org and tenant."""
    return {
        "systems": [
            {"side": "salesforce", "id": "00D1", "found": found, "forgetting": False},
            {"side": "plezi", "id": "ExampleSAS", "found": "", "forgetting": False},
        ]
    }


def field(name: str, **changes: Any) -> dict[str, Any]:
    """One field of a side."""
    return {
        "components": [],
        "creatable": True,
        "described_type": "string",
        "is_new": False,
        "label": name.title(),
        "length": 40,
        "mapped": False,
        "name": name,
        "options": [],
        "reason": "",
        "receives": True,
        "required": False,
        "restricted": False,
        "scale": None,
        "sends": True,
        "type": "text",
        "unique": False,
        "updatable": True,
        "writable": True,
        **changes,
    }


def bulk(**changes: Any) -> dict[str, Any]:
    """The result of a decision for many contacts."""
    return {
        "run_id": RUN_ID,
        "decided": 3,
        "overwritten": 2,
        "left_out": 0,
        "conflicts": 0,
        "next": "",
        **changes,
    }


def policy(**changes: Any) -> dict[str, Any]:
    """The result of a side that wins each conflict of a field, or its preview."""
    return {
        "field": "Phone",
        "policy_before": "hold",
        "policy": "salesforce_wins",
        "version": 4,
        "changed": [
            {"pair": "Phone", "field": "policy", "before": "hold", "after": "salesforce_wins"}
        ],
        "warnings": [],
        "manual_sync_due": True,
        "waiting": bulk(),
        **changes,
    }


def outlook(**changes: Any) -> dict[str, Any]:
    """A forecast for one pace, share and filter."""
    cause = {"runs_a_day": 12.0, "plezi_calls_a_day": 24.0, "salesforce_calls_a_day": 60.0}
    return {
        "people_share": 1.0,
        "causes": [
            {"cause": "changes", **cause, "observed_days": 7.0, "is_expected": False},
            {"cause": "verify", **cause, "observed_days": 7.0, "is_expected": True},
        ],
        "plezi": {
            "calls_a_day": 48.0,
            "calls_per_second": 2.0,
            "limit_a_day": 172_800.0,
            "used_share": 0.0003,
        },
        "salesforce": {
            "calls_a_day": 120.0,
            "api_share": 0.2,
            "limit_a_day": 20_000.0,
            "used_share": 0.006,
            "growth_a_day": 10.0,
            "days_until_spent": 1988.0,
            "org_used": 900,
            "org_allowed": 100_000,
        },
        "first_sync": None,
        **changes,
    }


def forecast(**changes: Any) -> dict[str, Any]:
    """The forecast of a stack that is in operation."""
    return {"at": NOW, "people": 20_000, "now": outlook(), "changed": None, **changes}


def value_table(**changes: Any) -> dict[str, Any]:
    """The value table of a pair: one saved row, one proposed, one value without a counterpart."""
    return {
        "version": 3,
        "plezi": "segment",
        "salesforce": "Rating",
        "direction": "both",
        "rows": [{"plezi": "smb", "salesforce": "Cold"}],
        "suggestions": [{"plezi": "warmer", "salesforce": "Warm"}],
        "plezi_values": ["smb", "warmer"],
        "salesforce_values": ["Cold", "Warm", "Hot"],
        "unmatched_plezi": ["warmer"],
        "unmatched_salesforce": ["Warm", "Hot"],
        **changes,
    }


def record_pages(email: str = EMAIL) -> dict[str, Any]:
    """The records of one person, with their pages and last changes."""
    contact = {"id": PLEZI_ID, "kind": "contact", "page": "https://app.plezi.co/contacts/1"}
    lead = {"id": LEAD_ID, "kind": "Lead", "page": f"https://acme.my.salesforce.com/{LEAD_ID}"}
    modified = "2026-11-26T14:00:00+00:00"
    return {
        "people": [
            {
                "email": email,
                "records": [
                    {**contact, "modified": modified, "modified_by": ""},
                    {**lead, "modified": modified, "modified_by": "Sam Sales"},
                ],
            }
        ]
    }


def found(*emails: str, known: bool = True, complete: bool = True) -> dict[str, Any]:
    """The result of a search of people."""
    records = [{"id": LEAD_ID, "kind": "Lead"}]
    people = [
        {"email": email, "name": "Ana Lopez", "known": known, "records": records}
        for email in emails
    ]
    return {"people": people, "complete": complete}


def guide(**states: str) -> dict[str, Any]:
    """The set-up guide; a step that is not named is done."""
    names = ("connect", "check", "fields", "mapping", "preview", "start")
    steps = [
        {
            "name": name,
            "title": f"About {name}.",
            "state": states.get(name, "done"),
            "reason": f"Reason of {name}.",
            **({"remedy": f"correct {name}", "command": f"do {name}"} if name in states else {}),
        }
        for name in names
    ]
    return {"steps": steps, "next": next(iter(states), "")}


def duplicates(**changes: Any) -> dict[str, Any]:
    """Two Leads of one person: the first is older, the second more complete."""

    def lead(record: str, filled: int, *, is_user: bool) -> dict[str, Any]:
        return {
            "id": record,
            "created": f"2026-11-2{filled}T14:00:00+00:00",
            "modified": "2026-11-26T14:00:00+00:00",
            "filled": filled,
            "owner": "Sam Sales" if is_user else "Inbound",
            "is_user": is_user,
            "page": f"https://acme.my.salesforce.com/{record}",
            "primary": False,
        }

    return {
        "email": EMAIL,
        "leads": [lead("00Q1", 4, is_user=False), lead("00Q2", 5, is_user=True)],
        "fields": [{"field": "Phone", "values": {"00Q1": "111", "00Q2": "222"}, "differs": True}],
        "proposals": [
            {"rule": "oldest", "lead": "00Q1"},
            {"rule": "most_complete", "lead": "00Q2"},
            {"rule": "owner", "lead": ""},
        ],
        **changes,
    }


def consent(**changes: Any) -> dict[str, Any]:
    """An opt-out that was ticked in Plezi and written to the Lead."""
    return {
        "field": "newsletter_optout__c",
        "plezi": "newsletter_optout",
        "opted_out": True,
        "values": {PLEZI_ID: True, LEAD_ID: True},
        "source": "plezi",
        "at": NOW - 70,
        "run_id": RUN_ID,
        "proofs": [entry(field="newsletter_optout__c", after=True)],
        **changes,
    }
