"""The connector's own queries: each one of the code is sent, and is in the claimed grammar."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.wrappers import Request, Response

from connector.model import RecordKind, RunKind, RunState
from functions.admin.admin_app import ADMIN
from local.salesforce_org.soql_parser import parse
from tests.component.admin_client import AdminClient, build_admin_context
from tests.component.altered_salesforce import put_before_org
from tests.component.credential_fixtures import CredentialFixtures
from tests.component.harness import Harness
from tests.component.people_fixtures import ANA, BOB, advance_clocks, lead_of
from tests.component.test_salesforce_pages_that_fail import fail

PACKAGE = Path(__file__).parents[2] / "layers/common/connector/salesforce"
PLACE = re.compile(r"\\\{.*?\\\}")
"""A place of a template, after `re.escape`: `{}` or `{:like}`."""
SELECT = re.compile(r"\bSELECT\b.*\bFROM\b", re.DOTALL)


class RecordedQueries:
    """The texts of all queries that reach the org, those inside of composite calls too.

    A page that has the person `unreadable` fails.
    """

    def __init__(self) -> None:
        self.texts: set[str] = set()
        self.unreadable = ""

    def __call__(self, request: Request) -> None:
        """Note the queries of a request; the org answers it."""
        if "q" in request.args:
            self.texts.add(request.args["q"])
        body = request.get_json(silent=True) if request.path.endswith("/composite") else None
        for part in (body or {}).get("compositeRequest", ()):
            self.texts.update(parse_qs(urlsplit(part["url"]).query).get("q", ()))

    def alter(self, request: Request, response: Response) -> None:
        """Let a page fail because of one person."""
        has_name = f'"{self.unreadable}"' in response.get_data(as_text=True)
        if self.unreadable and "/queryAll" in request.path and has_name:
            fail(response, "QUERY_TIMEOUT", 400)


def templates() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Yield each text of the package that begins a query, with a pattern of what it becomes."""
    for file in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        parts = {
            part
            for node in ast.walk(tree)
            if isinstance(node, ast.JoinedStr)
            for part in node.values
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                text = "".join(
                    str(part.value) if isinstance(part, ast.Constant) else "{}"
                    for part in node.values
                )
            elif isinstance(node, ast.Constant) and node not in parts:
                text = str(node.value)
            else:
                continue
            if text.startswith("SELECT ") and SELECT.search(text):
                pattern = PLACE.sub(".*", re.escape(text))
                yield f"{file.name}: {text}", re.compile(f"^{pattern}", re.DOTALL)


@pytest.fixture
def recorded(harness: Harness) -> RecordedQueries:
    queries = RecordedQueries()
    put_before_org(harness, replace=queries, alter=queries.alter)
    return queries


def synchronize(harness: Harness) -> None:
    """Let people be found, changed, hidden and read again."""
    ana = harness.add_person(email=ANA, last_name="O'Neil \\", phone="111")
    harness.add_lead(Email=BOB, LastName="Bob", Company="Roi SA")
    harness.add_contact(Email="cleo@example.com", LastName="N", sync_to_plezi__c="yes")
    assert harness.sync().state is RunState.DONE
    advance_clocks(harness)
    harness.edit_person(ana, phone="222")
    harness.edit_lead(lead_of(harness, BOB)["Id"], Phone="333")
    assert harness.sync().state is RunState.DONE
    lead = lead_of(harness)["Id"]
    user = harness.org.integration_user.username
    harness.control("salesforce", "POST", f"users/{user}", {"view_all_data": False})
    harness.control("salesforce", "POST", f"records/Lead/{lead}/sharing", {"access": "none"})
    harness.edit_person(ana, phone="444")
    assert harness.sync().state is RunState.DONE
    for kind in (RunKind.FULL, RunKind.VERIFY):
        assert harness.sync(kind=kind).state is RunState.DONE


def set_up(harness: Harness, credentials: CredentialFixtures) -> None:
    """Let fields be created and the credentials be tested."""
    harness.control("salesforce", "DELETE", "fields/Lead/score__c")
    ADMIN.use(build_admin_context(harness))
    client = AdminClient()
    harness.control("salesforce", "POST", "sharing", {"object": "Lead", "default": "private"})
    client.request_ok("POST", "/admin/connection/check")
    harness.control("salesforce", "POST", "sharing", {"object": "Lead", "default": "public"})
    client.request_ok("POST", "/admin/setup/salesforce-fields", {"create": True})
    ADMIN.use(None)
    version = credentials.put(credentials.material(), "AWSPENDING")
    credentials.rotation().test_and_promote(version)


def search(harness: Harness) -> None:
    """Let an admin look for people by name, and ask who changed and owns their Leads."""
    records = build_admin_context(harness).sides().records
    [named, *_] = records.named("Bo", 5)
    assert records.last_changes({RecordKind.LEAD: [named.id]})
    assert records.owners([named.id])


def fail_queries(harness: Harness, recorded: RecordedQueries) -> None:
    """Let a look-up and a page fail: both are tried again with smaller queries."""
    fault = {"kind": "query_timeout", "path": "/query", "count": 3}
    harness.control("salesforce", "POST", "faults", fault)
    harness.add_person(email="dan@example.com", last_name="Dan")
    harness.sync()
    harness.control("salesforce", "DELETE", "faults")
    harness.add_lead(Email="eve@example.com", LastName="Unreadable")
    recorded.unreadable = "Unreadable"
    harness.sync()


def test_every_query_of_the_connector_is_sent_and_is_in_the_grammar_of_the_org(
    harness: Harness, credentials: CredentialFixtures, recorded: RecordedQueries
) -> None:
    synchronize(harness)
    set_up(harness, credentials)
    search(harness)
    fail_queries(harness, recorded)

    assert len(recorded.texts) > 10
    for text in recorded.texts:
        parse(text)  # raises for all syntax outside of the grammar
    not_sent = [
        name
        for name, pattern in templates()
        if not any(pattern.match(text) for text in recorded.texts)
    ]
    assert not_sent == []
