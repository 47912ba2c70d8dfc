"""The settings of a deployment: environments, parameters and their groups, the account."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from connector.version import VERSION
from plezi_sync.targets import DEFAULT_STACK

if TYPE_CHECKING:
    from tests.template.conftest import Template

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ("dev", "staging", "prod")
MAX_QUESTIONS = 5


def settings(environment: str) -> dict[str, Any]:
    """Return how an environment is deployed."""
    document = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    found: dict[str, Any] = document[environment]["deploy"]["parameters"]
    return found


def groups(template: Template) -> dict[str, list[str]]:
    """Return the parameters of each group, by its label."""
    described = template.document["Metadata"]["AWS::CloudFormation::Interface"]
    return {each["Label"]["default"]: each["Parameters"] for each in described["ParameterGroups"]}


def test_every_environment_has_a_stack_of_its_own() -> None:
    assert len({settings(name)["stack_name"] for name in ENVIRONMENTS}) == len(ENVIRONMENTS)


def test_the_stack_of_production_is_the_one_that_the_command_line_takes() -> None:
    assert settings("prod")["stack_name"] == DEFAULT_STACK


def test_a_change_of_a_stack_with_real_people_is_confirmed() -> None:
    assert settings("staging")["confirm_changeset"]
    assert settings("prod")["confirm_changeset"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_sets_parameters_that_exist_to_values_that_are_allowed(
    template: Template, environment: str
) -> None:
    declared = template.document["Parameters"]
    for assignment in settings(environment).get("parameter_overrides", "").split():
        name, _, value = assignment.partition("=")
        allowed = [str(each) for each in declared[name].get("AllowedValues", [value])]
        assert value in allowed


def test_every_parameter_has_a_default_and_one_group(template: Template) -> None:
    declared = template.document["Parameters"]
    grouped = Counter(name for names in groups(template).values() for name in names)
    assert grouped == dict.fromkeys(declared, 1)
    assert all("Default" in parameter for parameter in declared.values())


def test_there_are_few_questions_and_all_others_are_named_advanced(template: Template) -> None:
    first, *others = groups(template)
    assert len(groups(template)[first]) <= MAX_QUESTIONS
    assert all(label.startswith(("Advanced: ", "Only for simulators")) for label in others)


def test_the_one_setting_of_the_account_has_a_parameter(template: Template) -> None:
    [(_, account)] = template.of_type("AWS::ApiGateway::Account").items()
    assert account["Condition"] == "SetsApiLogsRole"
    assert template.document["Conditions"]["SetsApiLogsRole"] == {
        "Fn::Equals": [{"Ref": "SetApiLogsRole"}, "true"]
    }


def test_the_guide_has_the_steps_in_order() -> None:
    text = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
    steps = [line for line in text.splitlines() if line.startswith("## ")]
    words = ("Deploy", "Confirm", "secrets", "Check", "fields", "Preview", "Start")
    assert len(steps) >= len(words)
    places = [next(at for at, step in enumerate(steps) if word in step) for word in words]
    assert places == sorted(places)


def test_the_application_of_the_repository_has_the_version_and_files_that_exist(
    template: Template,
) -> None:
    application = template.document["Metadata"]["AWS::ServerlessRepo::Application"]
    assert application["SemanticVersion"] == VERSION
    for member in ("LicenseUrl", "ReadmeUrl"):
        assert (ROOT / application[member]).is_file()
    licence = (ROOT / application["LicenseUrl"]).read_text(encoding="utf-8")
    assert licence.startswith(f"{application['SpdxLicenseId']} License")


def test_every_environment_has_tags_for_its_costs() -> None:
    for name in ENVIRONMENTS:
        tags = dict(tag.split("=") for tag in settings(name)["tags"].split())
        assert tags == {"project": "plezi-salesforce", "environment": name}
