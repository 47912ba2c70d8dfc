"""Entry point: parse the arguments, run one command, return its exit status."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final

from plezi_sync import commands
from plezi_sync.admin_api import AdminApi
from plezi_sync.arguments import parser
from plezi_sync.errors import CommandError, ExitStatus, UsageError
from plezi_sync.targets import LocalStack, account_on_aws, api_on_aws

INTERRUPTED: Final = 130
"""128 + SIGINT, as shells report it."""
CLOSED_OUTPUT: Final = 141
"""128 + SIGPIPE, as shells report it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status (see `ExitStatus`)."""
    options = parser().parse_args(arguments)
    try:
        _run(options)
        sys.stdout.flush()  # a closed pipe must be found here, not at the end of the process
    except CommandError as error:
        print(f"plezi-sync: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print("plezi-sync: interrupted.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of the output ended, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_OUTPUT
    return ExitStatus.DONE


def _run(options: argparse.Namespace) -> None:
    match options.command:
        case "call":
            commands.call(
                _api(options),
                options.method,
                options.path,
                body=options.body,
                output=options.output,
            )
        case "mapping" if options.action == "export":
            commands.export_mapping(_api(options), options.file)
        case "mapping":
            commands.import_mapping(_api(options), options.file)
        case "systems" if options.action == "decide":
            commands.decide_system(_api(options), options.side, options.decision)
        case "systems":
            commands.show_systems(_api(options))
        case "sync" | "approve" | "probe":
            _request(options)
        case "fields":
            commands.show_fields(_api(options), refresh=options.refresh)
        case "rotate":
            _rotate(options)
        case "invoke":
            stack = LocalStack.read(options.stack_file)
            commands.invoke(stack, options.function, options.event)
        case _:
            commands.show_status(_api(options))


def _request(options: argparse.Namespace) -> None:
    """Request a run or a probe, or approve the preview of a run."""
    if options.command == "probe":
        commands.probe(_api(options), options.contact, throwaway=options.throwaway)
        return
    if options.command == "approve":
        commands.approve_preview(_api(options), options.run_id)
        return
    commands.request_run(
        _api(options), options.kind, first=options.first, skip_stages=options.skip_stages
    )


def _api(options: argparse.Namespace) -> AdminApi:
    if options.api_url:
        return api_on_aws(options.api_url, options.region)
    if options.region:
        raise UsageError("--region is for a stack on AWS. Give --api-url as well.")
    return LocalStack.read(options.stack_file).api()


def _rotate(options: argparse.Namespace) -> None:
    if options.secret_id and options.function:
        account = account_on_aws(options.region)
        commands.rotate(account, options.secret_id, options.function, options.file)
        return
    if options.secret_id or options.function or options.region:
        raise UsageError("For a stack on AWS give both --secret-id and --function.")
    stack = LocalStack.read(options.stack_file)
    try:
        secret, function = stack.secrets["salesforce"], stack.functions["rotate_credentials"]
    except KeyError as error:
        raise UsageError(
            f"{options.stack_file} does not name {error}. Run `make down`, then `make up`."
        ) from error
    commands.rotate(stack.account(), secret, function, options.file)


if __name__ == "__main__":
    sys.exit(main())
