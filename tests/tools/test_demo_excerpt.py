"""The README shows sections of a real output of the demo."""

from __future__ import annotations

import pytest

from tools.demo_excerpt import sections, with_excerpt

OUTPUT = """
Bringing the stack up:
   1.0 s  ready

\x1b[1mA conflict\x1b[0m
  the schedule fires
  ✓ both sides agree

The end
  done
"""
README = "# Product\n\n<!-- demo: 2 -->\nold\n<!-- end -->\n\nMore.\n"


def test_the_output_is_split_at_its_headings_and_has_no_colours() -> None:
    found = sections(OUTPUT)
    assert [section.splitlines()[0] for section in found] == [
        "Bringing the stack up:",
        "A conflict",
        "The end",
    ]
    assert "\x1b" not in "".join(found)


def test_the_chosen_sections_replace_the_old_excerpt() -> None:
    text = with_excerpt(README, OUTPUT)
    assert "```\nA conflict\n  the schedule fires\n  ✓ both sides agree\n```" in text
    assert "old" not in text
    assert text.endswith("<!-- end -->\n\nMore.\n")
    assert with_excerpt(text, OUTPUT) == text


@pytest.mark.parametrize(
    ("readme", "output", "message"),
    [
        ("# Product\n", OUTPUT, "no mark"),
        (README.replace("2", "9"), OUTPUT, "only 3 sections"),
        (README, OUTPUT.replace("the schedule", "x" * 120), "longer than"),
    ],
)
def test_a_wrong_excerpt_is_refused(readme: str, output: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        with_excerpt(readme, output)
