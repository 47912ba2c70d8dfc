"""Bring the stack up, bring it down, say how it is."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin

import requests

from local import embedded_aws
from local.embedded_aws import EmbeddedAws
from local.on_call import OnCall
from local.stack import stack_file as record
from local.stack.background import Background, StackError
from local.stack.deployment import STACK_NAME, Deployment, new_signing_key
from local.stack.scratch import make_scratch, remove_scratch
from local.stack.stack_file import PleziTenant, SalesforceOrg, StackFile

READY_SECONDS: Final = 30.0
EVENTS: Final = Path("events")
AWS, SALESFORCE, PLEZI = "aws", "salesforce", "plezi"
FAILED: Final = 300


@dataclass
class Progress:
    """One line per step, with its time."""

    since: float = field(default_factory=time.monotonic)

    @contextmanager
    def step(self, words: str) -> Iterator[None]:
        """Say what is being done, and how long it took once it is done."""
        begun = time.monotonic()
        yield
        print(f"  {time.monotonic() - begun:5.1f} s  {words}", flush=True)

    @property
    def seconds(self) -> float:
        """Seconds since the first step."""
        return time.monotonic() - self.since


@dataclass(frozen=True)
class StackCommands:
    """One stack, in one folder; several may live on one machine."""

    folder: Path

    @property
    def background(self) -> Background:
        """Its programs."""
        return Background(self.folder)

    def running(self) -> StackFile | None:
        """The record of the stack, if all of it is alive."""
        stack = record.read(self.folder)
        alive = all(self.background.alive(name) for name in (AWS, SALESFORCE, PLEZI))
        if stack is None or not alive or not embedded_aws.is_alive(stack.aws_endpoint):
            return None
        return stack

    def up(self, *, start: bool) -> StackFile:
        """Bring everything up, or find that it is.

        Whatever goes wrong, or Ctrl-C, stops again what was started; the logs stay.
        """
        if (stack := self.running()) is not None:
            print(f"The stack is already up: {stack.aws_endpoint} ({self.folder / record.FILE})")
            return stack
        if self.background.names():
            print("Clearing what an earlier stack left behind.")
            self.down()
        print("Bringing the stack up:")
        progress = Progress()
        try:
            stack = self._bring_up(progress)
            if start:
                with progress.step("start pressed"):
                    self._press_start(stack)
        except BaseException:
            self.background.stop()
            remove_scratch(self.folder)
            raise
        print(f"Up in {progress.seconds:.1f} s.")
        return stack

    def down(self) -> None:
        """Stop everything and forget it. Nothing running is fine."""
        begun = time.monotonic()
        stopped = self.background.stop()
        remove_scratch(self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)
        if stopped:
            print(f"Down in {time.monotonic() - begun:.1f} s: {', '.join(stopped)}.")
        else:
            print("Nothing was running.")

    def invoke(self, function: str, event: Path | None) -> Any:  # noqa: ANN401
        """Invoke a function by our own word for it, with one of the events of `events/`.

        Raises:
            StackError: when there is no such stack, function or event, or the function raised.
        """
        stack = self.running()
        if stack is None:
            raise StackError("The stack is not up. Run `make up` first.")
        if function not in stack.functions:
            raise StackError(f"No function {function!r}. There are: {', '.join(stack.functions)}.")
        path = event or _default_event(function)
        try:
            payload: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise StackError(f"{path} is missing. Choose one of {EVENTS}/ with E=...") from error
        try:
            return EmbeddedAws(stack.aws_endpoint).invoke(stack.functions[function], payload)
        except RuntimeError as error:
            raise StackError(str(error)) from error

    def rotate(self, material: Path) -> Any:  # noqa: ANN401
        """Put a file as the pending version of the Salesforce secret, and offer it.

        Raises:
            StackError: when there is no such stack or file, or the function raised.
        """
        stack = self.running()
        if stack is None:
            raise StackError("The stack is not up. Run `make up` first.")
        try:
            held = json.loads(material.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError) as error:
            raise StackError(f"{material} is not a file with a JSON object: {error}") from error
        on_call = OnCall(stack)
        try:
            return on_call.rotate(on_call.put_pending(held))
        except RuntimeError as error:
            raise StackError(str(error)) from error

    def _bring_up(self, progress: Progress) -> StackFile:
        self.folder.mkdir(parents=True, exist_ok=True)
        endpoint = f"http://{embedded_aws.LOOPBACK}:{embedded_aws.free_port()}"
        scratch = make_scratch(self.folder)
        self._start_programs(endpoint, scratch)
        aws = EmbeddedAws(endpoint)
        deployment = Deployment(self.folder, scratch, aws)
        with progress.step("template built for this machine"):
            deployment.build()
        with progress.step(f"embedded AWS ready at {endpoint}"):
            self.background.wait(AWS, lambda: embedded_aws.is_alive(endpoint), READY_SECONDS)
        with progress.step("both simulators ready"):
            salesforce = SalesforceOrg.model_validate(self._ready(SALESFORCE))
            plezi = PleziTenant.model_validate(self._ready(PLEZI))
        with progress.step(f"stack {STACK_NAME} deployed"):
            deployed = deployment.deploy(salesforce, plezi)
        with progress.step("secrets put, and the tenant told where its forms go"):
            signing_key = new_signing_key()
            deployment.put_secrets(deployed.secrets, salesforce, plezi, signing_key)
            self._ask_for_pushes(plezi, f"{deployed.api_url}/forms", signing_key)
        stack = StackFile(
            region=embedded_aws.REGION,
            aws_endpoint=endpoint,
            aws_access_key_id=embedded_aws.ACCESS_KEY_ID,
            aws_secret_access_key=embedded_aws.SECRET_ACCESS_KEY,
            stack_name=STACK_NAME,
            api_url=deployed.api_url,
            functions=deployed.functions,
            tables=deployed.tables,
            queues=deployed.queues,
            secrets=deployed.secrets,
            alerts_topic=deployed.alerts_topic,
            salesforce=salesforce,
            plezi=plezi,
        )
        stack.write(self.folder)
        return stack

    def _start_programs(self, endpoint: str, scratch: Path) -> None:
        """Start all three at once: they get ready while the template is being built."""
        port = int(endpoint.rpartition(":")[2])
        aws = self.folder.absolute() / AWS
        environment = embedded_aws.environment(port, aws, scratch)
        self.background.start(AWS, embedded_aws.command(), environment)
        for name, module in ((SALESFORCE, "salesforce_org"), (PLEZI, "plezi_tenant")):
            folder = self.folder / name
            folder.mkdir(parents=True, exist_ok=True)
            command = [sys.executable, "-m", f"local.{module}", "--port", "0"]
            command += ["--ready-file", str(self._ready_file(name))]
            if name == SALESFORCE:
                command += ["--folder", str(folder)]
            self.background.start(name, command)

    def _ready(self, name: str) -> Any:  # noqa: ANN401
        file = self._ready_file(name)
        self.background.wait(name, lambda: _json(file) is not None, READY_SECONDS)
        return _json(file)

    def _ready_file(self, name: str) -> Path:
        return self.folder / name / "ready.json"

    @staticmethod
    def _ask_for_pushes(plezi: PleziTenant, url: str, signing_key: str) -> None:
        """Have the simulated tenant push each submitted form, signed."""
        web = requests.Session()
        web.trust_env = False
        answer = web.post(
            urljoin(plezi.url, "/_sim/push"),
            json={"url": url, "signing_key": signing_key},
            timeout=READY_SECONDS,
        )
        answer.raise_for_status()

    @staticmethod
    def _press_start(stack: StackFile) -> None:
        event = json.loads((EVENTS / "admin_start.json").read_text(encoding="utf-8"))
        answer = EmbeddedAws(stack.aws_endpoint).invoke(stack.functions["admin"], event)
        status = answer.get("statusCode", FAILED)
        if status >= FAILED:
            raise StackError(f"POST /admin/start answered {status}: {answer.get('body', '')}")


def _json(path: Path) -> Any:  # noqa: ANN401
    """What a file holds; None while it is missing or half written."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


def _default_event(function: str) -> Path:
    names = {
        "admin": "admin_status",
        "form_worker": "forms_queue",
        "scheduled_sync": "scheduler",
        "sync_worker": "runs_queue",
    }
    return EVENTS / f"{names.get(function, function)}.json"
