"""The tables that are generated from the code for the documents."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import yaml

from connector import errors, model
from connector.admin.setup_guide import GuideStepName, GuideStepState
from connector.aws.dynamodb.schema import SCHEMAS
from connector.console.roles import UserRole
from connector.log_events import Event
from connector.mapping.issues import IssueCode
from connector.mapping.model import ConflictPolicy, Direction, DuplicatePolicy
from connector.mapping.schema import FieldKind
from connector.planning.duplicate_leads import PrimaryRule
from connector.probe_report import Certainty
from connector.salesforce.field_types import FORMULA, ROWS, UNKNOWN
from tools.alarm_faults import alarm_fault
from tools.data_map import data_map_rows
from tools.glossary import module_names
from tools.licences import licence_rows
from tools.security_checks import security_check_rows
from tools.security_hub import owasp_rows, security_hub_rows

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "layers/common"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; a bar in a cell is escaped."""
    lines = [list(head), ["---"] * len(head), *(list(row) for row in rows)]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def summary(module: str) -> str:
    """Return the first sentence line of a module's docstring; '' when it has none."""
    text = ast.get_docstring(ast.parse(source_of(module).read_text())) or ""
    return " ".join(text.partition("\n\n")[0].split())


def source_of(module: str) -> Path:
    """Return the file of a module or a package."""
    path = PACKAGE.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def modules() -> str:
    """Return the table of all packages and modules of the connector."""
    return table(
        ["module", "what it does"],
        [[f"`{name.removeprefix('connector.')}`", summary(name)] for name in module_names()],
    )


def layers() -> str:
    """Return the table of layers, highest first, from the contracts of import-linter."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = document["tool"]["importlinter"]["contracts"]
    contract = next(item for item in contracts if item["type"] == "layers")
    rows: list[list[str]] = []
    for level, layer in enumerate(reversed(contract["layers"])):
        for name in str(layer).replace(":", "|").split("|"):
            module = name.strip().strip("()")
            if not source_of(f"connector.{module}").is_file():
                continue  # import-linter reports a layer that does not exist
            purity = "yes" if _is_pure(f"connector.{module}", contracts) else ""
            rows.append([str(level), f"`{module}`", summary(f"connector.{module}"), purity])
    rows.sort(key=lambda row: -int(row[0]))
    return table(["layer", "package or module", "what it does", "pure"], rows)


def _is_pure(module: str, contracts: Iterable[Mapping[str, object]]) -> bool:
    """Return whether the contract forbids this module the clock, the network and the logger."""
    return any(
        module in _names(contract, "source_modules")
        and {"time", "logging"} <= _names(contract, "forbidden_modules")
        for contract in contracts
    )


def _names(contract: Mapping[str, object], key: str) -> set[str]:
    names = contract.get(key)
    return {str(name) for name in names} if isinstance(names, list) else set()


def enumeration(members: type[StrEnum]) -> Callable[[], str]:
    """Return a function that gives the table of an enumeration: each value and its description."""

    def rows() -> str:
        return table(
            ["value", "meaning"],
            [[f"`{member.value}`", str(getattr(member, "description", ""))] for member in members],
        )

    return rows


class _TemplateLoader(yaml.SafeLoader):
    """Reads a CloudFormation template; `!Ref X` gives "X", a tag of a list gives None."""


_TemplateLoader.add_multi_constructor(
    "!",
    lambda loader, _suffix, node: (
        loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None
    ),
)


def _template() -> dict[str, Any]:
    text = (ROOT / "template.yaml").read_text()
    document: dict[str, Any] = yaml.load(text, Loader=_TemplateLoader)  # noqa: S506  # as above
    return document


def parameters() -> str:
    """Return the table of the parameters of template.yaml."""
    document = _template()
    return table(
        ["parameter", "default", "allowed", "meaning"],
        [
            [f"`{name}`", _default(entry), _allowed(entry), " ".join(entry["Description"].split())]
            for name, entry in document["Parameters"].items()
        ],
    )


def _default(entry: Mapping[str, object]) -> str:
    value = entry.get("Default")
    if value is None:
        return "(required)"
    return f"`{value}`" if value != "" else "(empty)"


def _allowed(entry: Mapping[str, object]) -> str:
    values = entry.get("AllowedValues")
    if isinstance(values, list):
        return ", ".join(f"`{value}`" for value in values)
    least, most = entry.get("MinValue"), entry.get("MaxValue")
    if least is not None and most is not None:
        return f"{least} to {most}"
    if least is not None:
        return f"{least} or more"
    pattern = entry.get("AllowedPattern")
    return f"`{pattern}`" if pattern else "any text"


def alarms() -> str:
    """Return the table of the alarms of template.yaml, each with a link to its runbook."""
    rows = []
    for name, resource in _template()["Resources"].items():
        if resource["Type"] != "AWS::CloudWatch::Alarm":
            continue
        alarm = resource["Properties"]
        event, _, section = alarm["AlarmDescription"].split(". ")
        title = section.partition("section ")[2].strip().rstrip(".")
        anchor = title.lower().replace(" ", "-")
        runbook = f"[{title}](runbooks.md#{anchor})"
        rows.append([f"`{name}`", event, _condition(alarm), runbook, alarm_fault(name)])
    return table(["alarm", "event", "condition", "runbook", "raised in a test by"], rows)


def _condition(alarm: Mapping[str, Any]) -> str:
    """Return when an alarm is raised: `Errors`, sum of 15 min, 2 or more."""
    count, minutes = alarm["EvaluationPeriods"], alarm["Period"] // 60
    periods = f"{count} x {minutes} min" if count > 1 else f"{minutes} min"
    limit = f"`{alarm['Threshold']}`" if isinstance(alarm["Threshold"], str) else alarm["Threshold"]
    comparison = COMPARISONS[alarm["ComparisonOperator"]].format(limit)
    missing = ", or no data" if alarm["TreatMissingData"] == "breaching" else ""
    statistic = alarm["Statistic"].lower()
    return f"`{alarm['MetricName']}`, {statistic} of {periods}: {comparison}{missing}"


COMPARISONS: Final[Mapping[str, str]] = {
    "GreaterThanThreshold": "more than {}",
    "GreaterThanOrEqualToThreshold": "{} or more",
    "LessThanThreshold": "less than {}",
    "LessThanOrEqualToThreshold": "{} or less",
}
"""How the table of alarms writes the operators of CloudWatch."""


def security_checks() -> str:
    """Return the table of the security checks."""
    head = ["no.", "area", "check", "state", "tests"]
    return table(head, security_check_rows())


def security_hub() -> str:
    """Return the table of the controls of AWS Security Hub."""
    return table(["control", "asks", "result", "tests"], security_hub_rows())


def owasp() -> str:
    """Return the table of the classes of OWASP, with a test each."""
    return table(["class", "test"], owasp_rows())


def data_map() -> str:
    """Return the table of the stored data about people."""
    return table(["kind", "where", "what it has of people", "ends", "erased"], data_map_rows())


def licences() -> str:
    """Return the table of the licences of the layer's dependencies."""
    return table(["distribution", "version", "licence"], licence_rows())


def log_events() -> str:
    """Return the table of the events of the log."""
    return table(
        ["event", "level", "meaning", "fields"],
        [
            [
                f"`{event.name}`",
                event.level.value,
                event.value.meaning,
                ", ".join(f"`{name}`" for name in event.value.fields),
            ]
            for event in Event
        ],
    )


def schemas() -> str:
    """Return the table of the schema numbers of stored items."""
    rows = [[kind.value, str(number)] for kind, number in SCHEMAS.items()]
    return table(["item", "schema number"], rows)


def field_types() -> str:
    """Return the table of Salesforce's field types."""
    rows = []
    for row in ROWS:
        direction = "refused" if row.is_refused else f"`{row.direction.value}`"
        kind = "result type" if row is FORMULA else f"`{row.kind.value}`"
        kind = "-" if row.is_refused else kind
        remark = f"{row.remark}; {row.remedy}" if row.remedy else row.remark
        name = row.name if row is UNKNOWN else f"`{row.name}`"
        rows.append([name, direction, kind, row.conversion, remark or "-"])
    return table(["type", "direction", "kind", "conversion", "remark"], rows)


TABLES: Final[Mapping[str, Callable[[], str]]] = {
    "layers": layers,
    "modules": modules,
    "parameters": parameters,
    "alarms": alarms,
    "security-checks": security_checks,
    "security-hub": security_hub,
    "owasp": owasp,
    "data-map": data_map,
    "licences": licences,
    "log-events": log_events,
    "schemas": schemas,
    "stop-reasons": enumeration(errors.StopReason),
    "alert-kinds": enumeration(model.AlertKind),
    "probe-certainties": enumeration(Certainty),
    "guide-steps": enumeration(GuideStepName),
    "guide-states": enumeration(GuideStepState),
    "run-kinds": enumeration(model.RunKind),
    "run-states": enumeration(model.RunState),
    "problem-codes": enumeration(model.ProblemCode),
    "hint-results": enumeration(model.HintResult),
    "merge-rules": enumeration(model.MergeRule),
    "hold-reasons": enumeration(model.HoldReason),
    "journal-kinds": enumeration(model.JournalKind),
    "undo-reasons": enumeration(model.UndoReason),
    "drift-causes": enumeration(model.DriftCause),
    "primary-rules": enumeration(PrimaryRule),
    "skip-reasons": enumeration(model.SkipReason),
    "attention-kinds": enumeration(model.AttentionKind),
    "issue-codes": enumeration(IssueCode),
    "directions": enumeration(Direction),
    "field-kinds": enumeration(FieldKind),
    "field-types": field_types,
    "conflict-policies": enumeration(ConflictPolicy),
    "console-roles": enumeration(UserRole),
    "duplicate-policies": enumeration(DuplicatePolicy),
}
"""The blocks that a document may have, by name."""
