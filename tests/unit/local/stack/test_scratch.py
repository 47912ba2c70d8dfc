"""The scratch folder of a stack lies in memory where there is enough of it, and is removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.stack.scratch import make_scratch, remove_scratch


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "stack"
    folder.mkdir()
    return folder


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    memory = tmp_path / "memory"
    memory.mkdir()
    return memory


def test_it_lies_in_memory_and_leaves_nothing_there(folder: Path, memory: Path) -> None:
    scratch = make_scratch(folder, memory, needed=1)
    (scratch / "unpacked").write_text("x")
    [place] = memory.iterdir()
    assert (place / "unpacked").exists()

    remove_scratch(folder)

    assert list(memory.iterdir()) == list(folder.iterdir()) == []


def test_it_lies_in_the_stack_s_folder_where_memory_is_short(folder: Path, memory: Path) -> None:
    scratch = make_scratch(folder, memory, needed=2**80)
    (scratch / "unpacked").write_text("x")
    assert scratch.resolve() == scratch
    assert list(memory.iterdir()) == []

    remove_scratch(folder)

    assert list(folder.iterdir()) == []


def test_it_lies_in_the_stack_s_folder_where_there_is_no_such_memory(folder: Path) -> None:
    assert make_scratch(folder, folder / "none", needed=1).is_dir()


@pytest.mark.parametrize("needed", [1, 2**80])
def test_one_that_was_left_behind_is_made_anew(folder: Path, memory: Path, needed: int) -> None:
    (make_scratch(folder, memory, needed) / "old").write_text("x")
    assert list(make_scratch(folder, memory, needed).iterdir()) == []
    assert len(list(memory.iterdir())) == (needed == 1)
