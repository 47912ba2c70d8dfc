"""Control routes for the rules of an org: duplicate rules, validation rules and flows."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from werkzeug.exceptions import BadRequest

from local.salesforce_org.automation import Flow, ValidationRule
from local.salesforce_org.record_rules import check_condition
from local.salesforce_org.schema import ObjectType
from local.salesforce_org.state import OrgState


def set_duplicate_rule(state: OrgState, body: dict[str, Any]) -> dict[str, Any]:
    """Set the action of an object's duplicate rule."""
    rule = state.automation.duplicates.get(str(body.get("object")))
    if rule is None or body.get("action") not in {"off", "block", "alert"}:
        raise BadRequest("give 'object' (Lead or Contact) and 'action' (off, block or alert)")
    rule.action = body["action"]
    rows = state.schema.get("DuplicateRule")
    matches = state.store.select(rows, "DeveloperName = ?", (rule.name,))
    state.store.update(rows, matches[0]["rowid"], {"IsActive": int(rule.action != "off")})
    return asdict(rule)


def add_validation_rule(state: OrgState, body: dict[str, Any]) -> dict[str, Any]:
    """Add a validation rule; a condition that does not compile is refused."""
    rule: ValidationRule = _build(ValidationRule, body)
    check_condition(state, _kind(state, rule.object), rule.condition)
    state.automation.validations.append(rule)
    return asdict(rule)


def clear_validation_rules(state: OrgState) -> dict[str, Any]:
    """Remove all validation rules."""
    state.automation.validations.clear()
    return {"validation_rules": []}


def add_flow(state: OrgState, body: dict[str, Any]) -> dict[str, Any]:
    """Add a flow; an unknown field is refused."""
    flow: Flow = _build(Flow, body)
    kind = _kind(state, flow.object)
    if flow.condition:
        check_condition(state, kind, flow.condition)
    unknown = [name for name in flow.values if kind.find(name) is None]
    if unknown:
        raise BadRequest(f"no field {unknown} on {kind.name}")
    state.automation.flows.append(flow)
    return asdict(flow)


def clear_flows(state: OrgState) -> dict[str, Any]:
    """Remove all flows."""
    state.automation.flows.clear()
    return {"flows": []}


def _build(rule_type: type[Any], values: dict[str, Any]) -> Any:  # noqa: ANN401  # one of the rules
    try:
        return rule_type(**values)
    except TypeError as error:
        raise BadRequest(str(error)) from error


def _kind(state: OrgState, name: str) -> ObjectType:
    kind = state.schema.find(name)
    if kind is None:
        raise BadRequest(f"no object {name!r}")
    return kind
