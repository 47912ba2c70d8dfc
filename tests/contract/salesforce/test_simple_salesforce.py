"""The unmodified simple-salesforce library calls the org over HTTPS."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceMoreThanOneRecord,
    SalesforceResourceNotFound,
)

from local.salesforce_org import SalesforceOrg
from local.salesforce_org.certificates import make_certificates
from local.serving import ServedApplication

MINUTE = timedelta(minutes=1)


class SocketAdapter(HTTPAdapter):
    """Sends requests for a Salesforce login host to the socket of the org."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._netloc = urlsplit(url).netloc

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]  # options are passed on
        request.url = urlsplit(str(request.url))._replace(netloc=self._netloc).geturl()
        return super().send(request, **options)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SalesforceOrg, Path]]:
    files = make_certificates(tmp_path_factory.mktemp("certificates"))
    org = SalesforceOrg(seed=7)
    with ServedApplication(org, certificate=files.certificate, key=files.key) as server:
        org.instance_url = server.url
        yield org, files.ca_bundle
    org.close()


@pytest.fixture
def session(served: tuple[SalesforceOrg, Path]) -> Iterator[requests.Session]:
    org, ca_bundle = served
    with requests.Session() as made:
        made.verify = str(ca_bundle)
        made.trust_env = False  # a CA bundle in the environment would take precedence
        for host in ("login", "test", "acme.my"):
            made.mount(f"https://{host}.salesforce.com", SocketAdapter(org.instance_url))
        org.reset()
        yield made


@pytest.fixture
def org(served: tuple[SalesforceOrg, Path]) -> SalesforceOrg:
    return served[0]


@pytest.fixture
def client(
    org: SalesforceOrg, session: requests.Session
) -> Any:  # its attributes are created on access
    user = org.integration_user
    return Salesforce(
        username=user.username,
        password=user.password + user.security_token,
        consumer_key=org.consumer_key,
        consumer_secret=org.consumer_secret,
        session=session,
    )


def test_the_password_flow_opens_a_session_on_the_host_in_the_response(
    client: Any, org: SalesforceOrg
) -> None:
    assert client.base_url == f"{org.instance_url}/services/data/v59.0/"
    assert client.query("SELECT Name FROM Organization")["records"][0]["Name"] == "Acme"
    assert client.api_usage["api-usage"].total == 110_000


def test_soap_login_opens_a_session_too(org: SalesforceOrg, session: requests.Session) -> None:
    user = org.integration_user
    client: Any = Salesforce(
        username=user.username,
        password=user.password,
        security_token=user.security_token,
        session=session,
    )
    assert client.query("SELECT COUNT() FROM Lead")["totalSize"] == 0


def test_a_certificate_opens_a_session_by_jwt(
    org: SalesforceOrg, session: requests.Session
) -> None:
    client: Any = Salesforce(
        username=org.integration_user.username,
        consumer_key=org.consumer_key,
        privatekey=org.jwt.private_key,
        session=session,
    )
    assert client.limits()["DailyApiRequests"]["Max"] == 110_000


def test_client_credentials_open_a_session_on_my_domain(
    org: SalesforceOrg, session: requests.Session
) -> None:
    client: Any = Salesforce(
        consumer_key=org.consumer_key,
        consumer_secret=org.consumer_secret,
        domain="acme.my",
        session=session,
    )
    assert client.describe()["encoding"] == "UTF-8"


def test_a_wrong_password_is_an_authentication_failure(
    org: SalesforceOrg, session: requests.Session
) -> None:
    with pytest.raises(SalesforceAuthenticationFailed, match="authentication failure"):
        Salesforce(
            username=org.integration_user.username,
            password="wrong",
            consumer_key=org.consumer_key,
            consumer_secret=org.consumer_secret,
            session=session,
        )


def test_query_all_follows_the_pages_to_the_end(client: Any, org: SalesforceOrg) -> None:
    org.load(leads=4500)
    page = client.query("SELECT Id, Email FROM Lead ORDER BY Email")
    assert (page["totalSize"], page["done"], len(page["records"])) == (4500, False, 2000)
    second_page = client.query_more(page["nextRecordsUrl"], identifier_is_url=True)
    assert second_page["records"][0]["Email"] == "person0002000@example.com"
    everyone = client.query_all("SELECT Id, Email FROM Lead ORDER BY Email")["records"]
    assert len({row["Id"] for row in everyone}) == 4500
    assert everyone[-1]["Email"] == "person0004499@example.com"
    assert [row["Email"] for row in client.query_all_iter("SELECT Email FROM Lead LIMIT 3")]


def test_a_record_is_created_read_changed_upserted_and_deleted(client: Any) -> None:
    lead = client.Lead
    made = lead.create({"LastName": "Noël", "Company": "Éditions", "Email": "N@X.fr"})
    assert made["success"]
    assert lead.get(made["id"])["Email"] == "n@x.fr"
    assert lead.update(made["id"], {"plezi_url__c": "https://app.plezi.co/1"}) == 204
    assert lead.get_by_custom_id("Email", "n@x.fr")["Id"] == made["id"]
    assert lead.upsert("plezi_url__c/two", {"LastName": "B", "Company": "C"}) == 201
    assert lead.upsert("plezi_url__c/TWO", {"LastName": "D"}) == 200
    assert lead.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound):
        lead.get(made["id"])


def test_an_ambiguous_key_returns_the_addresses_of_all_matches(client: Any) -> None:
    for _ in range(2):
        client.Lead.create({"LastName": "A", "Company": "C", "Email": "a@x.fr"})
    with pytest.raises(SalesforceMoreThanOneRecord) as refused:
        client.Lead.upsert("Email/a@x.fr", {"LastName": "B"})
    assert len(refused.value.content) == 2


def test_updated_and_deleted_ids_are_returned(client: Any, org: SalesforceOrg) -> None:
    kept_id, deleted_id = (
        client.Lead.create({"LastName": name, "Company": "C"})["id"] for name in ("A", "B")
    )
    client.Lead.delete(deleted_id)
    org.clock.advance(120)
    now = datetime.now(UTC)
    updated = client.Lead.updated(now - MINUTE, now + 2 * MINUTE)
    assert updated["ids"] == [kept_id]
    deleted = client.Lead.deleted(now - MINUTE, now + 2 * MINUTE)
    assert [row["id"] for row in deleted["deletedRecords"]] == [deleted_id]
    org.clock.follow()


def test_describe_returns_the_fields(client: Any) -> None:
    fields = {field["name"]: field for field in client.Lead.describe()["fields"]}
    assert fields["LastName"]["length"] == 80
    assert fields["LastName"]["nillable"] is False
    assert fields["plezi_url__c"]["externalId"] is True
    assert fields["segment__c"]["restrictedPicklist"] is True
    assert {"Lead", "Contact"} <= {sobject["name"] for sobject in client.describe()["sobjects"]}


def test_a_collection_of_two_hundred_returns_results_in_order(client: Any) -> None:
    records = [
        {
            "attributes": {"type": "Lead"},
            "LastName": f"L{number}",
            "Company": "C",
            "Email": "bad" if number % 50 == 7 else f"l{number}@x.fr",
        }
        for number in range(200)
    ]
    response = client.restful("composite/sobjects", method="POST", json={"records": records})
    failed = [position for position, item in enumerate(response) if not item["success"]]
    assert failed == [7, 57, 107, 157]
    assert response[7] == {
        "success": False,
        "errors": [
            {
                "statusCode": "INVALID_EMAIL_ADDRESS",
                "message": "Email: invalid email address: bad",
                "fields": ["Email"],
            }
        ],
    }
    assert client.query("SELECT COUNT() FROM Lead")["totalSize"] == 196


def test_a_connection_can_be_closed_before_or_after_the_write(
    client: Any, org: SalesforceOrg
) -> None:
    lead = {"LastName": "A", "Company": "C"}
    org.control.faults.inject("connection_reset", method="POST")
    with pytest.raises(requests.ConnectionError):
        client.Lead.create(lead)
    assert client.query("SELECT COUNT() FROM Lead")["totalSize"] == 0
    org.control.faults.inject("reset_after_commit", method="POST")
    with pytest.raises(requests.ConnectionError):
        client.Lead.create(lead)
    assert client.query("SELECT COUNT() FROM Lead")["totalSize"] == 1


def test_a_body_can_be_truncated(client: Any, org: SalesforceOrg) -> None:
    org.control.faults.inject("truncated_body", path="/limits")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.limits()
    assert client.limits()["DailyApiRequests"]
