"""The arguments of the command line, and their help."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from plezi_sync import __version__
from plezi_sync.targets import STACK_FILE

MAPPING_FILE: Final = Path("mapping.yaml")
DESCRIPTION: Final = """\
Operate the synchronization between Plezi and Salesforce.

Without --api-url a command works on the local stack of `make up`. With it, on a stack on AWS: each
call is signed with the credentials that the AWS CLI would use."""
EXIT_STATUSES: Final = """\
exit status:
  0  done
  1  the stack refused the request; the message says why
  2  the arguments, a file or the AWS configuration are wrong
  3  no response: the stack is not up, or the network does not reach it

examples:
  plezi-sync status
  plezi-sync call GET '/admin/attention?kind=hold'
  plezi-sync call POST /admin/start --api-url https://ID.execute-api.REGION.amazonaws.com/STAGE
  plezi-sync mapping export mapping.yaml
  plezi-sync rotate new.json"""
CALL: Final = "Send one signed request to the admin API and print the response."
EXPORT: Final = "Write the current field mapping to a YAML file."
FIELDS: Final = """\
Show the fields of both sides: the type of each, whether it can send and receive values, and why not
(GET /admin/fields)."""
IMPORT: Final = "Save the field mapping in a YAML file. An outdated file is refused."
INVOKE: Final = "Invoke a function of the local stack and print its response."
MAPPING: Final = "Export the field mapping to a YAML file, or import it from one."
ROTATE: Final = """\
Store new Salesforce credentials as the pending version of the secret, test them with one login, and
use them if they work. For a stack on AWS give both --secret-id and --function."""
SYSTEMS: Final = "Show the connected org and tenant, or decide about another one."
SHOW_SYSTEMS: Final = "Show the connected org and tenant (GET /admin/systems)."
DECIDE: Final = """\
Decide about another org or tenant that the credentials led to: same_people matches people by e-mail
again, wrong_credentials changes nothing."""
SYNC: Final = """\
Request a run of all people (POST /sync). A first synchronization runs in stages of 10, 100 and
1,000 people and stops after a stage with too many errors, duplicates or overwritten values."""
APPROVE: Final = """\
Approve the preview of a dry run: the next run may clear and overwrite as many records of each field
as the preview shows, and no more (POST /admin/runs/RUN_ID/approve)."""
PROBE: Final = """\
Ask the Plezi tenant what its API is like, and use the dialect that is found
(POST /admin/plezi/probe). Without --contact nothing is written."""
STATUS: Final = "Show the state of the synchronization (GET /admin/status)."


def parser() -> argparse.ArgumentParser:
    """Return the parser of all subcommands."""
    top = argparse.ArgumentParser(
        prog="plezi-sync",
        description=DESCRIPTION,
        epilog=EXIT_STATUSES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    local, target = [_local_options()], [_target_options()]

    commands.add_parser(
        "status", parents=target, description=STATUS, help="show the state of the synchronization"
    )
    _call_arguments(
        commands.add_parser(
            "call", parents=target, description=CALL, help="send one request to the admin API"
        )
    )
    mapping = commands.add_parser(
        "mapping", description=MAPPING, help="export or import the field mapping"
    )
    actions = mapping.add_subparsers(dest="action", required=True, metavar="ACTION")
    for action, summary in (("export", EXPORT), ("import", IMPORT)):
        _mapping_arguments(
            actions.add_parser(action, parents=target, description=summary, help=summary)
        )
    fields = commands.add_parser(
        "fields",
        parents=target,
        description=FIELDS,
        help="show the fields of both sides and what each can do",
    )
    fields.add_argument(
        "--refresh", action="store_true", help="let both sides describe their fields again"
    )
    _systems_arguments(
        commands.add_parser(
            "systems",
            description=SYSTEMS,
            help="show the connected org and tenant, or decide about another one",
        ),
        target,
    )
    _sync_arguments(
        commands.add_parser(
            "sync", parents=target, description=SYNC, help="request a run of all people"
        )
    )
    approve = commands.add_parser(
        "approve", parents=target, description=APPROVE, help="approve the preview of a dry run"
    )
    approve.add_argument("run_id", metavar="RUN_ID", help="the id of the dry run")
    _probe_arguments(
        commands.add_parser(
            "probe", parents=target, description=PROBE, help="find out what the Plezi API is like"
        )
    )
    _rotate_arguments(
        commands.add_parser(
            "rotate",
            parents=local,
            description=ROTATE,
            help="test new Salesforce credentials, then use them",
        )
    )
    _invoke_arguments(
        commands.add_parser(
            "invoke", parents=local, description=INVOKE, help="invoke a function of the local stack"
        )
    )
    return top


def _local_options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "--stack-file",
        type=Path,
        default=STACK_FILE,
        metavar="FILE",
        help="the file that describes the local stack (default: %(default)s)",
    )
    return options


def _target_options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False, parents=[_local_options()])
    options.add_argument(
        "--api-url",
        default="",
        metavar="URL",
        help="an API on AWS: the output ApiUrl of its stack (default: the local stack)",
    )
    options.add_argument(
        "--region",
        default="",
        help="its region (default: the one in the URL, else the one of the AWS configuration)",
    )
    return options


def _call_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("method", metavar="METHOD", help="GET, POST or PUT")
    command.add_argument("path", metavar="PATH", help="a route, such as /admin/status")
    command.add_argument("--body", type=Path, metavar="FILE", help="a file with the request body")
    command.add_argument(
        "--output", type=Path, metavar="FILE", help="a file for the response (default: the screen)"
    )


def _mapping_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "file",
        type=Path,
        nargs="?",
        default=MAPPING_FILE,
        metavar="FILE",
        help="the YAML file (default: %(default)s)",
    )


def _sync_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--kind",
        choices=("changes", "full", "dry_run"),
        default="changes",
        help="what to synchronize (default: %(default)s)",
    )
    stages = command.add_mutually_exclusive_group()
    stages.add_argument(
        "--first", action="store_true", help="begin the stages of a first synchronization again"
    )
    stages.add_argument(
        "--skip-stages", action="store_true", help="leave out the stages that are left"
    )


def _systems_arguments(
    command: argparse.ArgumentParser, target: list[argparse.ArgumentParser]
) -> None:
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("show", parents=target, description=SHOW_SYSTEMS, help=SHOW_SYSTEMS)
    decide = actions.add_parser("decide", parents=target, description=DECIDE, help=SYSTEMS)
    decide.add_argument("side", choices=("salesforce", "plezi"))
    decide.add_argument("decision", choices=("same_people", "wrong_credentials"))


def _probe_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--contact",
        default="",
        metavar="EMAIL",
        help="create this throwaway contact, write to it, and delete it if Plezi allows that",
    )
    command.add_argument(
        "--throwaway", action="store_true", help="the contact may exist, and may be overwritten"
    )


def _rotate_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path, metavar="FILE", help="a JSON file with the new secret")
    command.add_argument(
        "--secret-id", default="", help="on AWS: the output SalesforceSecretArn of the stack"
    )
    command.add_argument(
        "--function",
        default="",
        help="on AWS: the output RotateCredentialsFunctionName of the stack",
    )
    command.add_argument(
        "--region", default="", help="on AWS: the region (default: the AWS configuration)"
    )


def _invoke_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("function", metavar="FUNCTION", help="scheduled_sync, admin, ...")
    command.add_argument(
        "--event",
        type=Path,
        metavar="FILE",
        help="a JSON file with the event (default: the sample of the function in events/)",
    )
