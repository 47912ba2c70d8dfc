"""The settings of a deployed function, as template.yaml hands them over: its own defaults.

The template is the only place that holds a default. So tests, benchmarks and the simulation read
the settings from there, and name only what differs.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from connector.connection_settings import (
    AdminSettings,
    ConsoleSettings,
    FormWorkerSettings,
    RotationSettings,
    WorkerSettings,
)
from connector.settings import FormReceiverSettings, RunRequestSettings, Settings, read_settings

TEMPLATE: Final = Path(__file__).parents[1] / "template.yaml"
FUNCTIONS: Final[dict[type[Any], str]] = {
    RunRequestSettings: "ScheduledSyncFunction",
    FormReceiverSettings: "FormSyncFunction",
    WorkerSettings: "SyncWorkerFunction",
    FormWorkerSettings: "FormWorkerFunction",
    AdminSettings: "AdminFunction",
    ConsoleSettings: "ConsoleFunction",
    RotationSettings: "RotateCredentialsFunction",
}
"""The function of the template that has each kind of settings."""


class _Loader(yaml.SafeLoader):
    """Reads a template; a short form of a function becomes its argument, `!Ref X` becomes "X"."""


_Loader.add_multi_constructor(
    "!",
    lambda loader, _tag, node: (
        loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None
    ),
)


@cache
def _template() -> Any:  # noqa: ANN401  # any YAML
    return yaml.load(TEMPLATE.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506  # a safe loader's child


def template_value(value: object) -> Any:  # noqa: ANN401  # any YAML
    """Return a value of the template; the name of a parameter becomes the parameter's default."""
    parameters = _template()["Parameters"]
    if isinstance(value, str) and value in parameters:
        return parameters[value]["Default"]
    return value


def template_parameter(name: str) -> dict[str, Any]:
    """Return the declaration of a parameter: its type, default and bounds."""
    declared: dict[str, Any] = _template()["Parameters"][name]
    return declared


def template_properties(resource: str) -> dict[str, Any]:
    """Return the properties of a resource; a function has those of all functions too."""
    template = _template()
    properties: dict[str, Any] = template["Resources"][resource]["Properties"]
    if template["Resources"][resource]["Type"] == "AWS::Serverless::Function":
        return {**template["Globals"]["Function"], **properties}
    return properties


@cache
def table_definitions() -> dict[str, dict[str, Any]]:
    """Return the properties of each table, by its logical name."""
    return {
        name: resource["Properties"]
        for name, resource in _template()["Resources"].items()
        if resource["Type"] == "AWS::DynamoDB::Table"
    }


def template_environment(function: str) -> dict[str, str]:
    """Return a function's environment with the defaults of the parameters.

    A reference to a resource becomes its logical name.
    """
    template = _template()
    variables = template["Resources"][function]["Properties"]["Environment"]["Variables"]
    parameters = template["Parameters"]
    return {
        name: str(parameters.get(value, {"Default": value})["Default"])
        for name, value in variables.items()
    }


def template_settings(kind: type[Settings], **changes: object) -> Settings:
    """Return the settings of one kind of function at the template's defaults, with some changes."""
    environment = template_environment(FUNCTIONS[kind])
    texts = {name.upper(): _text(value) for name, value in changes.items()}
    return read_settings(kind, environment | texts)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
