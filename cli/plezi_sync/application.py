"""The program: its commands, which are found in `plezi_sync.commands`, and its common options.

To add a command, add one module to `plezi_sync/commands` with a function `register(app)` that calls
`add_command`. No other file changes.
"""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import fields, replace
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final, Protocol, cast

import typer
from typer.core import TyperGroup

from plezi_sync import __version__, commands
from plezi_sync.session import Options, Session
from plezi_sync.targets import DEFAULT_STACK, STACK_FILE

NAME: Final = "plezi-sync"
COMMON: Final = "Options of every command"
DESCRIPTION: Final = """\
Operate the synchronization between Plezi and Salesforce.

Without an option a command works on the local stack of `make up`. With --stack, --profile or
--api-url it works on a stack on AWS, with the credentials that the AWS CLI would use."""
EPILOG: Final = """\
Exit status: 0 done; 1 the stack refused the request; 2 the arguments, a file or the AWS
configuration are wrong; 3 no response; 4 the command found a problem, such as a failed run;
5 not confirmed; 70 a defect of this program; 130 interrupted.

Example: plezi-sync doctor

Example: plezi-sync mapping add phone Phone --both

Example: plezi-sync sync --wait --stack plezi-salesforce --profile production"""


class Panel(StrEnum):
    """The groups of commands in the help."""

    LOOK = "Look"
    RUN = "Run"
    DECIDE = "Decide"
    CONFIGURE = "Configure"
    OPERATE = "Operate"


class _Program(TyperGroup):
    """Lists the commands by their group in the help, each group in the order of the names."""

    def list_commands(self, ctx: object) -> list[str]:  # noqa: ARG002  # Typer's signature
        order = [panel.value for panel in Panel]

        def rank(name: str) -> tuple[int, str]:
            panel = getattr(self.commands[name], "rich_help_panel", None)
            return (order.index(panel) if panel in order else len(order), name)

        return sorted(self.commands, key=rank)


def _common(
    name: str, kind: type, option: str, text: str, *aliases: str, variable: str = ""
) -> inspect.Parameter:
    """Return one of the options of every command; its default is that of `Options`."""
    described = typer.Option(
        option,
        *aliases,
        help=text,
        envvar=variable or None,
        show_default=False,
        rich_help_panel=COMMON,
    )
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=getattr(Options(), name),
        annotation=Annotated[kind, described],
    )


COMMON_PARAMETERS: Final = (
    _common(
        "stack",
        str,
        "--stack",
        f"A stack on AWS, by its name (with --profile or --region alone: {DEFAULT_STACK}).",
        variable="PLEZI_SYNC_STACK",
    ),
    _common(
        "api_url",
        str,
        "--api-url",
        "An API on AWS: the output ApiUrl of its stack.",
        variable="PLEZI_SYNC_API_URL",
    ),
    _common("profile", str, "--profile", "The profile of the AWS configuration."),
    _common("region", str, "--region", "The AWS region, if the profile has none."),
    _common("stack_file", Path, "--stack-file", f"The file of the local stack ({STACK_FILE})."),
    _common("as_json", bool, "--json", "Print the response of the API as it is."),
    _common("yes", bool, "--yes", "Answer every question with yes.", "-y"),
)


class CommandModule(Protocol):
    """A module of `plezi_sync.commands`."""

    def register(self, app: typer.Typer) -> None:
        """Add its commands."""


def add_command(
    group: typer.Typer,
    function: Callable[..., None],
    name: str,
    *,
    panel: Panel | None = None,
    examples: tuple[str, ...] = (),
) -> None:
    """Add a function as a command, with the common options.

    Its first parameter is the `Session`; all others are arguments and options of Typer.
    """
    group.command(
        name,
        rich_help_panel=panel.value if panel else None,
        epilog="\n\n".join(f"Example: {NAME} {example}" for example in examples) or None,
    )(_with_session(function))


def new_group(
    app: typer.Typer,
    name: str,
    *,
    panel: Panel,
    text: str,
    default: Callable[[Session], None] | None = None,
) -> typer.Typer:
    """Add a group of commands, such as `runs`, and return it; alone, the name runs `default`."""
    group = typer.Typer(
        help=text,
        no_args_is_help=default is None,
        invoke_without_command=default is not None,
        rich_markup_mode="rich",
    )
    group.callback()(_with_common_options(default))
    app.add_typer(group, name=name, rich_help_panel=panel.value)
    return group


def new_application() -> typer.Typer:
    """Return the program with the commands of all modules in `plezi_sync.commands`."""
    app = typer.Typer(
        name=NAME,
        cls=_Program,
        help=DESCRIPTION,
        epilog=EPILOG,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    app.callback()(_with_common_options(is_program=True))
    found = [
        cast("CommandModule", import_module(f"{commands.__name__}.{module.name}"))
        for module in pkgutil.iter_modules(commands.__path__)
    ]
    for module in found:
        module.register(app)
    return app


def _print_version(wanted: bool) -> None:  # noqa: FBT001  # Typer calls it with the value
    if wanted:
        typer.echo(f"{NAME} {__version__}")
        raise typer.Exit


VERSION_PARAMETER: Final = inspect.Parameter(
    "version",
    inspect.Parameter.KEYWORD_ONLY,
    default=False,
    annotation=Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ],
)


def _with_session(function: Callable[..., None]) -> Callable[..., None]:
    """Return a command that takes Typer's context and the common options in place of a session."""
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]

    def run(*, context: typer.Context, **values: Any) -> None:  # noqa: ANN401  # checked by Typer
        function(_chosen_session(context, values), **values)

    return _with_signature(run, function, own)


def _with_common_options(
    default: Callable[[Session], None] | None = None, *, is_program: bool = False
) -> Callable[..., None]:
    """Return what a group does first: take the options before the name of a command."""

    def run(*, context: typer.Context, version: bool = False, **values: Any) -> None:  # noqa: ANN401, ARG001  # as above
        context.obj = _chosen_session(context, values)
        if default is not None and context.invoked_subcommand is None:
            default(context.obj)

    return _with_signature(run, run, [VERSION_PARAMETER] if is_program else [])


def _chosen_session(context: typer.Context, values: dict[str, Any]) -> Session:
    """Return the session with the options that were given; they are removed from `values`."""
    session: Session = context.obj
    given = {name: values.pop(name) for name in [each.name for each in fields(Options)]}
    changed = {name: value for name, value in given.items() if value != getattr(Options(), name)}
    return replace(session, options=replace(session.options, **changed))


def _with_signature(
    run: Callable[..., None], described: Callable[..., None], own: list[inspect.Parameter]
) -> Callable[..., None]:
    """Give a function the parameters that Typer shall see."""
    parameters = [
        inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context),
        *(each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own),
        *COMMON_PARAMETERS,
    ]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    run.__name__, run.__doc__ = described.__name__, described.__doc__
    return run
