"""The file that describes a running stack: `.local/stack.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

FOLDER: Final = Path(".local")
FILE: Final = "stack.json"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class SalesforceUser(_Frozen):
    """A user who can log in to the simulated org."""

    username: str
    password: str
    security_token: str


class SalesforceOrg(_Frozen):
    """The address of the simulated Salesforce org, and its credentials."""

    url: str
    ca_bundle: str
    consumer_key: str
    consumer_secret: str
    integration_user: SalesforceUser
    sales_user: SalesforceUser


class PleziTenant(_Frozen):
    """The address of the simulated Plezi tenant, and its credentials."""

    url: str
    api_key: str
    tenant: str


class ConsoleUser(_Frozen):
    """A demo user of the console."""

    email: str
    password: str
    roles: tuple[str, ...]


class Console(_Frozen):
    """The address of the console, its user pool, and its demo users."""

    url: str
    pool_id: str
    users: tuple[ConsoleUser, ...]


class StackFile(_Frozen):
    """Every name and address that a user, a test, the demo or the command line needs.

    `defaults`: pace and times are the template's own; without it, those of a laptop.
    """

    region: str
    aws_endpoint: str
    dynamodb_endpoint: str
    aws_access_key_id: str
    aws_secret_access_key: str
    stack_name: str
    defaults: bool = False
    api_url: str
    functions: dict[str, str]
    tables: dict[str, str]
    queues: dict[str, str]
    secrets: dict[str, str]
    alerts_topic: str
    salesforce: SalesforceOrg
    plezi: PleziTenant
    console: Console

    @property
    def parameters(self) -> str:
        """Which pace and times the functions have, in words."""
        return f"the pace and times of {'the template' if self.defaults else 'a laptop'}"

    def write(self, folder: Path) -> Path:
        """Write the file atomically: a reader finds all of it or no file. Returns its path."""
        path = folder / FILE
        draft = path.with_suffix(".draft")
        draft.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
        return draft.replace(path)


def read(folder: Path = FOLDER) -> StackFile | None:
    """Return the contents of the file in `folder`, or None when there is no stack."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    return StackFile.model_validate_json(text)
