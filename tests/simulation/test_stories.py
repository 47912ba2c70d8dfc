"""Stories: they hold, planted faults are found, and a shrunk story is replayed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import pytest

from connector.mapping import BoundPair, ConflictPolicy, Direction
from connector.mapping.values import Canonical
from connector.model import MergeRule
from connector.planning import field_merge, field_values, plan, recovery, write_outcome
from connector.planning.excluded_leads import ExcludedLeads
from connector.planning.field_merge import NO_CHANGE, FieldValue, NoBase
from tests.simulation.stories import person
from tests.simulation.stories.configuration import Configuration
from tests.simulation.stories.drawing import SETTINGS, draw
from tests.simulation.stories.search import play_batch, replay
from tests.simulation.stories.story import Story, parse, play, shrink

STORIES_PER_SETTING: Final = 150
FIRST_SEED: Final = 70
MOST_STORIES: Final = 2000
HOLD: Final = Configuration(ConflictPolicy.HOLD)
RUN: Final = ("run",)


@pytest.mark.parametrize("setting", SETTINGS)
def test_stories_hold(setting: str) -> None:
    broken = [
        (seed, result.violation)
        for seed in range(FIRST_SEED, FIRST_SEED + STORIES_PER_SETTING)
        if (result := play(draw(seed, setting))).violation
    ]
    assert broken == []


def test_a_seed_gives_the_same_story_and_the_same_result() -> None:
    one, other = draw(7, "policies"), draw(7, "policies")
    assert one == other
    assert play(one).excuses == play(other).excuses


def test_every_act_is_drawn() -> None:
    acts = {act[0] for seed in range(40) for name in SETTINGS for act in draw(seed, name).acts}
    assert acts == {
        *("run", "type", "create", "delete", "undelete", "clear_email", "set_email", "flag"),
        *("convert", "merge", "primary", "choose", "policy", "direction", "duplicates", "point"),
    }


# Planted faults are found

Plant = Callable[[pytest.MonkeyPatch], None]


def _blank_wins_without_a_base(patch: pytest.MonkeyPatch) -> None:
    known = field_merge._differs

    def differs(pair: BoundPair, value: FieldValue, base: object) -> bool:
        return isinstance(base, NoBase) or known(pair, value, base)  # type: ignore[arg-type]

    patch.setattr(field_merge, "_differs", differs)


def _hold_forgets_what_it_showed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(plan, "_with_shown", lambda _pair, values, _hold: values)


def _outdated_base_stays(patch: pytest.MonkeyPatch) -> None:
    for module in (plan, write_outcome, recovery):
        patch.setattr(module, "outdate_base", lambda *_: None)


def _rejoining_record_sends(patch: pytest.MonkeyPatch) -> None:
    known = field_merge.resolve

    def resolve(pair: BoundPair, values: list[FieldValue]) -> field_merge.Resolution:
        return known(pair, [replace(it, rejoins=False) for it in values])

    patch.setattr(plan, "resolve", resolve)


def _journal_entry_is_left_out(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(plan._PlanBuilder, "_add_overwritten", lambda *_: None)


def _every_value_is_journaled(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(field_merge, "_is_typed", lambda *_: True)


def _an_edit_is_held(patch: pytest.MonkeyPatch) -> None:
    known = field_merge._was_not_shown

    def was_not_shown(pair: BoundPair, winner: FieldValue, value: FieldValue) -> bool:
        return winner is not value or known(pair, winner, value)

    patch.setattr(field_merge, "_was_not_shown", was_not_shown)


def _done_write_is_not_journaled(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(person, "done_overwrites", lambda *_: [])


def _excluded_lead_keeps_its_base(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(plan, "find_excluded_leads", lambda *_, **__: ExcludedLeads())


def _record_id_decides_a_conflict(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        field_merge, "_winner", lambda _policy, senders: max(senders, key=lambda it: it.record_id)
    )


def _base_is_not_updated(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(write_outcome, "_advance_base", lambda *_: None)


def _last_edit_is_not_sent(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(plan, "with_last_edits", lambda participants, *_: participants)


def _contact_does_not_continue(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(field_values, "continues", lambda *_: False)


def _untick_is_sent(patch: pytest.MonkeyPatch) -> None:
    known = field_merge._apply_most_restrictive

    def apply(
        pair: BoundPair, values: list[FieldValue], canonical: Mapping[str, Canonical]
    ) -> field_merge.Resolution:
        unticked = [it for it in values if canonical[it.record_id] is not True]
        if len(unticked) == 1:
            rule = MergeRule.MOST_RESTRICTIVE
            return field_merge._propagate(pair, values, unticked[0], rule)
        return known(pair, values, canonical)

    patch.setattr(field_merge, "_apply_most_restrictive", apply)


def _blank_is_not_filled(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(field_merge, "_fill_blanks", lambda *_: NO_CHANGE)


def _choice_is_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(plan, "_is_chosen", lambda *_: False)


def _arrived_write_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(recovery, "done_overwrites", lambda *_: [])


FAULTS: Final[Mapping[str, tuple[Plant, str, str]]] = {
    "a blank wins without a base": (_blank_wins_without_a_base, "policies", "blank of nobody"),
    "a hold forgets what it showed": (_hold_forgets_what_it_showed, "policies", ""),
    "an outdated base stays": (_outdated_base_stays, "policies", ""),
    "a record that rejoins sends": (_rejoining_record_sends, "policies", ""),
    "a journal entry is left out": (_journal_entry_is_left_out, "policies", "silent"),
    "a done write is not journaled": (_done_write_is_not_journaled, "policies", "journal"),
    "every value is journaled": (_every_value_is_journaled, "policies", "line without a cause"),
    "an ordinary edit is held": (_an_edit_is_held, "policies", "hold"),
    "an excluded Lead keeps its base": (_excluded_lead_keeps_its_base, "policies", ""),
    "the record id decides": (_record_id_decides_a_conflict, "policies", "against the policy"),
    "the base is not updated": (_base_is_not_updated, "policies", ""),
    "a last edit is not sent": (_last_edit_is_not_sent, "custom", "last edit"),
    "a Contact does not continue": (_contact_does_not_continue, "policies", ""),
    "an opt-out is taken back": (_untick_is_sent, "opt_out", ""),
    "a blank is not filled": (_blank_is_not_filled, "fill_blank", ""),
    "a choice is ignored": (_choice_is_ignored, "policies", "hold"),
    "an arrived write is forgotten": (_arrived_write_is_forgotten, "unanswered", "journal"),
}
"""By name: the fault, the setting whose stories find it, and the rule that it breaks ('': any)."""


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant, setting, rule = FAULTS[name]
    found = None
    for seed in range(MOST_STORIES):
        story = draw(seed, setting)
        with monkeypatch.context() as patch:
            plant(patch)
            result = play(story)
        if result.violation and rule in ("", result.rule) and not play(story).violation:
            found = story
            break
    assert found is not None


# A shrunk story is replayed


def test_a_shrunk_story_breaks_the_same_rule_when_it_is_replayed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _journal_entry_is_left_out(monkeypatch)
    results = ((story, play(story)) for seed in range(200) if (story := draw(seed, "policies")))
    story, result = next(it for it in results if it[1].violation)
    shrunk = shrink(story, result.rule)
    assert len(shrunk.acts) < len(story.acts)
    assert play(shrunk).rule == result.rule
    assert parse(shrunk.to_json()) == shrunk
    assert replay(shrunk.to_json()) == 1
    assert play(shrunk).violation in capsys.readouterr().out


def test_no_act_of_a_shrunk_story_can_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    _journal_entry_is_left_out(monkeypatch)
    acts = (("create", "p1", "Phone"), ("create", "l1", "Phone"), ("flag", "c1"), RUN, RUN)
    shrunk = shrink(Story(Configuration(), acts), "silent")
    assert shrunk.acts == (("create", "p1", "Phone"), ("create", "l1", "Phone"), RUN)


def test_the_search_counts_acts_and_violations(monkeypatch: pytest.MonkeyPatch) -> None:
    _journal_entry_is_left_out(monkeypatch)
    summary = play_batch(range(60))
    assert summary.acts["run"] > 60
    rules = {violation.partition(":")[0] for _, _, violation in summary.violations}
    assert "silent" in rules


def test_an_unknown_act_is_no_act() -> None:
    with pytest.raises(ValueError, match="unknown act"):
        play(Story(Configuration(), (("paint", "l1"),)))


# Findings of stories

HELD_TWICE: Final = (("create", "l1", "Phone"), ("create", "l2", "Phone"), RUN)
CORRECTED: Final[Mapping[str, Story]] = {
    "a mark is no agreed field that makes a Lead the primary one": Story(
        HOLD, (("create", "p1", "Phone"), *HELD_TWICE, ("duplicates", "survivor"), RUN)
    ),
    "what a hold showed is kept without the contact in Plezi": Story(
        HOLD,
        (
            *(("create", "p1", "Phone"), ("create", "l1", "Phone"), RUN, ("delete", "p1"), RUN),
            *(("create", "p2", "Phone"), ("type", "l1", "Phone", "blank"), RUN),
        ),
    ),
    "a clearing after a hold is not sent by the sending side": Story(
        replace(HOLD, direction=Direction.TO_PLEZI),
        (
            *(("create", "l1", "Phone"), ("create", "l2", ""), ("create", "c1", "Phone"), RUN),
            *(("type", "l1", "Phone", "blank"), ("flag", "l1"), RUN, ("flag", "l1"), RUN),
        ),
    ),
    "a Lead that never agreed takes a value against the policy hold": Story(
        HOLD,
        (
            *HELD_TWICE,
            *(("clear_email", "l1"), RUN, ("set_email", "l1"), ("clear_email", "l2"), RUN),
        ),
    ),
    "a refused write ends a hold, and what it showed": Story(
        HOLD,
        (
            *(("create", "p1", "Phone"), ("create", "l1", ""), ("create", "c1", "Phone"), RUN),
            *(("type", "p1", "Phone", "blank"), ("clear_email", "l1")),
            *(("run", "refused", "p1"), RUN),
        ),
    ),
    "the value of a merged Lead is written to the winner": Story(
        HOLD, (*HELD_TWICE, ("primary", "l2"), RUN, ("merge", "l1", "l2"), RUN)
    ),
    "a Lead that continues one of a hold is held first, and written then": Story(
        HOLD,
        (
            *(("create", "l1", "Phone"), ("create", "c1", "Phone"), RUN, ("create", "l2", "Phone")),
            *(("policy", "newest"), ("merge", "l2", "l1"), RUN),
        ),
    ),
    "what a hold showed is forgotten when another field is written": Story(
        replace(HOLD, pairs=2),
        (
            *(("create", "p1", "City"), ("create", "l1", "City"), ("create", "c1", "Phone,City")),
            *(RUN, ("delete", "p1"), ("create", "p2", "Phone,City"), RUN),
            *(
                ("type", "l1", "City", "blank"),
                ("run", "refused", "l9"),
                ("type", "c1", "Phone", "new"),
            ),
            RUN,
        ),
    ),
    "a value that was written and cleared is a blank of nobody": Story(
        replace(HOLD, policy=ConflictPolicy.SALESFORCE_WINS),
        (
            *(("create", "p1", "Phone"), ("create", "l1", "Phone"), ("create", "l2", "")),
            *(
                ("run", "arrived", "p1"),
                ("type", "l2", "Phone", "new"),
                ("type", "l1", "Phone", "blank"),
            ),
            RUN,
        ),
    ),
    "a blank that met a typed one is one of nobody": Story(
        HOLD,
        (
            *(
                *HELD_TWICE,
                ("primary", "l2"),
                ("clear_email", "l2"),
                ("type", "l1", "Phone", "blank"),
            ),
            *(RUN, ("set_email", "l2"), RUN),
        ),
    ),
    "a record that was created before the run stopped has not agreed": Story(
        Configuration(ConflictPolicy.PLEZI_WINS),
        (
            *(
                ("create", "p1", "Phone"),
                ("run", "refused", "l9"),
                ("type", "lz1", "Phone", "blank"),
            ),
            *(("convert", "lz1", "flagged"), ("type", "p1", "Phone", "new"), RUN),
        ),
    ),
    "an unsent edit of a deleted Contact fills what was cleared in the meantime": Story(
        HOLD,
        (
            *(("create", "l3", "Phone"), ("create", "c1", ""), RUN, ("type", "c1", "Phone", "new")),
            *(("type", "l3", "Phone", "blank"), ("delete", "c1"), RUN, ("undelete", "c1"), RUN),
        ),
    ),
}


@pytest.mark.parametrize("name", CORRECTED)
def test_a_corrected_finding_holds(name: str) -> None:
    assert play(CORRECTED[name]).violation == ""
