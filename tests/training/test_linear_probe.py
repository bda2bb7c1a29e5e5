"""Laws of the linear probe: it finds what is linear, reads the labels it is given alone, and says how sure it is."""

import pytest
import torch
from torch import nn

from learnsym.data import Dataset
from learnsym.training import linear_probe


def blobs(count, classes=3, seed=0, scale=3.0):
    random = torch.Generator().manual_seed(seed)
    y = torch.arange(count) % classes
    x = scale * torch.eye(classes, 5)[y] + torch.randn(count, 5, generator=random)
    return Dataset(x, y, "blobs", classes=classes)


def test_it_finds_the_minimum_of_the_penalised_loss():
    train = blobs(60)
    probe = linear_probe(nn.Identity(), train, blobs(300, seed=1), ridges=[0.1])
    phi = (train.x - train.x.mean(0)) / train.x.std(0)
    weight, bias = torch.zeros(3, 5, requires_grad=True), torch.zeros(3, requires_grad=True)
    for _ in range(1000):
        loss = nn.functional.cross_entropy(phi @ weight.mT + bias, train.y) + 0.05 * weight.square().sum()
        gradients = torch.autograd.grad(loss, (weight, bias))
        with torch.no_grad():
            weight -= 0.5 * gradients[0]
            bias -= 0.5 * gradients[1]
    test = blobs(300, seed=1)
    right = ((test.x - train.x.mean(0)) / train.x.std(0) @ weight.mT + bias).argmax(1) == test.y
    assert torch.equal(probe.accuracy.per_sample.bool(), right)
    assert probe.ridge == 0.1


def test_the_interval_covers_the_accuracy_on_many_examples():
    probe = linear_probe(nn.Identity(), blobs(60), blobs(300, seed=1), labelled=60)
    many = linear_probe(nn.Identity(), blobs(60), blobs(6000, seed=2), labelled=60)
    low, high = probe.interval.ends
    assert low <= many.accuracy.mean <= high and 0.01 < high - low < 0.1
    assert "60 labels" in str(probe)


def test_labels_beyond_those_it_is_given_do_not_count():
    train = blobs(100)
    wrong = Dataset(train.x, torch.cat([train.y[:40], (train.y[40:] + 1) % 3]), "wrong", classes=3)
    probes = [linear_probe(nn.Identity(), each, blobs(200, seed=1), labelled=40) for each in (train, wrong)]
    assert torch.equal(*[probe.accuracy.per_sample for probe in probes])


def test_features_stay_as_they_are():
    features = nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4))
    before = [value.clone() for value in features.state_dict().values()]
    linear_probe(features, blobs(40), blobs(40, seed=1))
    assert features.training
    assert all(torch.equal(a, b) for a, b in zip(before, features.state_dict().values(), strict=True))


@pytest.mark.parametrize(
    ("words", "start"),
    [
        ({"labelled": 9}, "labelled: got 9, must be from 10 to the 40"),
        ({"labelled": 41}, "labelled: got 41"),
        ({"ridges": [0.0]}, r"ridges: got \[0.0\]"),
        ({"ridges": []}, r"ridges: got \[\]"),
        ({"train": Dataset(torch.rand(20, 5), torch.rand(20, 1))}, "train: its targets are no labels"),
    ],
)
def test_bad_input_is_one_sentence(words, start):
    with pytest.raises(ValueError, match=f"^{start}") as error:
        linear_probe(**{"features": nn.Identity(), "train": blobs(40), "test": blobs(40, seed=1), **words})
    assert "\n" not in str(error.value)
