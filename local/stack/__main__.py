"""`python -m local.stack up | down | status | invoke | admin`; `make` calls it."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path
from types import FrameType
from urllib.parse import urljoin

from local.stack import stack_file as record
from local.stack.admin_calls import call_admin, read_body
from local.stack.background import StackError
from local.stack.commands import StackCommands
from local.stack.stack_file import StackFile

INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit status."""
    signal.signal(
        signal.SIGTERM, _interrupt
    )  # `make` passes on a kill as SIGTERM: clean up as well
    asked = _parser().parse_args(arguments)
    commands = StackCommands(asked.folder)
    try:
        match asked.command:
            case "up":
                print(_next_steps(commands.up(start=asked.start), asked.folder))
            case "down":
                commands.down()
            case "admin":
                return _admin(commands, asked)
            case "invoke":
                print(json.dumps(commands.invoke(asked.function, asked.event), indent=2))
            case "rotate":
                print(json.dumps(commands.rotate(asked.material), indent=2))
            case _:
                return _status(commands, as_json=asked.json)
    except StackError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; what was started is stopped.", file=sys.stderr)
        return INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.stack", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=record.FOLDER, help="where the stack lives (%(default)s)"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="build, deploy, start both simulators, press start")
    up.add_argument(
        "--no-start", dest="start", action="store_false", help="leave the connector paused"
    )
    commands.add_parser("down", help="stop everything and forget it")
    status = commands.add_parser("status", help="say whether the stack is up")
    status.add_argument("--json", action="store_true", help="print the record")
    invoke = commands.add_parser("invoke", help="invoke a deployed function")
    invoke.add_argument("function", help="scheduled_sync, admin, ... (`status --json` has all)")
    invoke.add_argument("--event", type=Path, help="a file with the event (one of events/)")
    admin = commands.add_parser("admin", help="call the admin API, signed")
    admin.add_argument("method", help="GET, POST or PUT")
    admin.add_argument("path", help="such as /admin/status")
    admin.add_argument("--body", type=Path, help="a file with the body")
    admin.add_argument("--output", type=Path, help="a file for the answer (default: the screen)")
    admin.add_argument("--api-url", default="", help="an API on AWS (default: this machine's)")
    rotate = commands.add_parser("rotate", help="try new Salesforce credentials, then use them")
    rotate.add_argument("material", type=Path, help="a file with the new secret")
    return parser


def _admin(commands: StackCommands, asked: argparse.Namespace) -> int:
    """Print, or keep, one answer of the admin API; a refusal is an exit status of 1."""
    answer = call_admin(
        commands, asked.method.upper(), asked.path, read_body(asked.body), asked.api_url
    )
    text = answer.text
    if answer.headers.get("Content-Type", "").startswith("application/json"):
        text = json.dumps(answer.json(), indent=2, ensure_ascii=False)
    if not answer.ok:
        print(f"{answer.status_code}\n{text}", file=sys.stderr)
        return 1
    if asked.output:
        asked.output.write_text(text, encoding="utf-8")
        print(f"{asked.output}: {len(text.splitlines())} lines")
    else:
        print(text)
    return 0


def _status(commands: StackCommands, *, as_json: bool) -> int:
    stack = commands.running()
    if stack is None:
        print("{}" if as_json else "The stack is not up. `make up` brings it up.")
        return 1
    print(stack.model_dump_json(indent=2) if as_json else _next_steps(stack, commands.folder))
    return 0


def _next_steps(stack: StackFile, folder: Path) -> str:
    return f"""
  Salesforce   {_desk(stack.salesforce.url)}
  Plezi        {_desk(stack.plezi.url)}
  API          {stack.api_url}
  everything   {folder / record.FILE}
  logs         {folder / "logs"}/

  make invoke F=scheduled_sync    run what is due, as the clock does
  make invoke F=admin             how it goes
  make down                       stop all of it
"""


def _desk(url: str) -> str:
    """The page of a simulator that is for people."""
    return urljoin(url, "/_sim/")


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the shape of a handler
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
