"""`mapping promote`: the mapping of one stack, such as that of a sandbox, becomes that of another.

The mapping names fields, and no record and no version: so the target validates it against its own
fields, and saves it as its own next version.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from plezi_sync.commands.mapping.files import YAML_PATH
from plezi_sync.commands.mapping.saving import print_changes, print_saved
from plezi_sync.commands.mapping.show import PATH
from plezi_sync.commands.mapping.trial import check_draft
from plezi_sync.errors import UsageError
from plezi_sync.mapping_document import changes, parse_mapping
from plezi_sync.output.texts import count
from plezi_sync.refusals import accepted_text
from plezi_sync.session import Answer, Options, Session

NOT_GIVEN = Path()


def promote(
    session: Session,
    *,
    to_stack: Annotated[str, typer.Option(help="The target: a stack on AWS, by its name.")] = "",
    to_api_url: Annotated[str, typer.Option(help="The target: an API, by its URL.")] = "",
    to_profile: Annotated[
        str, typer.Option(help="The AWS profile of the target (with --to-stack: as --profile).")
    ] = "",
    to_region: Annotated[
        str, typer.Option(help="The AWS region of the target (with --to-stack: as --region).")
    ] = "",
    to_stack_file: Annotated[
        Path, typer.Option(help="The target: the file of a local stack.")
    ] = NOT_GIVEN,
    check: Annotated[
        bool, typer.Option("--check", help="Show the changes and validate; save nothing.")
    ] = False,
) -> None:
    """Save the mapping of this stack in another one, after a check against the other's fields.

    The exit status is 4 when the target cannot use it: the problems name what it lacks.
    """
    given = Options(
        stack=to_stack,
        api_url=to_api_url,
        profile=to_profile or (session.options.profile if to_stack else ""),
        region=to_region or (session.options.region if to_stack else ""),
        stack_file=to_stack_file,
        as_json=session.options.as_json,
        yes=session.options.yes,
    )
    target = _target(session, given)
    document = parse_mapping(accepted_text(session.api.call("GET", YAML_PATH)), "the mapping")
    current = target.get(PATH)
    draft = {**document, "version": current.body["version"]}
    found = changes(current.body, draft)
    print_changes(target, found)
    if not found:
        if target.as_json:
            target.print_json(current)
        return
    answer = check_draft(target, draft, "The mapping")
    if check:
        if target.as_json:
            target.print_json(answer)
        else:
            target.say("The target can use it. Next: the same command without --check")
        return
    target.confirm(f"Save {count(len(found), 'change')} in {target.api.url}?")
    print_saved(target, _put(target, draft))


def _target(session: Session, given: Options) -> Session:
    """Return the session of the target. Raises `UsageError` for none, and for the source itself."""
    named = (given.stack, given.api_url, given.profile, given.region)
    if not any(named) and given.stack_file == NOT_GIVEN:
        raise UsageError(
            "Name the target: --to-stack, --to-profile, --to-region, --to-api-url or "
            "--to-stack-file."
        )
    target = replace(session, options=given)
    if target.api.url == session.api.url:
        raise UsageError("The target is the stack that the mapping comes from. Name another one.")
    return target


def _put(target: Session, draft: object) -> Answer:
    response = target.api.call("PUT", PATH, json.dumps(draft).encode())
    return Answer(accepted_text(response), response.json())
