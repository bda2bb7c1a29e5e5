"""Every data set gives the asked numbers of examples, of the stated shape, and its splits do not overlap."""

import os

import pytest
import torch

from learnsym.data import DataConfig, PlantConfig, load, load_splits, registry

SHAPES = {
    "digits": (1, 28, 28),
    "mnist": (1, 28, 28),
    "fashion-mnist": (1, 28, 28),
    "cifar10-jpeg": (3, 32, 32),
    "camvid": (3, 90, 120),
    "two-figures": (3, 32, 32),
    "blobs": (1, 28, 28),
    "adrenal": (1, 28, 28, 28),
}


def skip_when_missing(name):
    source = registry[name]
    if source.files and not os.environ.get("LEARNSYM_DATA"):
        pytest.skip(f"{name} needs files; set LEARNSYM_DATA")
    if not source.present:
        pytest.skip(f"{name} is not in LEARNSYM_DATA")
    if name == "cifar10-jpeg":
        pytest.importorskip("PIL")


@pytest.fixture(scope="module")
def cache(pytestconfig, tmp_path_factory):
    """The cache of the user, or that of pytest if there is one: decoding CIFAR-10 takes half a minute."""
    kept = getattr(pytestconfig, "cache", None)
    return os.environ.get("LEARNSYM_CACHE") or str(kept.mkdir("data") if kept else tmp_path_factory.mktemp("cache"))


DECODED = "cifar10-jpeg"
"""Half a minute of decoding in a new environment."""


@pytest.fixture(params=[pytest.param(n, marks=pytest.mark.slow if n == DECODED else ()) for n in sorted(SHAPES)])
def loaded(request, cache, monkeypatch):
    skip_when_missing(request.param)
    monkeypatch.setenv("LEARNSYM_CACHE", cache)
    return request.param, load_splits(DataConfig(name=request.param, train=60, val=30, test=40))


def rows(dataset):
    return {x.numpy().tobytes() for x in dataset.x}


def test_sizes_shapes_and_range(loaded):
    name, splits = loaded
    assert [len(splits.train), len(splits.val), len(splits.test)] == [60, 30, 40]
    for split in (splits.train, splits.val, splits.test):
        assert split.in_shape == SHAPES[name]
        assert split.x.dtype == torch.float32 and split.y.dtype == torch.long
        assert split.x.min() >= 0.0 and 0.5 < split.x.max() <= 1.0
        assert len(split.class_names) in (0, split.classes)


def test_splits_do_not_overlap(loaded):
    name, splits = loaded
    if name == "camvid":
        pytest.skip("the authors' splits are of different videos")
    train, val, test = rows(splits.train), rows(splits.val), rows(splits.test)
    assert not train & val and not train & test and not val & test


def test_the_recompressed_copy_says_so(cache, monkeypatch):
    skip_when_missing("cifar10-jpeg")
    monkeypatch.setenv("LEARNSYM_CACHE", cache)
    data = load("cifar10-jpeg", "test", DataConfig(test=50))
    assert "JPEG" in data.variant and data.name == "cifar10-jpeg"


def test_larger_training_set_contains_the_smaller():
    small, large = (load_splits(DataConfig(name="digits", train=n)) for n in (100, 300))
    assert torch.equal(small.train.x, large.train.x[:100])
    assert torch.equal(small.val.x, large.val.x) and torch.equal(small.test.x, large.test.x)


def test_seed_changes_the_choice():
    first, second = (load_splits(DataConfig(name="digits", seed=seed)).train.y for seed in (0, 1))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("size", [14, 20, 33])
def test_images_have_the_asked_size(size):
    assert load("digits", "test", DataConfig(size=size)).in_shape == (1, size, size)
    assert load("blobs", "test", DataConfig(size=size, test=5)).in_shape == (1, size, size)


def test_padding_leaves_pixels_alone():
    plain, padded = (load("blobs", "test", DataConfig(size=size, test=5)).x for size in (None, 32))
    assert torch.equal(padded[..., 2:-2, 2:-2], plain)
    assert padded.sum() == pytest.approx(plain.sum().item())


def test_label_maps_are_scaled_and_padded():
    skip_when_missing("camvid")
    small = load("camvid", "test", DataConfig(size=45, test=4))
    assert small.in_shape == (3, 45, 60) and tuple(small.y.shape) == (4, 45, 60)
    padded = load("camvid", "test", DataConfig(size=120, test=4))
    assert padded.in_shape == (3, 120, 120) and bool((padded.y[:, 0] == 11).all())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "minst"}, "must be one of digits, mnist"),
        ({"train": 0}, "data.train"),
        ({"size": 3}, "data.size"),
        ({"seed": -1}, "data.seed"),
    ],
)
def test_bad_config(options, message):
    with pytest.raises(ValueError, match=message):
        DataConfig(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"train": 1300}, "1500 training and validation examples together asked for, digits has 1397"),
        ({"test": 1797}, "leave some for training"),
        ({"val": 1397}, "data.train"),
    ],
)
def test_more_examples_than_exist(options, message):
    with pytest.raises(ValueError, match=message):
        load_splits(DataConfig(name="digits", **options))


def test_unknown_split():
    with pytest.raises(ValueError, match="train, val, test"):
        load("digits", "holdout")


def test_label_names_data_and_law():
    assert DataConfig().title == "digits"
    assert DataConfig(plant=PlantConfig(rotation=60.0)).title == "digits rotation ±60°"
    assert DataConfig(label="as scanned").title == "as scanned"
    assert PlantConfig(law="two_modes", rotation=45.0).describe() == "rotation ±45°, rotation + {0°, 180°}"
