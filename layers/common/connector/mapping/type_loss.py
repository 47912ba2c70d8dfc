"""The losses between two field types.

A value is converted only as far as the target's type requires (`values.convert`). Some types cannot
hold all values of another type; this module names the loss, so that an admin sees it before a value
is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from connector.mapping.schema import Field, FieldKind
from connector.mapping.value_table import folded

TEXT_KINDS: Final = frozenset({FieldKind.TEXT, FieldKind.EMAIL, FieldKind.PHONE})
LIST_KINDS: Final = frozenset({FieldKind.PICKLIST, FieldKind.MULTI_PICKLIST})
LOSSES: Final = {
    (FieldKind.DATETIME, FieldKind.DATE): "the time of day would be lost",
    (FieldKind.MULTI_PICKLIST, FieldKind.PICKLIST): "all choices but one would be lost",
    (FieldKind.PHONE, FieldKind.NUMBER): "leading zeros and the prefix + would be lost",
}
"""The loss between two kinds that can be converted."""
LOSSLESS: Final = frozenset(
    {
        (FieldKind.DATE, FieldKind.DATETIME),
        (FieldKind.PICKLIST, FieldKind.MULTI_PICKLIST),
        (FieldKind.TEXT, FieldKind.PHONE),
        (FieldKind.NUMBER, FieldKind.PHONE),
    }
)
"""Two different kinds of which the second can hold all values of the first."""
NAMED_OPTIONS: Final = 5
"""The number of options that a message lists; the others are counted."""


def type_loss(source: Field, target: Field) -> str:
    """Return what is lost if values of one field are written to the other; '' if nothing.

    Text holds every value. A picklist that is not restricted accepts every text. A field of an
    unsupported type neither sends nor receives.
    """
    if unusable := source.unusable or target.unusable:
        return unusable
    kinds = (source.kind, target.kind)
    if target.kind is FieldKind.TEXT or source.kind is target.kind or kinds in LOSSLESS:
        return ""
    if kinds in LOSSES:
        return LOSSES[kinds]
    if target.kind in LIST_KINDS and source.kind in TEXT_KINDS | LIST_KINDS:
        if not target.restricted:
            return ""
        return f"{target.name} accepts only the values of its list, and {source.name} any text"
    return f"{_with_article(source.kind)} is not always {_with_article(target.kind)}"


def value_loss(source: Field, target: Field, translate: Callable[[str], str | None] = str) -> str:
    """Return which values of one field the other refuses or rounds; '' if all known values fit.

    This is about single values, not about the types: the target refuses them one by one, with its
    own reason, and their links go into quarantine. Numbers are rounded to the decimals of the
    target. `translate` returns what stands for a value of a list in the value table of the pair, or
    None where that is not known.
    """
    if source.kind in LIST_KINDS and target.kind in LIST_KINDS and target.restricted:
        known = {folded(option) for option in target.options}
        names = {option: translate(option) for option in source.options}
        missing = [
            option for option, name in names.items() if name is None or folded(name) not in known
        ]
        if missing:
            named = ", ".join(missing[:NAMED_OPTIONS])
            more = len(missing) - NAMED_OPTIONS
            return f"its list lacks {named}" + (f" and {more} more" if more > 0 else "")
    if (
        target.kind in TEXT_KINDS
        and source.length
        and target.length
        and source.length > target.length
    ):
        return f"it holds {target.length} characters, and the other side {source.length}"
    if source.kind is target.kind is FieldKind.NUMBER and target.scale is not None:
        decimals = source.scale
        if decimals is None or decimals > target.scale:
            return f"it stores {target.scale} decimals, and the other side may have more"
    return ""


def _with_article(kind: FieldKind) -> str:
    name = kind.value.replace("_", "-")
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
