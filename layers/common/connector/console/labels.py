"""The labels of fields, as the two systems show them to their users, and the names of users."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from connector.admin.context import AdminContext
from connector.errors import ConnectorError
from connector.mapping import FieldPair, MappingConfig
from connector.model import RecordKind


@dataclass(frozen=True, slots=True)
class FieldLabels:
    """The label of each field by its name; a field without a label is shown by its name.

    `names` are the Plezi attributes of the mapping, by the key of their pair.
    """

    plezi: Mapping[str, str] = field(default_factory=dict)
    lead: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def pair(self, key: str) -> str:
        """Return the label of a field pair: that of the Salesforce field.

        A journal entry can be about several pairs, separated by commas.
        """
        return ", ".join(self.lead.get(part) or part for part in key.split(","))

    def attribute(self, key: str) -> str:
        """Return the label of the Plezi attribute of a pair; its name where there is none."""
        name = self.names.get(key, "")
        return self.plezi.get(name) or name


def read_labels(context: AdminContext, mapping: MappingConfig | None = None) -> FieldLabels:
    """Return the labels; a system that cannot be read now leaves the names of its fields."""
    pairs = (mapping or context.mappings.current()).pairs
    names = {pair.key: pair.plezi for pair in pairs}
    try:
        schemas = context.sides().schemas()
    except ConnectorError:
        return FieldLabels(names=names)
    plezi = {it.name: it.label for it in schemas[RecordKind.PLEZI_CONTACT].values()}
    lead = {it.name: it.label for it in schemas[RecordKind.LEAD].values()}
    return FieldLabels(plezi, lead, names)


def pair_names(pair: FieldPair) -> str:
    """Return both names of a pair, for search."""
    return f"{pair.plezi} {pair.salesforce}"


def actor_name(actor: str) -> str:
    """Return the name of who did something, without the parts that only the audit log needs.

    Of a user of the console it is the e-mail (`UserSession.actor` adds the id in the user pool), of
    an AWS identity what follows the account: `role/session` or `user/name`.
    """
    if actor.startswith("console: "):
        return actor.removeprefix("console: ").partition(" (")[0]
    if actor.startswith("arn:"):
        return actor.rpartition(":")[2].removeprefix("assumed-role/")
    return actor
