"""A choice on a conflict that becomes the policy of its field pair: it decides later ones too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from connector.admin.bulk_decisions import choose_side
from connector.admin.context import AdminContext
from connector.admin.errors import InvalidRequestError, MappingConflictError
from connector.admin.mappings import save_mapping, validated_mapping
from connector.admin.review_queue import BulkDecision
from connector.admin.status import manual_sync
from connector.mapping import ConflictPolicy, FieldPair, MappingConfig
from connector.mapping.diff import MappingChange, diff_mappings
from connector.mapping.issues import Issue
from connector.model import Side

POLICY_OF: Final[Mapping[Side, ConflictPolicy]] = {
    Side.PLEZI: ConflictPolicy.PLEZI_WINS,
    Side.SALESFORCE: ConflictPolicy.SALESFORCE_WINS,
}


@dataclass(frozen=True, slots=True)
class PolicyDecision:
    """A side that wins each conflict of a field from now on, or the preview of that.

    `policy_before` and `policy` are the old and the new policy of the pair. `version` is the
    current version of the mapping: after a preview the one that was read, else the one that was
    saved. `waiting` is the decision for the first 200 contacts whose conflict waits already; `next`
    of it continues with `POST /admin/attention/holds`.
    """

    field: str
    policy_before: ConflictPolicy
    policy: ConflictPolicy
    version: int
    changed: tuple[MappingChange, ...]
    warnings: tuple[Issue, ...]
    manual_sync_due: bool
    waiting: BulkDecision


def set_policy(
    context: AdminContext,
    actor: str,
    field: str,
    side: Side,
    *,
    version: int,
    is_preview: bool = False,
) -> PolicyDecision:
    """Let one side win each conflict of a field, those that wait included.

    The policy is saved first, as any version of the mapping (`version` is the current one): where
    the decision of the waiting conflicts fails afterwards, the next full run takes it. Raises
    `InvalidRequestError`, `MappingConflictError`, `InvalidMappingError`, and the errors of the
    sides' clients.
    """
    current = context.mappings.current()
    pair = _changeable_pair(current, field, side)
    wanted = _with_policy(replace(current, version=version), pair, POLICY_OF[side])
    if is_preview:
        if version != current.version:
            raise MappingConflictError(wanted, current)
        validation = validated_mapping(context.sides(), wanted)
        changed, warnings = diff_mappings(current, validation.mapping), validation.warnings
        is_due = manual_sync(context, current.version).due
    else:
        saved = save_mapping(context, actor, wanted, f"policy {field} {POLICY_OF[side].value}")
        changed, warnings, version = saved.changed, saved.warnings, saved.mapping.version
        is_due = saved.manual_sync_due
    return PolicyDecision(
        field,
        pair.policy,
        POLICY_OF[side],
        version,
        changed,
        warnings,
        is_due,
        choose_side(context, actor, field, side, is_preview=is_preview),
    )


def _changeable_pair(mapping: MappingConfig, field: str, side: Side) -> FieldPair:
    """Return the pair of a field whose conflicts a side may win.

    Raises `InvalidRequestError` where a policy could not do that.
    """
    pair = next((pair for pair in mapping.pairs if pair.key == field), None)
    if pair is None:
        raise InvalidRequestError(
            f"field: no pair of the mapping has the Salesforce field {field!r}: GET /admin/mapping "
            "lists the pairs"
        )
    if pair.locked:
        raise InvalidRequestError(
            f"field: the pair of {field} is locked, so its policy cannot be changed: decide each "
            "contact with POST /admin/attention/holds/{email}/{field}"
        )
    if pair.policy is ConflictPolicy.MOST_RESTRICTIVE:
        raise InvalidRequestError(
            f"field: {field} has the policy most_restrictive, which keeps each opt-out: change it "
            "in the mapping, if it is none"
        )
    if not pair.direction.can_send(side):
        raise InvalidRequestError(
            f"side: the pair of {field} sends no value of {side.value.capitalize()}: choose the "
            "other side, or change the direction of the pair"
        )
    return pair


def _with_policy(mapping: MappingConfig, pair: FieldPair, policy: ConflictPolicy) -> MappingConfig:
    changed = replace(pair, policy=policy)
    return replace(mapping, pairs=tuple(changed if it is pair else it for it in mapping.pairs))
