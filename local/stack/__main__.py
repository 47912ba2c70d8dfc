"""`python -m local.stack up | down | status | env`: the local stack. The Makefile calls it."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import webbrowser
from pathlib import Path
from types import FrameType
from typing import Final
from urllib.parse import urljoin

from local.stack import stack_file
from local.stack.background import StackError
from local.stack.commands import StackCommands
from local.stack.stack_file import StackFile

INTERRUPTED: Final = 130
"""128 + SIGINT, as shells report it."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit status."""
    # `make` passes a kill on as SIGTERM: the programs that were started must be stopped then too.
    signal.signal(signal.SIGTERM, _interrupt)
    options = _parser().parse_args(arguments)
    commands = StackCommands(options.folder)
    try:
        match options.command:
            case "up":
                stack = commands.up(start=options.start, defaults=options.defaults)
                print(_next_steps(stack, options.folder))
            case "down":
                commands.down()
            case "console":
                return _open_console(commands)
            case "env":
                return _environment(commands)
            case _:
                return _status(commands, as_json=options.json)
    except StackError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. The programs that were started are stopped.", file=sys.stderr)
        return INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.stack", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=stack_file.FOLDER, help="folder of the stack (%(default)s)"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser(
        "up", help="build, deploy, start both simulators, enable synchronization"
    )
    up.add_argument(
        "--no-start",
        dest="start",
        action="store_false",
        help="do not enable synchronization",
    )
    up.add_argument(
        "--defaults",
        action="store_true",
        help="deploy with the template's own pace and times, as on AWS, instead of those of a "
        "laptop",
    )
    commands.add_parser("down", help="stop all programs and delete the folder of the stack")
    commands.add_parser(
        "env", help="print the shell variables with which the AWS CLI uses the stack"
    )
    commands.add_parser("console", help="open the console in the browser")
    status = commands.add_parser("status", help="show whether the stack is up")
    status.add_argument("--json", action="store_true", help="print the stack file")
    return parser


def _status(commands: StackCommands, *, as_json: bool) -> int:
    stack = commands.running()
    if stack is None:
        print("{}" if as_json else "The stack is not up. Start it with `make up`.")
        return 1
    print(stack.model_dump_json(indent=2) if as_json else _next_steps(stack, commands.folder))
    return 0


def _open_console(commands: StackCommands) -> int:
    stack = commands.running()
    if stack is None:
        print("The stack is not up. Start it with `make up`.", file=sys.stderr)
        return 1
    print(f"{stack.console.url}/\n{_users(stack)}")
    webbrowser.open(f"{stack.console.url}/")
    return 0


def _environment(commands: StackCommands) -> int:
    stack = commands.running()
    if stack is None:
        print("The stack is not up. Start it with `make up`.", file=sys.stderr)
        return 1
    print("\n".join(shell_variables(stack)))
    return 0


def shell_variables(stack: StackFile) -> list[str]:
    """Return the lines of a shell that let the commands of docs/runbooks.md use the stack."""
    variables = {
        "AWS_ENDPOINT_URL": stack.aws_endpoint,
        "AWS_ACCESS_KEY_ID": stack.aws_access_key_id,
        "AWS_SECRET_ACCESS_KEY": stack.aws_secret_access_key,
        "AWS_REGION": stack.region,
        "STACK": stack.stack_name,
    }
    return [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]


def _next_steps(stack: StackFile, folder: Path) -> str:
    return f"""
  Salesforce     {_pages(stack.salesforce.url)}
  Plezi          {_pages(stack.plezi.url)}
  Console        {stack.console.url}/
{_users(stack)}
  API            {stack.api_url}
  parameters     {stack.parameters}
  all addresses  {folder / stack_file.FILE}
  logs           {folder / "logs"}/

  make invoke F=scheduled_sync    start a run now, as the schedule does
  plezi-sync doctor               show what is wrong, with the remedy (pip install ./cli)
  make down                       stop everything
"""


def _users(stack: StackFile) -> str:
    """Return one line for each demo user of the console."""
    lines = (
        f"    {user.email:<22} {user.password}   {', '.join(user.roles)}"
        for user in stack.console.users
    )
    return "\n".join(lines)


def _pages(url: str) -> str:
    """Return the address of a simulator's pages for a browser: `url` may have an API's path."""
    return urljoin(url, "/")


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
