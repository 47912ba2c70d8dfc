"""Which pairs of types lose something on the way, and what.

A value travels in its author's words and is converted no further than the target's type demands
(`values.convert`). Some pairs cannot hold what the other says; this table names them, so that an
administrator hears of it before anybody's value is lost.
"""

from __future__ import annotations

from typing import Final

from connector.mapping.schema import Field, FieldKind

TEXT_KINDS: Final = frozenset({FieldKind.TEXT, FieldKind.EMAIL, FieldKind.PHONE})
LIST_KINDS: Final = frozenset({FieldKind.PICKLIST, FieldKind.MULTI_PICKLIST})
LOSSES: Final = {
    (FieldKind.DATETIME, FieldKind.DATE): "the time of day would be lost",
    (FieldKind.MULTI_PICKLIST, FieldKind.PICKLIST): "all choices but one would be lost",
    (FieldKind.PHONE, FieldKind.NUMBER): "leading zeros and the prefix + would be lost",
}
"""What is lost between two kinds that can be converted at all."""
LOSSLESS: Final = frozenset(
    {
        (FieldKind.DATE, FieldKind.DATETIME),
        (FieldKind.PICKLIST, FieldKind.MULTI_PICKLIST),
        (FieldKind.TEXT, FieldKind.PHONE),
        (FieldKind.NUMBER, FieldKind.PHONE),
    }
)
"""Kinds that differ, and of which the second can say all that the first says."""
NAMED_OPTIONS: Final = 5
"""Options that a message lists; the others are counted."""


def type_loss(source: Field, target: Field) -> str:
    """Say what is lost, or refused, when values of one field are said in the other; '' if nothing.

    Text holds everything. A list that is not restricted holds every word.
    """
    pair = (source.kind, target.kind)
    if target.kind is FieldKind.TEXT or source.kind is target.kind or pair in LOSSLESS:
        return ""
    if pair in LOSSES:
        return LOSSES[pair]
    if target.kind in LIST_KINDS and source.kind in TEXT_KINDS | LIST_KINDS:
        if not target.restricted:
            return ""
        return f"{target.name} takes only the values of its list, and the other side any word"
    return f"{_with_article(source.kind)} is not always {_with_article(target.kind)}"


def value_loss(source: Field, target: Field) -> str:
    """Say which values of one field the other refuses or rounds; '' if all fit, as far as is known.

    These are single values, not the pair of types: the target refuses them one by one, with its own
    reason, and they wait in quarantine. A number without decimals rounds.
    """
    if source.kind in LIST_KINDS and target.kind in LIST_KINDS and target.restricted:
        known = {option.casefold() for option in target.options}
        lacking = [option for option in source.options if option.casefold() not in known]
        if lacking:
            named = ", ".join(lacking[:NAMED_OPTIONS])
            more = len(lacking) - NAMED_OPTIONS
            return f"its list lacks {named}" + (f" and {more} more" if more > 0 else "")
    if (
        target.kind in TEXT_KINDS
        and source.length
        and target.length
        and source.length > target.length
    ):
        return f"it holds {target.length} characters, the other side {source.length}"
    if source.kind is target.kind is FieldKind.NUMBER and target.scale is not None:
        decimals = source.scale
        if decimals is None or decimals > target.scale:
            return f"it keeps {target.scale} decimals, and the other side may have more"
    return ""


def _with_article(kind: FieldKind) -> str:
    words = kind.value.replace("_", "-")
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
