import errno
import json
import os
from pathlib import Path

import pytest

from learnsym.report.run.store import Piece, results


def count(folder: str, value: int) -> dict:
    marks = Path(folder) / "marks"
    marks.write_text(marks.read_text() + "x" if marks.exists() else "x")
    if value < 0:
        raise ValueError("value: got a negative number, must be >= 0; use its size")
    return {"value": value}


def piece(folder: Path, value: int, given: int | None = None, **options) -> Piece:
    return Piece(
        path=folder / "kept" / f"{value}.json",
        function=count,
        arguments={"folder": str(folder), "value": value},
        given={"value": value if given is None else given},
        **options,
    )


def calls(folder: Path) -> int:
    return len((folder / "marks").read_text())


def test_a_kept_result_is_not_computed_again(tmp_path: Path):
    for _ in range(2):
        assert results([piece(tmp_path, 1), piece(tmp_path, 2)], progress=False) == [{"value": 1}, {"value": 2}]
    assert calls(tmp_path) == 2


def test_other_inputs_are_computed_anew(tmp_path: Path):
    weights = tmp_path / "weights"
    for content in ("a", "b"):
        weights.write_text(content)
        results([piece(tmp_path, 1, inputs=(weights,))], progress=False)
    results([piece(tmp_path, 1, given=5, inputs=(weights,))], progress=False)
    assert calls(tmp_path) == 3


@pytest.mark.parametrize("content", ["", "{", "[]", '{"key": 1}'])
def test_a_damaged_file_is_computed_anew(tmp_path: Path, content: str):
    one = piece(tmp_path, 1)
    one.path.parent.mkdir()
    one.path.write_text(content)
    assert results([one], progress=False) == [{"value": 1}]


@pytest.mark.parametrize("result", [{}, {"value": 2}, [], None, {"value": None}])
def test_a_result_that_is_not_the_one_that_was_kept_is_computed_anew(tmp_path: Path, result: object):
    one = piece(tmp_path, 1)
    results([one], progress=False)
    content = json.loads(one.path.read_text())
    one.path.write_text(json.dumps({**content, "result": result}))
    assert one.load() is None and results([one], progress=False) == [{"value": 1}]


def test_a_full_disk_names_the_file_and_keeps_what_was_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    results([piece(tmp_path, 1)], progress=False)
    with (
        monkeypatch.context() as patch,
        pytest.raises(OSError, match="free space, then give") as error,
    ):
        patch.setattr(os, "fsync", full)
        results([piece(tmp_path, 1), piece(tmp_path, 2)], progress=False)
    assert error.value.filename == str(piece(tmp_path, 2).path)
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["1.json"]
    assert piece(tmp_path, 1).load() == {"value": 1}


def test_a_failure_keeps_what_was_finished(tmp_path: Path):
    with pytest.raises(ValueError, match="got a negative number"):
        results([piece(tmp_path, 1), piece(tmp_path, -1)], progress=False)
    assert piece(tmp_path, 1).load() == {"value": 1}
