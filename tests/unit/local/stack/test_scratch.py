"""The scratch folder of a stack is in memory if there is enough of it, and is removed."""

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


def test_the_folder_is_in_memory_and_is_removed_completely(folder: Path, memory: Path) -> None:
    scratch = make_scratch(folder, memory, needed=1)
    (scratch / "unpacked").write_text("x")
    [target] = memory.iterdir()
    assert (target / "unpacked").exists()

    remove_scratch(folder)

    assert list(memory.iterdir()) == list(folder.iterdir()) == []


def test_the_folder_is_in_the_stack_s_folder_when_memory_is_short(
    folder: Path, memory: Path
) -> None:
    scratch = make_scratch(folder, memory, needed=2**80)
    (scratch / "unpacked").write_text("x")
    assert scratch.resolve() == scratch
    assert list(memory.iterdir()) == []

    remove_scratch(folder)

    assert list(folder.iterdir()) == []


def test_the_folder_is_in_the_stack_s_folder_when_there_is_no_such_memory(folder: Path) -> None:
    assert make_scratch(folder, folder / "none", needed=1).is_dir()


@pytest.mark.parametrize("needed", [1, 2**80])
def test_a_folder_of_an_earlier_stack_is_cleared(folder: Path, memory: Path, needed: int) -> None:
    (make_scratch(folder, memory, needed) / "old").write_text("x")
    assert list(make_scratch(folder, memory, needed).iterdir()) == []
    assert len(list(memory.iterdir())) == (needed == 1)
