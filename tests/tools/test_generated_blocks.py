"""Blocks of documents are filled from the code, and a stale one is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import doc_tables, generated_blocks, glossary

TABLES = {"numbers": lambda: "| one |", "letters": lambda: "| a |"}


def test_a_block_is_filled_and_the_text_around_it_stays() -> None:
    text = "Before\n<!-- generated: numbers -->\nold\n<!-- end -->\nAfter\n"
    filled = generated_blocks.fill(text, TABLES)
    assert filled == "Before\n<!-- generated: numbers -->\n\n| one |\n\n<!-- end -->\nAfter\n"
    assert generated_blocks.fill(filled, TABLES) == filled


def test_several_blocks_are_filled() -> None:
    text = "<!-- generated: numbers --><!-- end -->".replace("><", ">\n<")
    both = f"{text}\n{text.replace('numbers', 'letters')}"
    filled = generated_blocks.fill(both, TABLES)
    assert "| one |" in filled
    assert "| a |" in filled


def test_a_block_without_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match="no end"):
        generated_blocks.fill("<!-- generated: numbers -->\n", TABLES)


def test_a_block_that_ends_only_after_the_next_one_is_refused() -> None:
    text = "<!-- generated: numbers -->\n<!-- generated: letters -->\n<!-- end -->\n"
    with pytest.raises(ValueError, match="no end"):
        generated_blocks.fill(text, TABLES)


def test_an_unknown_block_is_refused() -> None:
    with pytest.raises(KeyError):
        generated_blocks.fill("<!-- generated: other -->\n<!-- end -->\n", TABLES)


def test_a_stale_document_is_found_and_written(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("# Product\n")
    page = tmp_path / "docs/page.md"
    page.write_text("<!-- generated: layers -->\nold\n<!-- end -->\n")
    assert generated_blocks.stale(tmp_path) == [page]
    assert generated_blocks.write(tmp_path) == [page]
    assert generated_blocks.stale(tmp_path) == []


@pytest.mark.parametrize("name", sorted(doc_tables.TABLES))
def test_a_table_has_the_same_number_of_cells_in_each_row(name: str) -> None:
    rows = [line.replace("\\|", "") for line in doc_tables.TABLES[name]().splitlines()]
    assert len(rows) > 2
    assert {row.count("|") for row in rows} == {rows[0].count("|")}


def test_every_layer_of_the_contract_is_in_the_table() -> None:
    rows = doc_tables.layers()
    for name in ("errors", "model", "mapping", "planning", "sync", "admin", "plezi", "salesforce"):
        assert f" `{name}` |" in rows
    (errors,) = [row for row in rows.splitlines() if " `errors` |" in row]
    assert errors.endswith("| yes |")


def test_every_module_is_in_the_table() -> None:
    rows = doc_tables.modules()
    for name in glossary.module_names():
        assert f"| `{name.removeprefix('connector.')}` |" in rows


def test_a_place_exists_only_if_the_code_has_it() -> None:
    assert glossary.exists("planning.field_merge")
    assert glossary.exists("model.Link")
    assert glossary.exists("model.Link.base")
    assert glossary.exists("errors.StopReason.MAPPING")
    assert not glossary.exists("planning.wizardry")
    assert not glossary.exists("model.Voice")
    assert not glossary.exists("model.Link.survivor")


def test_a_wrong_place_and_a_missing_place_of_the_glossary_are_found() -> None:
    text = "| link | A person. | `model.Link` |\n| voice | x | `model.Voice` |\n| none | x | - |\n"
    assert glossary.unknown_places(text) == ["model.Voice", "place for the term 'none'"]
