"""Laws of double digits: the planted group, the pairs, and splits without a shared digit. Needs the files of MNIST."""

import pytest
import torch

from learnsym.data import DataConfig, double_digits, load_splits, registry
from learnsym.data.double_digits import GROUPS, _pool
from learnsym.groups import SO3, Cyclic

pytestmark = pytest.mark.skipif(not registry["mnist"].present, reason="the files of MNIST are not here")


@pytest.mark.parametrize("key", GROUPS)
def test_elements_are_those_of_the_group_and_the_digits_move(key):
    group = GROUPS[key]
    data = double_digits(60, group, seed=1)
    g = data.planted.view(60, 2, 2, 2)
    assert bool(group.contains(g.double()).all())
    assert data.x.shape == (60, 1, 56, 56)
    assert data.x[:, :, :14].max() == data.x[:, :, -14:].max() == 0
    assert data.classes == 100 and len(data.class_names) == 100


def test_quarter_turned_digits_are_the_upright_ones_turned():
    upright, turned = double_digits(40, Cyclic(1), seed=3), double_digits(40, Cyclic(4), seed=3)
    same = upright.y == turned.y  # labels are drawn first
    assert bool(same.all())
    for one in turned.x[:, 0, 14:42, :28]:
        found = [(one.rot90(k) - other).abs().max() for k in range(4) for other in upright.x[:, 0, 14:42, :28]]
        assert min(found) < 1e-6


def test_labels_are_pairs_and_all_occur():
    data = double_digits(2000, Cyclic(1), digits=range(5))
    assert data.classes == 25
    assert data.y.bincount(minlength=25).min() > 40
    again = double_digits(2000, Cyclic(1), digits=range(5))
    assert torch.equal(data.x, again.x) and torch.equal(data.y, again.y)
    assert not torch.equal(data.y, double_digits(2000, Cyclic(1), seed=1, digits=range(5)).y)
    assert not torch.equal(data.y, double_digits(2000, Cyclic(1), "val", digits=range(5)).y)


def test_validation_digits_are_training_digits_that_training_leaves_out():
    train, val = _pool("train"), _pool("val")
    assert len(train[1]) == 54000 and len(val[1]) == 6000
    known = {image.numpy().tobytes() for image in train[0]}
    shared = sum(image.numpy().tobytes() in known for image in val[0])
    assert shared == 0


def test_halved_by_the_config():
    splits = load_splits(DataConfig(name="double-digits-o2", size=28, train=20, val=10, test=10))
    assert splits.train.x.shape == (20, 1, 28, 28)
    assert len(splits.val) == 10 and splits.train.planted.shape == (20, 8)


def test_bad_input():
    with pytest.raises(ValueError, match="n, digits: got 0"):
        double_digits(0, Cyclic(1))
    with pytest.raises(ValueError, match="must act on the plane"):
        double_digits(4, SO3())
    with pytest.raises(ValueError, match="split: got 'valid'"):
        double_digits(4, Cyclic(1), "valid")
