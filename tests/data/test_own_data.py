"""Rules of data of one's own: layouts, targets, splits, objects in memory, and what `describe` finds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from learnsym.data import Batches, DataConfig, Dataset, as_dataset, describe, load_splits
from learnsym.data.own.layout import arranged, layout_of
from learnsym.data.own.splitting import balanced_order, split
from learnsym.data.own.targets import read_targets

X = torch.rand(60, 3, 12, 10, generator=torch.Generator().manual_seed(0))
Y = torch.arange(60) % 3


@pytest.mark.parametrize(
    ("shape", "whole_numbers", "expected"),
    [
        ((9, 5), False, "table"),
        ((9, 28, 28), False, "nhw"),
        ((9, 28, 3), True, "nhw"),
        ((9, 1, 28, 28), False, "nchw"),
        ((9, 28, 28, 1), False, "nhwc"),
        ((9, 3, 4, 4), False, "nchw"),
        ((9, 28, 28, 28), True, "ndhw"),
        ((9, 1, 28, 28, 28), True, "ncdhw"),
        ((9, 28, 28, 28, 2), True, "ndhwc"),
    ],
)
def test_sizes_tell_the_layout(shape, whole_numbers, expected):
    assert layout_of(shape, whole_numbers) == expected


@pytest.mark.parametrize("shape", [(9, 3, 32, 3), (9, 40, 3), (9, 12, 64, 64), (9, 4, 4, 4), (9, 8, 9, 10, 11)])
def test_sizes_that_do_not_tell_are_asked_for(shape):
    with pytest.raises(ValueError, match=r"data\.layout: .* cannot be told from their sizes; give --data\.layout n"):
        layout_of(shape, False)


@pytest.mark.parametrize("layout", ["nhwc", "nchw", "ndhwc", "ncdhw"])
def test_channels_come_first(layout):
    sizes = {"n": 2, "c": 3, "d": 4, "h": 5, "w": 6}
    x = torch.rand([sizes[axis] for axis in layout])
    moved = arranged(x, layout)
    assert moved.shape[:2] == (2, 3) and torch.equal(moved.movedim(1, layout.index("c")), x)


@pytest.mark.parametrize(
    ("y", "kind", "values", "classes"),
    [
        ([0, 1, 2, 1], None, [0, 1, 2, 1], 3),
        ([[0], [1], [2], [1]], None, [0, 1, 2, 1], 3),
        (np.eye(3)[[0, 1, 2, 1]], None, [0, 1, 2, 1], 3),
        (["b", "a", "b", "c"], None, [1, 0, 1, 2], 3),
        (np.array([b"b", b"a", b"b", b"c"]), None, [1, 0, 1, 2], 3),
        ([True, False, True, True], None, [1, 0, 1, 1], 2),
        ([7, -2, 7, 30], "names", [1, 0, 1, 2], 3),
        ([0.0, 1.0, 2.0, 1.0], "labels", [0, 1, 2, 1], 3),
        ([0.0, 1.0, 2.0, 1.0], None, [0.0, 1.0, 2.0, 1.0], 0),
        ([3, 4, 5, 9], "numbers", [3.0, 4.0, 5.0, 9.0], 0),
        ([0, 1, 3, 1], None, [0, 1, 3, 1], 4),
    ],
)
def test_targets_of_any_kind(y, kind, values, classes):
    read = read_targets({"train": y}, {"train": 4}, kind)
    assert (read.values["train"].tolist(), read.classes) == (values, classes)


def test_splits_are_numbered_alike():
    read = read_targets({"train": ["b", "c"], "test": ["c", "a"]}, {"train": 2, "test": 2}, None)
    assert read.names == ("a", "b", "c") and read.values["test"].tolist() == [2, 0]


@pytest.mark.parametrize(
    ("y", "kind", "message"),
    [
        ([1, 2, 3, 1], None, "labels run from 1 to 3, must run from 0; subtract 1"),
        ([-1, 0, 1, 0], None, "labels run from -1 to 1"),
        ([0, 1], None, "got 2 targets for 4 inputs"),
        ([[0, 1], [1, 1], [0, 0], [2, 2]], None, "must be one label an example"),
        ([0.5, 1.0, 0.0, 1.0], "labels", "not whole"),
        (["a", "b", "a", "b"], "numbers", "y holds text"),
        ([0, 1, 0, 10**9], None, "labels reach 1000000000"),
        ([0.0, np.nan, 0.0, 1.0], None, "NaN or infinity, first in example 1"),
        ([{}, {}, {}, {}], None, "must be numbers or names"),
    ],
)
def test_targets_that_cannot_be_used(y, kind, message):
    with pytest.raises(ValueError, match=message):
        read_targets({"train": y}, {"train": 4}, kind)


def uneven():
    return Dataset(torch.arange(200.0)[:, None], torch.tensor([0] * 150 + [1] * 40 + [2] * 10), "noise", 3)


@pytest.mark.parametrize("count", [20, 40, 100, 171])
def test_each_beginning_has_every_class_in_its_proportion(count):
    data = uneven()
    order = balanced_order(data, seed=5)
    assert sorted(order.tolist()) == list(range(200))
    found = torch.bincount(data.y[order[:count]], minlength=3)
    assert ((found - count * torch.tensor([150, 40, 10]) / 200).abs() <= 1.0).all()


NONE = {"train": None, "val": None, "test": None}


def test_splits_do_not_meet_and_larger_training_sets_contain_smaller_ones():
    few, many = (split({"train": uneven()}, {**NONE, "train": count}, seed=1) for count in (50, 120))
    values = {name: set(part.x[:, 0].tolist()) for name, part in many.items()}
    assert [len(values[name]) for name in ("train", "val", "test")] == [120, 30, 30]
    assert not values["train"] & values["val"] and not values["train"] & values["test"]
    assert not values["val"] & values["test"]
    assert torch.equal(few["train"].x, many["train"].x[:50]) and torch.equal(few["val"].x, many["val"].x)
    assert not torch.equal(split({"train": uneven()}, NONE, seed=2)["test"].x, many["test"].x)


def test_three_examples_are_enough():
    three = Dataset(torch.arange(3.0)[:, None], torch.zeros(3), "noise")
    assert [len(part) for part in split({"train": three}, NONE, 0).values()] == [1, 1, 1]


@pytest.mark.parametrize(
    ("data", "shape"),
    [
        ((X, Y), (3, 12, 10)),
        ((X.numpy(), Y.numpy()), (3, 12, 10)),
        ((X.permute(0, 2, 3, 1).numpy(), Y.tolist()), (3, 12, 10)),
        ({"images": X, "labels": Y}, (3, 12, 10)),
        (TensorDataset(X, Y), (3, 12, 10)),
        (DataLoader(TensorDataset(X, Y), batch_size=7), (3, 12, 10)),
        ([({"image": x, "age": float(y)}, int(y)) for x, y in zip(X, Y, strict=True)], None),
        (({"image": X, "age": Y.float()}, Y), (3, 12, 10)),
    ],
    ids=["tensors", "arrays", "channels last", "dict", "data set", "loader", "list of pairs", "two inputs"],
)
def test_objects_in_memory(data, shape):
    if shape is None:
        with pytest.raises(ValueError, match="got a list, must be tensors or arrays"):
            as_dataset(data)
        return
    made = as_dataset(data, name="mine")
    assert (made.in_shape, made.classes, len(made), made.name) == (shape, 3, 60, "mine")
    assert torch.equal(made.y, Y) and torch.allclose(made.moving, X) and as_dataset(made) is made


def test_several_inputs_stay_together():
    data = as_dataset(({"age": Y.float(), "image": X}, Y), moves="image")
    assert data.in_shape == (3, 12, 10) and data.signature.moves == "image" and len(data) == 60
    x, y = Batches(data.subset(torch.arange(0, 60, 2)), 8, seed=1)[1]
    assert x["image"].shape == (8, 3, 12, 10) and torch.equal(x["age"], y.float())
    assert data.inputs["image"].dtype == torch.float32 and data.to("cpu").x["age"].shape == (60,)


def test_data_without_targets():
    data = as_dataset(X)
    assert not data.has_targets and data.classes == 0 and data.y.shape == (60, 0)


def test_a_relative_path_is_kept_as_an_absolute_one(tmp_path, monkeypatch):
    np.savez(tmp_path / "d.npz", x=X.numpy(), y=Y.numpy())
    monkeypatch.chdir(tmp_path)
    config = DataConfig(name="d.npz")
    monkeypatch.chdir("/")
    assert config.name == str(tmp_path / "d.npz") and config.title == "d.npz" and len(load_splits(config).test) == 9


def test_describe_says_what_is_odd(tmp_path):
    x, y = X.numpy().copy(), Y.numpy().copy()
    x[3:6], y[y == 2], y[:2] = x[9:12], 1, 2
    x[20], x[30, 0, 0, 0] = 0.5, 700.0
    np.savez(tmp_path / "d.npz", x=x, y=y[:, None])
    found = describe(str(tmp_path / "d.npz"), val=20, test=20)
    text = str(found)
    said = (
        "labels of shape (N, 1)",
        "are constant",
        "inputs reach from",
        "border is not black",
        "20 train, 20 val, 20 test",
    )
    assert all(each in text for each in said), text
    assert any(words in text for words in ("are in train too", "are copies of others", "are in val too")), text
    assert found.sheet(tmp_path / "sheet.png").stat().st_size > 100


def test_describe_finds_nothing_odd_in_good_data():
    assert describe("digits", train=100, val=50, test=50).odd == ()
