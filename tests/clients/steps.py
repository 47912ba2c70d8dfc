"""What each client does with the simulated org: a command of its own, or a step of a small program.

A command has the text that its output must contain. What needs an API that the org does not
simulate has `works=False`: it must fail, so that the table in the documentation stays true.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_VALUE = re.compile(r"(?<!\{)\{(\w+)\}(?!\})")
EMAIL = "cli@example.com"
QUERY = "SELECT Id, Email, Owner.Name FROM Lead LIMIT 3"


@dataclass(frozen=True)
class Command:
    """A command; `{url}` and the like are filled in. `expected` is a part of its output."""

    words: tuple[str, ...]
    expected: str
    works: bool = True
    refused: bool = False
    """The org refuses what the command asks for, as a real one does."""

    @property
    def result(self) -> str:
        """What the command comes to, in one word or two."""
        if not self.works:
            return "not simulated"
        return "refused" if self.refused else "works"

    @property
    def shown(self) -> str:
        """The command with variables of a shell in place of its values."""
        return " ".join(_quoted(_VALUE.sub(_variable, word)) for word in self.words)


def _variable(found: re.Match[str]) -> str:
    return f"${found[1].upper()}"


def _quoted(word: str) -> str:
    word = word.replace("{{", "{").replace("}}", "}")
    return f'"{word}"' if " " in word else word


def _sf(text: str, expected: str, *options: str, works: bool = True, **kinds: bool) -> Command:
    return Command(("sf", *text.split(), *options), expected, works=works, **kinds)


SF = (
    _sf(
        "org login access-token --no-prompt --set-default --alias org --instance-url {url}",
        "Successfully authorized",
    ),
    _sf("org display", "Connected"),
    _sf("org list", "Connected"),
    _sf("org list limits", "DailyApiRequests"),
    _sf("limits api display", "DailyApiRequests"),
    _sf("sobject list --sobject all", "Contact"),
    _sf("sobject describe --sobject Lead", '"plezi_url__c"'),
    _sf(
        "data create record --sobject Lead --values",
        "Successfully created record",
        f"LastName=Martin Company=Acme Email={EMAIL} newsletter_optout__c=true",
    ),
    _sf(
        "data get record --sobject Lead --where",
        '"Company": "Acme"',
        f"Email={EMAIL}",
        "--json",
    ),
    _sf(
        "data update record --sobject Lead --where",
        "Successfully updated record",
        f"Email={EMAIL}",
        "--values",
        "Title=CEO",
    ),
    _sf("data query --query", "OWNER.NAME", QUERY),
    _sf("data query --query", '"totalSize": 3', QUERY, "--json"),
    _sf("data query --result-format csv --query", "Id,Email,Owner.Name", QUERY),
    _sf("data query --query", "COUNT(ID)", "SELECT Status, COUNT(Id) FROM Lead GROUP BY Status"),
    _sf("data query --query", "Total number of records", "SELECT COUNT() FROM Lead"),
    _sf("data query --use-tooling-api --query", "score", "SELECT DeveloperName FROM CustomField"),
    _sf("data query --query", "No such column 'Nothing'", "SELECT Nothing FROM Lead", refused=True),
    _sf(
        "data create record --sobject Lead --values",
        "invalid email address",
        "LastName=Martin Company=Acme Email=bad",
        refused=True,
    ),
    _sf("data export tree --output-dir {folder} --query", "wrote 3 records", QUERY),
    _sf("data delete record --sobject Lead --where", "Successfully deleted", f"Email={EMAIL}"),
    _sf("api request rest /services/data/v64.0/limits", '"DailyApiRequests"'),
    _sf("org display user", "Plezi Integration"),
    _sf(
        "data search --query",
        "requested resource does not exist",
        "FIND {{ana}} RETURNING Lead(Id)",
        works=False,
    ),
    _sf(
        "data export bulk --wait 1 --output-file {folder}/bulk.csv --query",
        "requested resource does not exist",
        "SELECT Id FROM Lead",
        works=False,
    ),
    _sf("data import tree --files {folder}/Lead.json", "NOT_FOUND", works=False),
    _sf("org list metadata-types", "requested resource does not exist", works=False),
    _sf(
        "org login jwt --username {username} --client-id {key} --jwt-key-file {jwt_key}"
        " --instance-url {url}",
        "Successfully authorized",
    ),
    _sf("org logout --no-prompt", "Successfully logged out", "--target-org", "{username}"),
)

TAP = (
    Command(("tap-salesforce", "--config", "{config}", "--discover"), '"tap_stream_id": "Lead"'),
    Command(
        ("tap-salesforce", "--config", "{config}", "--properties", "{properties}"),
        '"type": "RECORD", "stream": "Contact"',
    ),
)

AIRBYTE = (
    Command(("source-salesforce", "check", "--config", "{config}"), '"status":"SUCCEEDED"'),
    Command(("source-salesforce", "discover", "--config", "{config}"), '"name":"Lead"'),
    Command(
        ("source-salesforce", "read", "--config", "{config}", "--catalog", "{catalog}"),
        '"type":"RECORD","record":{{"stream":"Lead"',
    ),
)

CORE_STEPS = (
    "log in with an access token",
    "log in by JWT",
    "log in with a refresh token",
    "read the org, the versions and whether it is a Dev Hub",
    "log in again after the session was ended",
    "create, update, read and delete a record",
    "create and delete 250 records in collections",
    "read all pages of a query",
    "describe an object, query the Tooling API",
    "read the codes of refusals",
)
"""The steps of `core_client.js`, with @salesforce/core."""

DJANGO_STEPS = (
    "log in by password, count",
    "create, read, update and delete a record",
    "bulk create, update and delete 150 records; query_all",
    "filter, exclude, order, slice, group, raw",
    "join a parent, filter by a sub-query",
    "read the code of a refusal",
    "inspectdb",
)
"""The steps of `django_client.py`, with django-salesforce."""

SOQL_STEPS = (
    "accepts every query of the grammar that the org claims",
    "refuses no edited query that the org accepts",
)
"""What Salesforce's own SOQL parser does with the queries of `soql_corpus.py`."""

COMMANDS = {"sf": SF, "tap-salesforce": TAP, "airbyte-source-salesforce": AIRBYTE}
PROGRAMS = {
    "@salesforce/core": CORE_STEPS,
    "django-salesforce": DJANGO_STEPS,
    "@salesforce/soql-common": SOQL_STEPS,
}


def table() -> Iterator[tuple[str, str, str]]:
    """Yield client, command or step, and result, as `make clients` prints them."""
    for client, commands in COMMANDS.items():
        yield from ((client, command.shown, command.result) for command in commands)
    for client, steps in PROGRAMS.items():
        yield from ((client, step, "works") for step in steps)
