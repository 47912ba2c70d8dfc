"""Run clients that nobody here wrote, unmodified, against the simulated org: `make clients`."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clients.installation import (
    ROOT,
    ClientMissingError,
    install_packages,
    install_soql_parser,
    node,
)
from tests.clients.served_org import ServedOrg, served_org
from tests.clients.soql_corpus import accepted_edits, queries_of_the_grammar
from tests.clients.steps import AIRBYTE, CORE_STEPS, DJANGO_STEPS, SF, SOQL_STEPS, TAP, Command
from tests.property.test_soql_grammar import QueriedOrg

HERE = Path(__file__).parent
SECONDS = 180
"""Longest time of one command."""
DETAIL_CHARACTERS = 600
COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True)
class Outcome:
    """What came of one step; `problem` is empty if it went as it should."""

    client: str
    step: str
    result: str
    problem: str = ""


def main() -> int:
    """Run the chosen clients, print a table, and return 1 if a step went wrong."""
    parser = argparse.ArgumentParser(prog="tests.clients", description=__doc__)
    parser.add_argument("clients", nargs="*", choices=[[], *CLIENTS], help="all by default")
    chosen = parser.parse_args().clients or list(CLIENTS)
    outcomes = list[Outcome]()
    with tempfile.TemporaryDirectory() as folder, served_org(Path(folder)) as org:
        for name in chosen:
            home = Path(folder) / name
            home.mkdir()
            try:
                for outcome in CLIENTS[name](org, home):
                    outcomes.append(outcome)
                    print(f"{outcome.result:14} {outcome.client:26} {outcome.step}", flush=True)
            except ClientMissingError as missing:
                outcomes.append(Outcome(name, "installation", "failed", str(missing)))
    failed = [outcome for outcome in outcomes if outcome.problem]
    for outcome in failed:
        print(f"\n{outcome.client}: {outcome.step}\n{outcome.problem}", file=sys.stderr)
    print(f"\n{len(outcomes) - len(failed)} steps as expected, {len(failed)} not")
    return 1 if failed else 0


def run_sf(org: ServedOrg, home: Path) -> Iterator[Outcome]:
    """Run the commands of the `sf` command line, which use one home, in their order."""
    program = install_packages() / "node_modules" / "@salesforce" / "cli" / "bin" / "run.js"
    values = {
        "url": org.url,
        "username": org.access["username"],
        "key": org.access["key"],
        "jwt_key": org.access["jwtKey"],
        "folder": str(home),
    }
    yield from _run_commands("sf", [node(), str(program)], SF, org.environment(home), values)


def run_tap(org: ServedOrg, home: Path) -> Iterator[Outcome]:
    """Discover the streams with tap-salesforce, then read leads and contacts."""
    start = [str(ROOT / ".venv-bench" / "bin" / "tap-salesforce")]
    config = _config(org, home, api_type="REST")
    environment = _at_login_host(org, home)
    discover, sync = TAP
    [outcome] = _run_commands("tap-salesforce", start, [discover], environment, {"config": config})
    yield outcome
    if outcome.problem:
        return
    words = [word.format(config=config) for word in discover.words[1:]]
    found = json.loads(_run([*start, *words], environment).stdout)
    for stream in found["streams"]:
        for entry in stream["metadata"]:
            wanted = stream["stream"] in {"Lead", "Contact"}
            unsupported = entry["metadata"].get("inclusion") == "unsupported"
            entry["metadata"]["selected"] = wanted and not unsupported
    properties = home / "properties.json"
    properties.write_text(json.dumps(found), encoding="utf-8")
    values = {"config": config, "properties": str(properties)}
    yield from _run_commands("tap-salesforce", start, [sync], environment, values)


def run_airbyte(org: ServedOrg, home: Path) -> Iterator[Outcome]:
    """Check and discover with Airbyte's source, then read leads and contacts."""
    start = [str(ROOT / ".venv-airbyte" / "bin" / "source-salesforce")]
    config = _config(org, home, auth_type="Client")
    environment = _at_login_host(org, home)
    check, discover, read = AIRBYTE
    name, values = "airbyte-source-salesforce", {"config": config}
    outcomes = list(_run_commands(name, start, [check, discover], environment, values))
    yield from outcomes
    if any(outcome.problem for outcome in outcomes):
        return
    words = [word.format(config=config) for word in discover.words[1:]]
    lines = _run([*start, *words], environment).stdout.splitlines()
    messages = [json.loads(line) for line in lines if line.startswith("{")]
    [catalog] = [each["catalog"] for each in messages if each["type"] == "CATALOG"]
    chosen = [
        {
            "stream": stream,
            "sync_mode": "incremental",
            "cursor_field": ["SystemModstamp"],
            "destination_sync_mode": "append",
        }
        for stream in catalog["streams"]
        if stream["name"] in {"Lead", "Contact"}
    ]
    path = home / "catalog.json"
    path.write_text(json.dumps({"streams": chosen}), encoding="utf-8")
    values = {"config": config, "catalog": str(path)}
    yield from _run_commands(name, start, [read], environment, values)


def run_core(org: ServedOrg, home: Path) -> Iterator[Outcome]:
    """Run the program that uses @salesforce/core."""
    command = [node(), str(HERE / "core_client.js"), str(install_packages())]
    environment = _at_login_host(org, home)
    yield from _run_program("@salesforce/core", command, CORE_STEPS, environment)


def run_django(org: ServedOrg, home: Path) -> Iterator[Outcome]:
    """Run the program that uses django-salesforce."""
    command = [str(ROOT / ".venv-django" / "bin" / "python"), str(HERE / "django_client.py")]
    yield from _run_program("django-salesforce", command, DJANGO_STEPS, org.environment(home))


def run_soql_parser(org: ServedOrg, home: Path) -> Iterator[Outcome]:
    """Compare what the org accepts with Salesforce's own SOQL parser."""
    queried = QueriedOrg()
    queries = queries_of_the_grammar(queried)
    edits = list(accepted_edits(queried, queries))
    queried.org.close()
    command = [node(), str(HERE / "soql_parser.js"), str(install_soql_parser())]
    environment = org.environment(home)
    for step, corpus in zip(SOQL_STEPS, (queries, edits), strict=True):
        ran = _run(command, environment, json.dumps(corpus))
        refused = json.loads(ran.stdout) if ran.returncode == 0 and corpus else [ran.stderr]
        problem = f"{len(refused)} of {len(corpus)}: {refused[:3]}" if refused else ""
        yield Outcome(
            "@salesforce/soql-common", step, "UNEXPECTED" if problem else "works", problem
        )


CLIENTS: dict[str, Callable[[ServedOrg, Path], Iterator[Outcome]]] = {
    "sf": run_sf,
    "core": run_core,
    "django": run_django,
    "tap": run_tap,
    "airbyte": run_airbyte,
    "soql": run_soql_parser,
}


def _config(org: ServedOrg, home: Path, **more: str) -> str:
    """Write the configuration of a client that logs in by a refresh token; return its path."""
    values = {
        "client_id": org.access["key"],
        "client_secret": org.access["secret"],
        "refresh_token": org.access["refreshToken"],
        "start_date": "2026-01-01T00:00:00Z",
        **more,
    }
    path = home / "config.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    return str(path)


def _at_login_host(org: ServedOrg, home: Path) -> dict[str, str]:
    """Return an environment in which `login.salesforce.com` is the simulated org."""
    return org.environment(home) | {"HTTPS_PROXY": org.proxy, "NO_PROXY": "127.0.0.1"}


def _run(
    command: Sequence[str], environment: dict[str, str], given: str = ""
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            env=environment,
            input=given,
            cwd=environment["HOME"],
            check=False,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    except FileNotFoundError as error:
        raise ClientMissingError(f"{command[0]} is not installed") from error


def _run_commands(
    client: str,
    start: Sequence[str],
    commands: Sequence[Command],
    environment: dict[str, str],
    values: dict[str, str],
) -> Iterator[Outcome]:
    for command in commands:
        words = [word.format(**values) for word in command.words[1:]]
        ran = _run([*start, *words], environment)
        yield _compared(client, command, ran)


def _compared(client: str, command: Command, ran: subprocess.CompletedProcess[str]) -> Outcome:
    """Compare what a command did with what it should do."""
    output = COLOURS.sub("", ran.stdout + ran.stderr)
    should_fail = command.refused or not command.works
    expected = command.expected.replace("{{", "{").replace("}}", "}")
    if (ran.returncode != 0) is should_fail and expected in output:
        return Outcome(client, command.shown, command.result)
    problem = f"status {ran.returncode}, without {expected!r}:\n{output[-DETAIL_CHARACTERS:]}"
    return Outcome(client, command.shown, "UNEXPECTED", problem)


def _run_program(
    client: str, command: Sequence[str], steps: Sequence[str], environment: dict[str, str]
) -> Iterator[Outcome]:
    """Run a program that prints a line of JSON for each step: all of them, in their order."""
    ran = _run(command, environment)
    lines = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    done: dict[str, Any] = {line["step"]: line["problem"] for line in lines}
    for step in steps:
        missing = f"the program printed nothing about it:\n{ran.stderr[-DETAIL_CHARACTERS:]}"
        problem = done.pop(step, missing)
        yield Outcome(client, step, "UNEXPECTED" if problem else "works", problem)
    for step in done:
        yield Outcome(client, step, "UNEXPECTED", "the list of steps lacks it")


if __name__ == "__main__":
    sys.exit(main())
