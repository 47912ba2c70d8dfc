"""The component test harness: the real connector, moto's AWS and both simulators in one process."""

from __future__ import annotations

import json
import random
import time
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
import requests
from requests.adapters import BaseAdapter

from connector.aws.dynamodb.journal import parse_entries
from connector.aws.dynamodb.ledger import DynamoLedger
from connector.bootstrap import build_app
from connector.bootstrap.aws_adapters import BotoAdapters
from connector.bootstrap.lambda_runtime import new_id
from connector.bootstrap.sync_worker import WorkerApp
from connector.connection_settings import WorkerSettings
from connector.http_session import HttpSession
from connector.log_events import no_log
from connector.model import JournalEntry, Phase, Run, RunKind, RunState, Side
from connector.settings import RunRequestSettings
from connector.sync.run_requests import RunRequester
from local.plezi_tenant import PleziTenant
from local.salesforce_org import SalesforceOrg
from local.serving import InProcessAdapter
from local.template_settings import table_definitions, template_settings
from tests.retry_policies import IMMEDIATE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

REGION = "eu-west-1"
PLEZI = "https://app.plezi.co/api/v1"
SALESFORCE = "https://acme.my.salesforce.com"


TABLE_KEYS = ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes")
"""The properties of a table that CreateTable accepts; other calls set the rest."""


def create_table(client: DynamoDBClient, name: str) -> None:
    """Create one table of the template, empty."""
    definition = table_definitions()[name]
    properties: Any = {key: definition[key] for key in TABLE_KEYS if key in definition}
    client.create_table(TableName=name, **properties)


def _no_pause(_seconds: float) -> None:
    """Do not wait."""


class Harness:
    """Both systems, the connector between them, and the actions of their users."""

    def __init__(self) -> None:
        self._clock_offset = 0.0
        self.org = SalesforceOrg()
        self.tenant = PleziTenant()
        self._http = requests.Session()
        self._http.mount("https://app.plezi.co", self.adapter(Side.PLEZI))
        self._http.mount("https://", self.adapter(Side.SALESFORCE))
        dynamodb = boto3.client("dynamodb", region_name=REGION)
        for name in table_definitions():
            create_table(dynamodb, name)
        queue = boto3.client("sqs", region_name=REGION).create_queue(
            QueueName="runs.fifo", Attributes={"FifoQueue": "true"}
        )
        self.put_secrets()
        sns = boto3.client("sns", region_name=REGION)
        self.resources = {
            "runs_queue_url": queue["QueueUrl"],
            "salesforce_secret": "salesforce",
            "plezi_secret": "plezi",
            "tombstones_secret": "tombstones",
            "alerts_topic": sns.create_topic(Name="alerts")["TopicArn"],
        }
        self.settings = template_settings(WorkerSettings, **self.resources)
        self.app = self.build(self.settings)
        self.context = self.app.context
        self.engine = self.app.engine
        self.ledger = DynamoLedger(dynamodb, self.settings.ledger_table, IMMEDIATE)
        self.run_requester: RunRequester = build_app(
            template_settings(RunRequestSettings, runs_queue_url=queue["QueueUrl"]), **self.runtime
        )
        self.ledger.set_enabled(on=True, now=0.0)
        self._token = self._log_in()

    def clock(self) -> float:
        """Return the time of the connector, in seconds since 1970."""
        return time.time() + self._clock_offset

    @cached_property
    def _aws(self) -> BotoAdapters:
        """The clients of AWS, which all roles share: to make them takes most of a short test."""
        return BotoAdapters(self.clock, new_id, _no_pause, random.random, no_log, validate=True)

    @property
    def runtime(self) -> dict[str, Any]:
        """The arguments of `build_app` for every role: no pauses, both systems in this process."""
        return {
            "aws": self._aws,
            "http": self.http,
            "clock": self.clock,
            "ids": new_id,
            "sleep": _no_pause,
            "random": random.random,
        }

    def build(self, settings: WorkerSettings) -> WorkerApp:
        """Build the deployed worker, as a new process does."""
        return build_app(settings, **self.runtime)

    def use_settings(self, **changes: Any) -> None:
        """Start a new worker with other settings."""
        self.app = self.build(replace(self.settings, **changes))
        self.context, self.engine = self.app.context, self.app.engine

    def http(self, side: Side, *, authority: str = "") -> HttpSession:  # noqa: ARG002  # no TLS here
        """Return an HTTP session that reaches one of the systems."""
        session = HttpSession(monotonic=time.monotonic)
        session.mount("https://", self.adapter(side))
        return session

    def adapter(self, side: Side) -> BaseAdapter:
        """Return the transport to one of the systems, which is in this process."""
        return InProcessAdapter(self.org if side is Side.SALESFORCE else self.tenant)

    def put_secrets(self) -> None:
        """Create the secrets that both systems accept."""
        user = self.org.integration_user
        secrets = boto3.client("secretsmanager", region_name=REGION)
        salesforce = {
            "flow": "password",
            "account_url": "https://acme.lightning.force.com",
            "consumer_key": self.org.consumer_key,
            "consumer_secret": self.org.consumer_secret,
            "username": user.username,
            "password": user.password,
            "security_token": user.security_token,
        }
        plezi = {"api_key": self.tenant.api_key, "tenant": self.tenant.tenant_name}
        secrets.create_secret(Name="salesforce", SecretString=json.dumps(salesforce))
        secrets.create_secret(Name="plezi", SecretString=json.dumps(plezi))
        secrets.create_secret(Name="tombstones", SecretString=json.dumps({"key": "k" * 64}))

    # Runs

    def let_pass(self, seconds: float) -> None:
        """Advance the clock of the connector; both systems have their own clocks."""
        self._clock_offset += seconds

    def sync(
        self, out_of_time: Any = lambda: False, kind: RunKind = RunKind.CHANGES, **options: Any
    ) -> Run:
        """Request a run and work on it until it ends, as the queue does."""
        run_id = self.run_requester.request_run(kind, **options)
        return self.run_phase(run_id, out_of_time)

    def dry_run(self, **options: Any) -> tuple[Run, list[JournalEntry]]:
        """Make a dry run; return its record and all entries of its plan."""
        run = self.sync(kind=RunKind.DRY_RUN, **options)
        return run, self.plan(run.id)

    def plan(self, run_id: str) -> list[JournalEntry]:
        """Return all entries of a dry run or of a verification."""
        items = boto3.client("dynamodb", region_name=REGION).query(
            TableName="JournalTable",
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"plan#{run_id}"}},
        )["Items"]
        return [entry for item in items for entry in parse_entries(item)]

    def run_phase(self, run_id: str, out_of_time: Any = lambda: False) -> Run:
        """Work on a run until it ends, as the queue does."""
        phase = Phase.READ
        for _ in range(1000):
            state = self.engine.run_phase(run_id, phase, out_of_time)
            if state is not RunState.RUNNING:
                break
            phase = self.queued_phase()
        run = self.ledger.load_run(run_id)
        assert run is not None
        return run

    def queued_phase(self) -> Phase:
        """Return the phase of the last queued message, and empty the queue."""
        sqs = boto3.client("sqs", region_name=REGION)
        url = sqs.get_queue_url(QueueName="runs.fifo")["QueueUrl"]
        phase = Phase.READ
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                phase = Phase(json.loads(message["Body"])["phase"])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return phase

    # Actions of a Salesforce user

    def _log_in(self) -> str:
        user = self.org.sales_user
        response = self._http.post(
            f"{SALESFORCE}/services/oauth2/token",
            data={
                "grant_type": "password",
                "client_id": self.org.consumer_key,
                "client_secret": self.org.consumer_secret,
                "username": user.username,
                "password": user.password + user.security_token,
            },
        )
        assert response.ok, response.text
        return str(response.json()["access_token"])

    def salesforce(self, method: str, path: str, body: Any = None, **params: str) -> Any:
        response = self._http.request(
            method,
            f"{SALESFORCE}/services/data/v64.0/{path}",
            json=body,
            params=params,
            headers={"Authorization": f"Bearer {self._token}"},
        )
        assert response.ok, response.text
        return response.json() if response.content else None

    def add_lead(self, **fields: Any) -> str:
        lead = {"LastName": "Doe", "Company": "Doe SA", **fields}
        return str(self.salesforce("POST", "sobjects/Lead", lead)["id"])

    def add_contact(self, **fields: Any) -> str:
        contact = {"LastName": "Doe", **fields}
        return str(self.salesforce("POST", "sobjects/Contact", contact)["id"])

    def edit_lead(self, lead: str, **fields: Any) -> None:
        self.salesforce("PATCH", f"sobjects/Lead/{lead}", fields)

    def leads(self, email: str = "") -> list[dict[str, Any]]:
        fields = (
            "Id,Email,FirstName,LastName,Company,Phone,MobilePhone,Title,"
            "plezi_url__c,score__c,status__c"
        )
        where = f" WHERE Email = '{email}'" if email else ""
        response = self.salesforce(
            "GET", "query", q=f"SELECT {fields} FROM Lead{where} ORDER BY Id"
        )
        return list(response["records"])

    def contact(self, contact: str) -> dict[str, Any]:
        return dict(self.salesforce("GET", f"sobjects/Contact/{contact}"))

    # Actions of a Plezi user

    def plezi(self, method: str, path: str, body: Any = None, **params: str) -> Any:
        response = self._http.request(
            method,
            f"{PLEZI}/{path}",
            json=body,
            params=params,
            headers={
                "X-API-Key": self.tenant.api_key,
                "X-Tenant-Company": self.tenant.tenant_name,
            },
        )
        assert response.ok, response.text
        return response.json() if response.content else None

    def add_person(self, **attributes: Any) -> str:
        body = {"data": {"type": "contacts", "attributes": attributes}}
        return str(self.plezi("POST", "contacts", body)["data"]["id"])

    def edit_person(self, person: str, **attributes: Any) -> None:
        body = {"data": {"type": "contacts", "id": person, "attributes": attributes}}
        self.plezi("PUT", f"contacts/{person}", body)

    def people(self) -> dict[str, dict[str, Any]]:
        """Return all Plezi contacts by e-mail, as its users see them; the API may differ."""
        contacts = self.control("plezi", "GET", "contacts?limit=1000")["contacts"]
        return {contact["email"].lower(): contact for contact in contacts}

    # Controls of the simulators

    def control(self, side: str, method: str, path: str, body: Any = None) -> Any:
        base = "https://app.plezi.co" if side == "plezi" else SALESFORCE
        response = self._http.request(method, f"{base}/_sim/{path}", json=body)
        assert response.ok, response.text
        return response.json()

    def mark(self) -> None:
        """Start to count calls from zero."""
        for side in ("plezi", "salesforce"):
            self.control(side, "POST", "mark")

    def calls(self, side: str) -> dict[str, Any]:
        return dict(self.control(side, "GET", "calls"))

    def journal(self, email: str) -> list[dict[str, Any]]:
        """Return the journal entries of an e-mail; values are JSON."""
        items = boto3.client("dynamodb", region_name=REGION).query(
            TableName="JournalTable",
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"contact#{email}"}},
        )["Items"]
        return [
            {
                "at": entry.at,
                "run_id": entry.run_id,
                "kind": entry.kind,
                "side": entry.side,
                "record": entry.record_id,
                "field": entry.field,
                "before": json.dumps(entry.before, ensure_ascii=False),
                "after": json.dumps(entry.after, ensure_ascii=False),
                "rule": entry.rule,
            }
            for item in items
            for entry in parse_entries(item)
        ]
