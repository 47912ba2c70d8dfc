"""Each story about an org says what happens to people and to the admin, and names its tests."""

from __future__ import annotations

import re

import pytest

from tests.docs.named_tests import TESTS, missing_tests, named_tests

PAGE = TESTS.parent / "docs" / "salesforce-orgs.md"
STORIES = dict(
    story.split("\n", 1)
    for story in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
)
REQUIRED = (
    "A validation rule",
    "A heavy trigger",
    "A flow that rewrites values",
    "Record types",
    "An encrypted e-mail",
    "Person accounts",
    "State and country lists",
    "Sharing that hides a Lead and shows it again",
)


def test_every_required_story_is_there() -> None:
    assert [title for title in REQUIRED if title not in STORIES] == []


@pytest.mark.parametrize("title", STORIES)
def test_a_story_is_about_people_and_the_admin_and_names_tests_that_exist(title: str) -> None:
    story = STORIES[title]
    assert "**The admin**" in story
    assert "**People.**" in story or "**Deterministic scheme.**" in story
    assert named_tests(story.partition("\nTests: ")[2]), "no test is named"
    assert missing_tests(story) == []
