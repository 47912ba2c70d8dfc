"""The form endpoint: a GET that writes, with all values in the query string."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from local.plezi_tenant.contact_repository import Changes
from local.plezi_tenant.errors import RefusedError
from local.plezi_tenant.schema import OBJECT_ID, Attribute, AttributeType, Value
from local.plezi_tenant.wire_format import WireFormat

ID_PARAMETERS = ("form_id", "content_web_form_id")
TRACKING_PARAMETERS = frozenset(
    {"visit", "visitor", "utm", "utm_medium", "utm_source", "utm_campaign", "gclid", "referer"}
)
KEEP_PARAMETER = "keep_multiple_select_values"
CONSENTS = "consents[]"
DIRECT = "direct"


@dataclass(frozen=True, slots=True)
class Submission:
    """One submitted form."""

    content_web_form_id: str
    changes: Changes
    keep: frozenset[str]
    source: str


def parse_submission(parameters: MultiDict[str, str], wire_format: WireFormat) -> Submission:
    """Return the form in a query string; refuse wrong names with 400, wrong values with 422."""
    for name in ID_PARAMETERS:
        if not OBJECT_ID.fullmatch(parameters.get(name, "")):
            raise RefusedError(422, f"{name} must be an id of 24 hexadecimal digits")
    changes = _fields(parameters, wire_format)
    # A later form does not withdraw newsletters and consents that were given before.
    keep = {"subscriptions", "consents"}
    if parameters.get(KEEP_PARAMETER) == "true":
        keep |= {
            a for a in changes if _is_multiple(wire_format.attribute(wire_format.wire_name(a)))
        }
    source = parameters.get("utm_source") or DIRECT
    return Submission(parameters["content_web_form_id"], changes, frozenset(keep), source)


def _fields(parameters: MultiDict[str, str], wire_format: WireFormat) -> dict[str, Value]:
    """Return the filled-in fields. A blank field is sent too and is ignored."""
    changes: dict[str, Value] = {}
    problems: list[str] = []
    for name, texts in parameters.lists():
        if name in TRACKING_PARAMETERS or name in ID_PARAMETERS or name == KEEP_PARAMETER:
            continue
        attribute = wire_format.attribute("consents" if name == CONSENTS else name)
        if attribute is None or name == "consents":
            raise RefusedError(400, f"{name} is not a field of the form")
        text = ",".join(texts) if name == CONSENTS else texts[-1]
        if text and (problem := _accept(attribute, name, text, changes)):
            problems.append(problem)
    if "email" not in changes and not problems:
        problems.append("email is mandatory")
    if problems:
        raise RefusedError(422, *problems)
    return changes


def _accept(attribute: Attribute, name: str, text: str, changes: dict[str, Value]) -> str | None:
    """Add one field to the changes, or return its problem."""
    if attribute.read_only:
        return f"{name} is read-only"
    try:
        changes[attribute.name] = attribute.accept_text(text)
    except ValueError as error:
        return f"{name} {error}"
    return None


def _is_multiple(attribute: Attribute | None) -> bool:
    return attribute is not None and attribute.type is AttributeType.MULTI_LIST
