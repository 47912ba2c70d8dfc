"""`mapping`: which field of Plezi belongs to which field of Salesforce."""

from __future__ import annotations

import typer

from plezi_sync.application import Panel, add_command, new_group
from plezi_sync.commands.mapping import (
    edit,
    files,
    pairs,
    promotion,
    show,
    trial,
    value_table,
    versions,
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = new_group(
        app,
        "mapping",
        panel=Panel.CONFIGURE,
        text="Show, change, check and apply the field mapping.",
        default=show.show,
    )
    add_command(group, show.show, "show", examples=("mapping show --all",))
    add_command(
        group,
        pairs.add,
        "add",
        examples=(
            "mapping add phone Phone --both",
            "mapping add city City --to-salesforce --policy plezi_wins",
        ),
    )
    add_command(group, pairs.remove, "remove", examples=("mapping remove Phone",))
    add_command(
        group,
        value_table.values,
        "values",
        examples=(
            "mapping values Rating",
            "mapping values Rating --accept",
            "mapping values Rating --set Client=Customer --remove Prospect",
        ),
    )
    add_command(group, edit.edit, "edit", examples=("mapping edit",))
    add_command(group, trial.validate, "validate", examples=("mapping validate mapping.yaml",))
    add_command(group, files.diff, "diff", examples=("mapping diff mapping.yaml",))
    add_command(group, trial.apply, "apply", examples=("mapping apply --wait",))
    add_command(group, versions.history, "history", examples=("mapping history",))
    add_command(group, versions.restore, "restore", examples=("mapping restore 7",))
    add_command(group, files.export, "export", examples=("mapping export mapping.yaml",))
    add_command(group, files.import_, "import", examples=("mapping import mapping.yaml",))
    add_command(
        group,
        promotion.promote,
        "promote",
        examples=(
            "mapping promote --to-stack plezi-salesforce --check",
            "mapping promote --stack plezi-salesforce-dev --to-stack plezi-salesforce",
        ),
    )
