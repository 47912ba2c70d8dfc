"""The documents agree with the code, with the template and with each other."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from connector.version import VERSION
from tools import doc_tables, generated_blocks, glossary

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]*)(#[^)\s]*)?\)")
MAX_COLUMNS = 120
MAX_PICTURE_BYTES = 150_000
GENERATED_IN = {
    "docs/architecture.md": {"layers"},
    "docs/glossary.md": {"modules"},
    "docs/mapping.md": {"issue-codes", "conflict-policies"},
    "docs/console.md": {"console-roles"},
    "docs/operations.md": {
        "parameters",
        "alarms",
        "stop-reasons",
        "alert-kinds",
        "probe-certainties",
        "run-kinds",
        "run-states",
        "log-events",
    },
    "docs/release.md": {"schemas"},
    "docs/security.md": {"security-checks"},
    "docs/admin.md": {
        "attention-kinds",
        "hold-reasons",
        "journal-kinds",
        "merge-rules",
        "undo-reasons",
        "guide-steps",
        "guide-states",
    },
}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def anchor(heading: str) -> str:
    """Return the anchor that a forge gives a heading."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return kept.replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_to_a_file_or_a_heading_exists(page: Path) -> None:
    for path, fragment in LINK.findall(page.read_text()):
        if path.startswith(("http:", "https:")):
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name_of(page)} links to {path}"
        if fragment and target.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
            assert fragment[1:] in {anchor(heading) for heading in headings}, fragment


def test_the_generated_blocks_are_up_to_date() -> None:
    assert generated_blocks.problems(ROOT) == []


@pytest.mark.parametrize(("page", "blocks"), GENERATED_IN.items())
def test_a_page_has_its_generated_tables(page: str, blocks: set[str]) -> None:
    assert blocks <= set(generated_blocks.block_names((ROOT / page).read_text()))


def test_every_module_has_a_sentence_in_the_glossary() -> None:
    for name in glossary.module_names():
        sentence = doc_tables.summary(name)
        assert sentence.endswith("."), f"{name}: {sentence!r}"
        assert len(sentence.split()) > 1, f"{name}: {sentence!r}"


def test_every_value_of_a_generated_enumeration_has_a_meaning() -> None:
    for name, table in doc_tables.TABLES.items():
        if name not in {"layers", "parameters", "modules", "log-events", "schemas"}:
            assert "|  |" not in table(), name


def test_the_readme_is_easy_to_read() -> None:
    text = (ROOT / "README.md").read_text()
    assert all(len(line) <= MAX_COLUMNS for line in text.splitlines())
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    for paragraph in prose.split("\n\n"):
        if not paragraph.lstrip().startswith(("|", "#", "<", "*", "-", "1.", "[", "!")):
            sentences = re.findall(r"[.!?](?=\s|$)", paragraph)
            assert len(sentences) <= 2, paragraph


def test_the_index_names_every_page_of_the_documentation() -> None:
    index = (ROOT / "docs/README.md").read_text()
    for page in (ROOT / "docs").rglob("*"):
        if page.is_file() and page.name != "README.md" and page.suffix != ".png":
            name = page.relative_to(ROOT / "docs").as_posix()
            assert f"({name})" in index, name


def test_every_picture_is_shown_by_a_page_and_is_small() -> None:
    text = "".join(page.read_text() for page in PAGES)
    for picture in (ROOT / "docs/images").iterdir():
        assert f"images/{picture.name})" in text
        assert picture.stat().st_size < MAX_PICTURE_BYTES


def test_every_decision_has_a_number_a_date_alternatives_and_consequences() -> None:
    text = (ROOT / "docs/decisions.md").read_text()
    decisions = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    numbered = [decision for decision in decisions if re.match(r"\d+\. ", decision)]
    numbers = [int(decision.partition(".")[0]) for decision in numbered]
    assert numbers == list(range(1, len(numbers) + 1))
    for decision in numbered:
        title = decision.partition("\n")[0]
        assert re.search(r"^\d{4}-\d{2}-\d{2}$", decision, re.MULTILINE), title
        for part in ("**Decision.**", "**Alternatives.**", "**Consequences.**"):
            assert part in decision, f"{title}: {part}"


def test_the_changelog_agrees_with_the_version() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    is_unreleased = headings[0] == f"Unreleased ({VERSION})"
    assert is_unreleased or re.fullmatch(
        rf"{re.escape(VERSION)} - \d{{4}}-\d{{2}}-\d{{2}}", headings[0]
    )


def test_the_openapi_document_has_the_version_of_the_connector() -> None:
    document = json.loads((ROOT / "docs/openapi.json").read_text())
    assert document["info"]["version"] == VERSION


def test_the_developer_tools_are_checked_like_the_code() -> None:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "tools" in document["tool"]["mypy"]["files"]
    recipe = (ROOT / "Makefile").read_text().partition("\ncheck:")[2].partition("\n\n")[0]
    assert "tools.terms" in recipe
    assert "tools.generated_blocks check" in recipe


def test_the_readme_shows_the_output_of_a_real_demo() -> None:
    excerpt = (
        (ROOT / "README.md").read_text().partition("<!-- demo: ")[2].partition("<!-- end -->")[0]
    )
    assert "✓" in excerpt
    headings = [line for line in excerpt.splitlines()[2:] if re.match(r"[A-Z].* ", line)]
    demo = (ROOT / "local/demo.py").read_text()
    assert [line for line in headings if line not in demo] == []
