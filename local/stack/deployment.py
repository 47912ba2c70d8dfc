"""Build `template.yaml` and deploy it, unchanged, on the embedded AWS. Only parameters differ."""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from local import embedded_aws
from local.embedded_aws import EmbeddedAws
from local.stack.background import LOG_TAIL_LINES, StackError
from local.stack.console import console_url
from local.stack.stack_file import PleziTenant, SalesforceOrg

STACK_NAME: Final = "plezi-salesforce"
STAGE: Final = "v1"
SAM: Final = Path(".venv-sam/bin/sam")
TEMPLATE: Final = Path("template.yaml")
LAYER_CACHE: Final = Path(".build/layer")
BUCKET: Final = "artifacts"

LAPTOP_PARAMETERS: Final[Mapping[str, str]] = {
    "PleziCallsPerSecond": "0",
    # A killed run continues when its message is visible again. With the template's defaults this
    # takes five minutes, which is too long on a laptop.
    "WorkerTimeoutSeconds": "60",
    "WorkerBudgetSeconds": "40",
    "RunsVisibilitySeconds": "65",
}
"""Parameters that only make the stack faster. `make up DEFAULTS=yes` leaves them out."""


@dataclass(frozen=True)
class Deployed:
    """The physical names of the deployed resources, by our short names."""

    api_url: str
    functions: dict[str, str]
    tables: dict[str, str]
    queues: dict[str, str]
    secrets: dict[str, str]
    alerts_topic: str
    console_api: str
    console_pool: str


@dataclass(frozen=True)
class Deployment:
    """One build and one deployment: logs and parameters in `folder`, the build in `scratch`.

    With `defaults` every parameter has the template's own default, except those without which the
    embedded AWS and the simulators do not work: addresses, certificate, clear text. `source` is the
    checkout that is built: this one, or one of another version.
    """

    folder: Path
    scratch: Path
    aws: EmbeddedAws
    defaults: bool = False
    source: Path = Path()

    def build(self) -> None:
        """Build the functions and the layer, the layer for this machine and this interpreter."""
        LAYER_CACHE.mkdir(parents=True, exist_ok=True)
        self._sam(
            [
                "build",
                "--template-file",
                str(self.source / TEMPLATE),
                "--build-dir",
                str(self._built),
            ],
            {
                **os.environ,  # pip can need the proxy or the certificates of this machine
                "PYTHON": sys.executable,
                "LAYER_PLATFORM": "native",
                "LAYER_CACHE": str(LAYER_CACHE.absolute()),
            },
        )

    def deploy(self, salesforce: SalesforceOrg, plezi: PleziTenant) -> Deployed:
        """Deploy the build and return the names of the deployed resources."""
        self.aws.create_bucket(BUCKET)
        # A file, because the certificate has several lines and an argument must have one.
        parameters = self.folder / "parameters.yaml"
        values = self.parameters(salesforce, plezi)
        parameters.write_text(json.dumps(values, indent=2), encoding="utf-8")
        self._sam(
            [
                *("deploy", "--template-file", str(self._built / "template.yaml")),
                *("--stack-name", STACK_NAME, "--s3-bucket", BUCKET),
                *("--region", embedded_aws.REGION, "--capabilities", "CAPABILITY_IAM"),
                *("--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"),
                *("--parameter-overrides", f"file://{parameters.absolute()}"),
            ],
            {**embedded_aws.sdk_environment(self.aws.endpoint), "SAM_CLI_POLL_DELAY": "0.2"},
        )
        return self._deployed()

    def put_secrets(
        self,
        arns: Mapping[str, str],
        salesforce: SalesforceOrg,
        plezi: PleziTenant,
        signing_key: str,
    ) -> None:
        """Replace the placeholders of the template's secrets by the simulators' credentials.

        `signing_key` is the key that the simulated tenant signs its forms with.
        """
        user = salesforce.integration_user
        values = {
            "salesforce": {
                "flow": "password",
                "account_url": salesforce.url,
                "consumer_key": salesforce.consumer_key,
                "consumer_secret": salesforce.consumer_secret,
                "username": user.username,
                "password": user.password,
                "security_token": user.security_token,
                "private_key": "",
            },
            "plezi": {"api_key": plezi.api_key, "tenant": plezi.tenant},
            "forms": {"signing_keys": [signing_key], "tokens": []},
        }
        for name, value in values.items():
            self.aws.secrets.put_secret_value(SecretId=arns[name], SecretString=json.dumps(value))

    @property
    def _built(self) -> Path:
        # Without the link to it: SAM writes the paths of files in it relative to the folder itself.
        return self.scratch.resolve() / "build"

    def parameters(self, salesforce: SalesforceOrg, plezi: PleziTenant) -> dict[str, str]:
        """Return the parameters that differ from the template's defaults."""
        needed = {
            "PleziBaseUrl": plezi.url,
            "SalesforceTrustedHost": urlsplit(salesforce.url).netloc,
            "SalesforceCaPem": Path(salesforce.ca_bundle).read_text(encoding="ascii"),
            "ClearTextEndpoints": "true",
            "Console": "true",
            "ConsoleUrl": console_url(self.aws.endpoint),
            "ConsoleSignInUrl": self.aws.endpoint,
        }
        return needed if self.defaults else {**needed, **LAPTOP_PARAMETERS}

    def _sam(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        if not SAM.exists():
            raise StackError(f"{SAM} is missing. Run `make install`, then try again.")
        finished = subprocess.run(  # noqa: S603 - the tool and its arguments are ours
            [str(SAM), *arguments],
            env={**environment, "SAM_CLI_TELEMETRY": "0"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        log = self.folder / "logs" / f"sam-{arguments[0]}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(finished.stdout, encoding="utf-8")
        if finished.returncode:
            tail = "\n".join(
                f"  | {line}" for line in finished.stdout.splitlines()[-LOG_TAIL_LINES:]
            )
            raise StackError(
                f"`sam {arguments[0]}` failed. {log} contains the whole output.\n{tail}"
            )

    def _deployed(self) -> Deployed:
        described = self.aws.cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]
        outputs = {
            output.get("OutputKey", ""): output.get("OutputValue", "")
            for output in described.get("Outputs", [])
        }

        def names(suffix: str, *, dropped: str) -> dict[str, str]:
            return {
                snake(key.removesuffix(dropped)): value
                for key, value in outputs.items()
                if key.endswith(suffix)
            }

        queues = names("Url", dropped="Url")
        del queues["api"]
        return Deployed(
            # On AWS the output ApiUrl contains it. Here all services have one endpoint.
            api_url=f"{self.aws.endpoint}/_aws/execute-api/{outputs['ApiId']}/{STAGE}",
            functions=names("FunctionName", dropped="FunctionName"),
            tables=names("TableName", dropped="TableName"),
            queues={name.removesuffix("_queue"): url for name, url in queues.items()},
            secrets=names("SecretArn", dropped="SecretArn"),
            alerts_topic=outputs["AlertsTopicArn"],
            console_api=outputs["ConsoleApiId"],
            console_pool=outputs["ConsoleUserPoolId"],
        )


def new_signing_key() -> str:
    """Return a random signing key of 32 bytes, in the format of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def snake(name: str) -> str:
    """Return a name in snake case: `scheduled_sync` for `ScheduledSync`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
