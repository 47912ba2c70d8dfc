"""Signed calls to the admin API: of the stack on this machine, or of one on AWS."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import boto3
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local import embedded_aws
from local.stack.background import StackError
from local.stack.commands import StackCommands

SECONDS: Final = 40.0
"""More than the 29 s after which API Gateway gives up."""
YAML: Final = ".yaml"


def call_admin(
    commands: StackCommands, method: str, path: str, body: bytes | None, api_url: str = ""
) -> requests.Response:
    """Sign and send one call. Without `api_url` it goes to the stack on this machine.

    With it, to AWS, with the credentials and the region of the environment, as the AWS CLI would.
    Raises `StackError` when there is no stack, or nothing to sign with.
    """
    if not path.startswith("/"):
        raise StackError(f"The path {path!r} must begin with a slash, as in /admin/status.")
    here = not api_url
    if not here:
        credentials, region = _of_aws(api_url)
    else:
        stack = commands.running()
        if stack is None:
            raise StackError("The stack is not up. Run `make up` first, or give API_URL=...")
        api_url = stack.api_url
        credentials = Credentials(embedded_aws.ACCESS_KEY_ID, embedded_aws.SECRET_ACCESS_KEY)
        region = embedded_aws.REGION
    url = api_url.rstrip("/") + path
    kind = "application/yaml" if urlsplit(path).path.endswith(YAML) else "application/json"
    asked = AWSRequest(method=method, url=url, data=body or b"", headers={"Content-Type": kind})
    SigV4Auth(credentials, "execute-api", region).add_auth(asked)
    with requests.Session() as web:
        web.trust_env = not here  # a proxy of this machine leads away from the embedded AWS
        return web.request(
            method, url, data=body, headers=dict(asked.headers.items()), timeout=SECONDS
        )


def read_body(file: Path | None) -> bytes | None:
    """Return what a file holds; None without one. Raises `StackError` when it is not there."""
    try:
        return None if file is None else file.read_bytes()
    except OSError as error:
        raise StackError(f"{file} cannot be read: {error.strerror}.") from error


def _of_aws(api_url: str) -> tuple[Credentials, str]:
    """Whose credentials, and which region: an API's address names it, else the environment does."""
    session = boto3.Session()
    found = session.get_credentials()
    if found is None:
        raise StackError("No AWS credentials. Log in as for the AWS CLI, then try again.")
    labels = (urlsplit(api_url).hostname or "").split(".")
    named = labels[labels.index("execute-api") + 1] if "execute-api" in labels else ""
    region = named or session.region_name
    if not region:
        raise StackError("No region. Set AWS_REGION, then try again.")
    return found, region
