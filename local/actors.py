"""The users of a running stack: sales, marketing and operations, over HTTP and AWS APIs only."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from local.embedded_aws import EmbeddedAws
from local.stack.commands import EVENTS
from local.stack.stack_file import StackFile

API: Final = "services/data/v64.0"
LEAD_FIELDS: Final = (
    "Id,Email,FirstName,LastName,Company,Phone,MobilePhone,Title,plezi_url__c,score__c,status__c"
)
FORM_ID: Final = "6300000000000000000000aa"
REQUESTED: Final = ("requested",)
UNFINISHED: Final = (*REQUESTED, "running")
RUN_SECONDS: Final = 300.0
POLL_SECONDS: Final = 0.2
LEAD_POLL_SECONDS: Final = 0.05
FORM_SECONDS: Final = 60.0


class SalesPerson:
    """A user of the sales team, logged in to the org."""

    def __init__(self, stack: StackFile) -> None:
        org = stack.salesforce
        self._url = org.url.rstrip("/")
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.verify = org.ca_bundle
        user = org.sales_user
        response = self._http.post(
            f"{self._url}/services/oauth2/token",
            data={
                "grant_type": "password",
                "client_id": org.consumer_key,
                "client_secret": org.consumer_secret,
                "username": user.username,
                "password": user.password + user.security_token,
            },
            timeout=30,
        )
        response.raise_for_status()
        self._http.headers["Authorization"] = f"Bearer {response.json()['access_token']}"

    def request(self, method: str, path: str, body: object = None, **params: str) -> Any:  # noqa: ANN401  # any JSON
        """Call one REST resource and return its JSON.

        Raises:
            RuntimeError: when the status is an error.
        """
        response = self._http.request(
            method, f"{self._url}/{API}/{path}", json=body, params=params, timeout=60
        )
        if not response.ok:
            raise RuntimeError(f"Salesforce: {response.status_code} {response.text}")
        return response.json() if response.content else None

    def add(self, kind: str, **fields: Any) -> str:  # noqa: ANN401  # any field
        """Create a Lead or a Contact; return its id."""
        return str(self.request("POST", f"sobjects/{kind}", fields)["id"])

    def edit(self, kind: str, record: str, **fields: Any) -> None:  # noqa: ANN401  # any field
        """Change fields of a record."""
        self.request("PATCH", f"sobjects/{kind}/{record}", fields)

    def record(self, kind: str, record: str) -> dict[str, Any]:
        """Return all fields of a record."""
        return dict(self.request("GET", f"sobjects/{kind}/{record}"))

    def leads(self, email: str = "") -> list[dict[str, Any]]:
        """Return the Leads with an e-mail, or all Leads (at most 2,000)."""
        where = f" WHERE Email = '{email}'" if email else ""
        soql = f"SELECT {LEAD_FIELDS} FROM Lead{where} ORDER BY Email, Id"  # noqa: S608  # invented e-mails
        return list(self.request("GET", "query", q=soql)["records"])

    def emails_of_leads(self, pattern: str) -> set[str]:
        """Return the e-mails of all Leads whose e-mail matches a pattern of SOQL's LIKE."""
        soql = f"SELECT Email FROM Lead WHERE Email LIKE '{pattern}'"  # noqa: S608  # invented e-mails
        page = self.request("GET", "query", q=soql)
        rows = page["records"]
        while not page["done"]:
            page = self.request("GET", page["nextRecordsUrl"].partition(f"{API}/")[2])
            rows += page["records"]
        return {row["Email"].lower() for row in rows}

    def wait_for_lead(self, email: str) -> dict[str, Any]:
        """Wait until a Lead with an e-mail exists, and return it.

        Raises:
            RuntimeError: when there is none after 60 s.
        """
        deadline = time.monotonic() + FORM_SECONDS
        while time.monotonic() < deadline:
            if leads := self.leads(email):
                return leads[0]
            time.sleep(LEAD_POLL_SECONDS)
        raise RuntimeError(f"no Lead within {FORM_SECONDS:.0f} s")

    def simulate(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401  # any JSON
        """Call the simulator's control API and return its JSON."""
        response = self._http.request(method, f"{self._url}/_sim/{path}", json=body, timeout=120)
        response.raise_for_status()
        return response.json()


class Marketer:
    """A user of the marketing team, with the tenant's API key."""

    def __init__(self, stack: StackFile) -> None:
        self._url = stack.plezi.url.rstrip("/")
        parts = urlsplit(self._url)
        self._root = f"{parts.scheme}://{parts.netloc}"
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.headers["X-API-Key"] = stack.plezi.api_key
        self._http.headers["X-Tenant-Company"] = stack.plezi.tenant

    def request(self, method: str, path: str, body: object = None, **params: str) -> Any:  # noqa: ANN401  # any JSON
        """Call one resource of the API and return its JSON.

        Raises:
            RuntimeError: when the status is an error.
        """
        response = self._http.request(
            method, f"{self._url}/{path}", json=body, params=params, timeout=60
        )
        if not response.ok:
            raise RuntimeError(f"Plezi: {response.status_code} {response.text}")
        return response.json() if response.content else None

    def add(self, **attributes: Any) -> str:  # noqa: ANN401  # any attribute
        """Create a contact; return its id."""
        body = {"data": {"type": "contacts", "attributes": attributes}}
        return str(self.request("POST", "contacts", body)["data"]["id"])

    def edit(self, contact: str, **attributes: Any) -> None:  # noqa: ANN401  # any attribute
        """Change attributes of a contact."""
        body = {"data": {"type": "contacts", "id": contact, "attributes": attributes}}
        self.request("PUT", f"contacts/{contact}", body)

    def submit_form(self, **fields: str) -> None:
        """Submit a form of the website, as a visitor; the tenant then calls its webhook."""
        identities = {"form_id": FORM_ID, "content_web_form_id": FORM_ID}
        self.request("GET", "create_contact_after_webform", **identities, **fields)

    def contacts(self) -> dict[str, dict[str, Any]]:
        """Return all contacts by e-mail in lower case: their attributes and `id`."""
        contacts = {}
        page = 1
        while rows := self.request("GET", "contacts", page=str(page), per_page="100")["data"]:
            for row in rows:
                contacts[row["attributes"]["email"].lower()] = {
                    **row["attributes"],
                    "id": row["id"],
                }
            page += 1
        return contacts

    def stored_contacts(self) -> dict[str, dict[str, Any]]:
        """Return all contacts as they are stored, by e-mail in lower case."""
        contacts: dict[str, dict[str, Any]] = {}
        while rows := self.simulate("GET", f"contacts?limit=1000&offset={len(contacts)}")[
            "contacts"
        ]:
            contacts |= {row["email"].lower(): row for row in rows}
        return contacts

    def put_row(self, contact: str, row: str) -> None:
        """Let reads of the API show this JSON instead of a contact."""
        url = f"{self._root}/_sim/contacts/{contact}/row"
        self._http.put(url, data=row.encode(), timeout=120).raise_for_status()

    def simulate(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401  # any JSON
        """Call the simulator's control API and return its JSON."""
        response = self._http.request(method, f"{self._root}/_sim/{path}", json=body, timeout=120)
        response.raise_for_status()
        return response.json()


class Operator:
    """A user of the operations team, who starts runs and reads their results."""

    def __init__(self, stack: StackFile) -> None:
        self._stack = stack
        self._aws = EmbeddedAws(stack.aws_endpoint)

    def admin(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, **query: str
    ) -> dict[str, Any]:
        """Call the admin function as API Gateway would."""
        event = json.loads((EVENTS / "admin_status.json").read_text(encoding="utf-8"))
        event |= {"httpMethod": method, "path": path, "resource": path}
        event |= {"queryStringParameters": query or None}
        event |= {"body": None if body is None else json.dumps(body)}
        response = self._aws.invoke(self._stack.functions["admin"], event)
        answer: dict[str, Any] = json.loads(response["body"])
        return answer

    def fire_schedule(self) -> dict[str, Any]:
        """Invoke the scheduled sync, wait for the end of its run, and return the run's record."""
        event = json.loads((EVENTS / "scheduler.json").read_text(encoding="utf-8"))
        response = self._aws.invoke(self._stack.functions["scheduled_sync"], event)
        return self.wait(response["run_id"])

    def request_run(
        self,
        *,
        wait_seconds: float = RUN_SECONDS,
        **fields: Any,  # noqa: ANN401  # any field of the request
    ) -> dict[str, Any]:
        """Request a manual run, wait for its end, and return the run's record.

        Raises:
            RuntimeError: when the request is refused, or the run has not ended in time.
        """
        response = self._aws.invoke(self._stack.functions["manual_sync"], fields)
        if "run_id" not in response:
            raise RuntimeError(f"manual_sync: {response.get('message', response)}")
        return self.wait(response["run_id"], seconds=wait_seconds)

    def wait(
        self, run_id: str, *, before: Sequence[str] = UNFINISHED, seconds: float = RUN_SECONDS
    ) -> dict[str, Any]:
        """Wait until a run has left the states `before` (by default: until it has ended).

        Returns the run's record.

        Raises:
            RuntimeError: when the run is still in one of these states after `seconds`.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._state(run_id) not in before:
                return self.admin("GET", f"/admin/runs/{run_id}")
            time.sleep(POLL_SECONDS)
        raise RuntimeError(f"run {run_id} is still {before[-1]} after {seconds:.0f} s")

    def _state(self, run_id: str) -> str:
        """Return a run's state from the list of runs.

        The run's own record includes its journal, for which the embedded AWS reads every entry that
        the run has written. Polled five times a second, that took longer than the run itself.
        """
        newest = self.admin("GET", "/admin/runs")["runs"]
        listed = [run["state"] for run in newest if run["run_id"] == run_id]
        return str(listed[0] if listed else self.admin("GET", f"/admin/runs/{run_id}")["state"])

    def dead_letters(self) -> int:
        """Return the number of messages of runs that were given up."""
        name: Final = "ApproximateNumberOfMessages"
        counts = self._aws.queues.get_queue_attributes(
            QueueUrl=self._stack.queues["runs_dead_letters"], AttributeNames=[name]
        )
        return int(counts["Attributes"][name])

    def wait_for_forms(self) -> None:
        """Wait until the forms queue is empty, delayed messages included.

        Raises:
            RuntimeError: when it is not empty after 300 s.
        """
        deadline = time.monotonic() + RUN_SECONDS
        while time.monotonic() < deadline:
            counts = self._aws.queues.get_queue_attributes(
                QueueUrl=self._stack.queues["forms"],
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                    "ApproximateNumberOfMessagesDelayed",
                ],
            )["Attributes"]
            if not any(map(int, counts.values())):
                return
            time.sleep(POLL_SECONDS)
        raise RuntimeError(f"forms are still queued after {RUN_SECONDS:.0f} s")
