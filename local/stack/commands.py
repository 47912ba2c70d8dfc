"""Bring the stack up, bring it down, check whether it runs."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urljoin

import requests

from local import embedded_aws
from local.dynamodb_gateway.control import gateway_command, is_ready
from local.embedded_aws import EmbeddedAws
from local.stack import stack_file
from local.stack.background import BackgroundPrograms, StackError
from local.stack.console import open_console
from local.stack.deployment import STACK_NAME, Deployment, new_signing_key
from local.stack.scratch import make_scratch, remove_scratch, scratch_path
from local.stack.stack_file import PleziTenant, SalesforceOrg, StackFile

READY_SECONDS: Final = 30.0
EVENTS: Final = Path("events")
HERE: Final = Path()
"""This checkout."""
AWS, DYNAMODB, SALESFORCE, PLEZI = "aws", "dynamodb", "salesforce", "plezi"
NOT_OK: Final = 300
"""Statuses from here on are no success."""
OTHER_PARAMETERS: Final = (
    "The stack that is up has {present}. Stop it first (make down), or leave DEFAULTS as it was."
)


@dataclass
class Progress:
    """Prints one line per step, with its duration."""

    since: float = field(default_factory=time.monotonic)

    @contextmanager
    def step(self, description: str) -> Iterator[None]:
        """Print the description of a step and its duration when it is done."""
        start = time.monotonic()
        yield
        print(f"  {time.monotonic() - start:5.1f} s  {description}", flush=True)

    @property
    def seconds(self) -> float:
        """Seconds since the first step."""
        return time.monotonic() - self.since


@dataclass(frozen=True)
class StackCommands:
    """One stack, in one folder. A machine can run several."""

    folder: Path

    @property
    def background(self) -> BackgroundPrograms:
        """Its programs."""
        return BackgroundPrograms(self.folder)

    def running(self) -> StackFile | None:
        """Return the description of the stack, if all of its programs run."""
        stack = stack_file.read(self.folder)
        alive = all(self.background.alive(name) for name in (AWS, DYNAMODB, SALESFORCE, PLEZI))
        if stack is None or not alive or not embedded_aws.is_alive(stack.aws_endpoint):
            return None
        return stack

    def up(self, *, start: bool, defaults: bool = False, source: Path = HERE) -> StackFile:
        """Bring everything up, unless it already is. `start` enables synchronization.

        `defaults`: deploy with the template's own pace and times instead of those of a laptop.
        `source`: the checkout that is deployed, if it is not this one.
        After an error or Ctrl-C the programs that were started are stopped; the logs stay.
        Raises `StackError` when a step fails, or the stack that is up has the other parameters.
        """
        if (stack := self.running()) is not None:
            if stack.defaults != defaults:
                raise StackError(OTHER_PARAMETERS.format(present=stack.parameters))
            print(
                f"The stack is already up: {stack.aws_endpoint} ({self.folder / stack_file.FILE})"
            )
            return stack
        if self.background.names():
            print("Removing the rest of an earlier stack.")
            self.down()
        print("Bringing the stack up:")
        progress = Progress()
        try:
            stack = self._bring_up(progress, defaults=defaults, source=source)
            if start:
                with progress.step("synchronization enabled"):
                    self._enable_synchronization(stack)
        except BaseException:
            self.background.stop()
            remove_scratch(self.folder)
            raise
        print(f"Up in {progress.seconds:.1f} s.")
        return stack

    def down(self) -> None:
        """Stop all programs and delete the stack's folder. The stack does not have to run."""
        start = time.monotonic()
        stopped = self.background.stop()
        remove_scratch(self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)
        if stopped:
            print(f"Down in {time.monotonic() - start:.1f} s: {', '.join(stopped)}.")
        else:
            print("Nothing was running.")

    def deploy(self, source: Path = HERE) -> StackFile:
        """Deploy another version on the stack that is up: an upgrade or a rollback.

        `source` is its checkout. Tables, queues, secrets and both simulators stay as they are.
        Raises `StackError` when no stack is up, or a step fails.
        """
        stack = self.running()
        if stack is None:
            raise StackError("No stack is up. Run `make up`, then try again.")
        progress = Progress()
        deployment = Deployment(
            self.folder,
            scratch_path(self.folder),
            EmbeddedAws(stack.aws_endpoint),
            defaults=stack.defaults,
            source=source,
        )
        with progress.step("template built for this machine"):
            deployment.build()
        with progress.step(f"stack {STACK_NAME} updated"):
            deployed = deployment.deploy(stack.salesforce, stack.plezi)
        names = {name: getattr(deployed, name) for name in ("functions", "tables", "queues")}
        updated = stack.model_copy(update={**names, "secrets": deployed.secrets})
        updated.write(self.folder)
        return updated

    def _bring_up(self, progress: Progress, *, defaults: bool, source: Path) -> StackFile:
        self.folder.mkdir(parents=True, exist_ok=True)
        endpoint, dynamodb = (
            f"http://{embedded_aws.LOOPBACK}:{port}" for port in embedded_aws.free_ports(2)
        )
        scratch = make_scratch(self.folder)
        self._start_programs(endpoint, dynamodb, scratch)
        aws = EmbeddedAws(endpoint)
        deployment = Deployment(self.folder, scratch, aws, defaults=defaults, source=source)
        with progress.step("template built for this machine"):
            deployment.build()
        with progress.step(f"embedded AWS ready at {endpoint}"):
            self.background.wait(AWS, lambda: embedded_aws.is_alive(endpoint), READY_SECONDS)
        with progress.step(f"DynamoDB's limits enforced at {dynamodb}"):
            self.background.wait(DYNAMODB, lambda: is_ready(dynamodb), READY_SECONDS)
        with progress.step("both simulators ready"):
            salesforce = SalesforceOrg.model_validate(self._ready(SALESFORCE))
            plezi = PleziTenant.model_validate(self._ready(PLEZI))
        with progress.step(f"stack {STACK_NAME} deployed"):
            deployed = deployment.deploy(salesforce, plezi)
        with progress.step("secrets stored, form webhook of the tenant configured"):
            signing_key = new_signing_key()
            deployment.put_secrets(deployed.secrets, salesforce, plezi, signing_key)
            self._configure_webhook(plezi, f"{deployed.api_url}/forms", signing_key)
        with progress.step("console opened, demo users created"):
            console = open_console(aws, deployed.console_api, deployed.console_pool)
        stack = StackFile(
            region=embedded_aws.REGION,
            aws_endpoint=endpoint,
            dynamodb_endpoint=dynamodb,
            aws_access_key_id=embedded_aws.ACCESS_KEY_ID,
            aws_secret_access_key=embedded_aws.SECRET_ACCESS_KEY,
            stack_name=STACK_NAME,
            defaults=defaults,
            api_url=deployed.api_url,
            functions=deployed.functions,
            tables=deployed.tables,
            queues=deployed.queues,
            secrets=deployed.secrets,
            alerts_topic=deployed.alerts_topic,
            salesforce=salesforce,
            plezi=plezi,
            console=console,
        )
        stack.write(self.folder)
        return stack

    def _start_programs(self, endpoint: str, dynamodb: str, scratch: Path) -> None:
        """Start all at once: they start while the template is built."""
        port = int(endpoint.rpartition(":")[2])
        aws = self.folder.absolute() / AWS
        environment = embedded_aws.environment(port, aws, scratch, dynamodb)
        self.background.start(AWS, embedded_aws.command(), environment)
        self.background.start(DYNAMODB, gateway_command(dynamodb, endpoint))
        for name, module in ((SALESFORCE, "salesforce_org"), (PLEZI, "plezi_tenant")):
            folder = self.folder / name
            folder.mkdir(parents=True, exist_ok=True)
            command = [sys.executable, "-m", f"local.{module}", "--port", "0"]
            command += ["--ready-file", str(self._ready_file(name))]
            if name == SALESFORCE:
                command += ["--folder", str(folder)]
            self.background.start(name, command)

    def _ready(self, name: str) -> object:
        file = self._ready_file(name)
        self.background.wait(name, lambda: _json(file) is not None, READY_SECONDS)
        return _json(file)

    def _ready_file(self, name: str) -> Path:
        return self.folder / name / "ready.json"

    @staticmethod
    def _configure_webhook(plezi: PleziTenant, url: str, signing_key: str) -> None:
        """Configure the simulated tenant to send each submitted form, signed, to `url`."""
        session = requests.Session()
        session.trust_env = False
        response = session.post(
            urljoin(plezi.url, "/_sim/push"),
            json={"url": url, "signing_key": signing_key},
            timeout=READY_SECONDS,
        )
        response.raise_for_status()

    @staticmethod
    def _enable_synchronization(stack: StackFile) -> None:
        event = json.loads((EVENTS / "admin_start.json").read_text(encoding="utf-8"))
        response = EmbeddedAws(stack.aws_endpoint).invoke(stack.functions["admin"], event)
        status = response.get("statusCode", NOT_OK)
        if status >= NOT_OK:
            body = response.get("body", "")
            raise StackError(f"POST /admin/start failed with status {status}: {body}")


def _json(path: Path) -> object:
    """Return the contents of a JSON file; None while it is missing or incomplete."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
