"""The admin API of a deployed stack: signed calls (AWS Signature Version 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError

from plezi_sync.errors import UnreachableError, UsageError

TIMEOUT_SECONDS: Final = 40.0
"""Longer than the 29 s after which API Gateway ends a call with status 504."""
SERVICE: Final = "execute-api"
YAML_SUFFIX: Final = ".yaml"


@dataclass(frozen=True)
class AdminApi:
    """One API, with the credentials that sign each call.

    `use_proxy` applies the proxy settings of the environment. It is off for the local stack, which
    a proxy cannot reach.
    """

    url: str
    region: str
    credentials: Credentials
    use_proxy: bool

    def call(self, method: str, path: str, body: bytes | None = None) -> requests.Response:
        """Sign and send one request. The response may be a refusal: check `ok`.

        Raises:
            UsageError: when the path does not start with a slash, or signing is not possible.
            UnreachableError: when there is no response within 40 s.
        """
        if not path.startswith("/"):
            raise UsageError(f"The path {path!r} must start with a slash, as in /admin/status.")
        url = self.url.rstrip("/") + path
        headers = self._signed_headers(method, url, body or b"")
        with requests.Session() as session:
            session.trust_env = self.use_proxy
            try:
                return session.request(
                    method, url, data=body, headers=headers, timeout=TIMEOUT_SECONDS
                )
            except requests.RequestException as error:
                raise UnreachableError(
                    f"No response from {self.url} ({type(error).__name__}). {self._remedy()}"
                ) from error

    def _signed_headers(self, method: str, url: str, body: bytes) -> dict[str, str]:
        is_yaml = urlsplit(url).path.endswith(YAML_SUFFIX)
        headers = {"Content-Type": "application/yaml" if is_yaml else "application/json"}
        request = AWSRequest(method=method, url=url, data=body, headers=headers)
        try:
            SigV4Auth(self.credentials, SERVICE, self.region).add_auth(request)
        except BotoCoreError as error:  # an expired single sign-on session is found only here
            raise UsageError(f"The AWS credentials do not work: {error}. Log in again.") from error
        return dict(request.headers.items())

    def _remedy(self) -> str:
        if self.use_proxy:
            return "Check the URL (the output ApiUrl of the stack), the network and the proxy."
        return "Start the local stack with `make up`, or give --api-url for a stack on AWS."
