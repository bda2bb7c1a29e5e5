"""Tensors that stay in a file of `torch.save` are those in memory, and nothing else of the file is read."""

from __future__ import annotations

import pytest
import torch

from learnsym.data import Rows, pt_stretch

X = torch.arange(120).reshape(10, 4, 3)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.float16, torch.float32, torch.float64, torch.bool])
def test_rows_are_those_in_memory(tmp_path, dtype):
    whole = X.to(dtype)
    torch.save({"y": torch.arange(10), "x": whole}, tmp_path / "d.pt")
    torch.save(whole, tmp_path / "alone.pt")
    for rows in (Rows(pt_stretch(tmp_path / "d.pt", "x")), Rows(pt_stretch(tmp_path / "alone.pt"))):
        assert rows.dtype == dtype and rows.shape == whole.shape
        assert torch.equal(rows[torch.tensor([7, 0, 7])], whole[[7, 0, 7]])


def test_a_part_of_a_tensor_keeps_its_place(tmp_path):
    torch.save({"whole": X, "part": X[4:]}, tmp_path / "d.pt")
    assert torch.equal(Rows(pt_stretch(tmp_path / "d.pt", "part"))[:2], X[4:6])


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ({"x": X}, "z", "name: got 'z', but .*d.pt has x; name a tensor of it"),
        ({"x": X}, None, "name: got None, but .*d.pt has x"),
        (X, "x", "name: got 'x', but .* one object"),
        (X.transpose(0, 1), None, r"lie apart; save .contiguous\(\) of it"),
        (X.bfloat16(), None, r"bfloat16, which numpy lacks; save .float\(\) of it"),
    ],
)
def test_what_cannot_be_read(tmp_path, content, name, message):
    torch.save(content, tmp_path / "d.pt")
    with pytest.raises(ValueError, match=message):
        pt_stretch(tmp_path / "d.pt", name)


def test_what_is_no_file_of_tensors(tmp_path):
    (tmp_path / "d.pt").write_text("no tensors")
    with pytest.raises(ValueError, match=r"d\.pt cannot be read as tensors"):
        pt_stretch(tmp_path / "d.pt")
