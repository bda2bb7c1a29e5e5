"""The planted symmetry is the stated one, moves each image once, and is the same for the same seed."""

import math

import pytest
import torch
from jaxtyping import TypeCheckError

from learnsym.data import DataConfig, Dataset, PlantConfig, blobs, load_splits, plant, two_figures
from learnsym.data.moving import COLUMNS, elements, move
from learnsym.data.planting import draw_coordinates
from learnsym.data.seeding import generator

ROTATION = COLUMNS.index("rotation")


def draws(law, n=20000):
    return draw_coordinates(law, n, generator(0))


def test_uniform_law():
    a = draws(PlantConfig(rotation=60.0, translation=0.1, scale=0.2, flip=0.3))
    for column, width in (("translation_x", 0.1), ("translation_y", 0.1), ("rotation", 60.0), ("scale", 0.2)):
        values = a[:, COLUMNS.index(column)]
        assert values.abs().max() <= width
        assert values.std().item() == pytest.approx(width / math.sqrt(3.0), rel=0.03)
        assert abs(values.mean().item()) < 0.03 * width
    assert a[:, 4].mean().item() == pytest.approx(0.3, abs=0.02)


def test_normal_law():
    values = draws(PlantConfig(law="normal", rotation=20.0))[:, ROTATION]
    assert values.std().item() == pytest.approx(20.0, rel=0.03)
    assert values.abs().max() > 60.0


def test_atoms():
    law = PlantConfig(law="atoms", angles=[0.0, 90.0, 180.0, 270.0])
    values, counts = draws(law)[:, ROTATION].unique(return_counts=True)
    assert values.tolist() == [0.0, 90.0, 180.0, 270.0]
    assert counts.min() > 4500


def test_two_modes_are_upright_and_upside_down_by_default():
    values = draws(PlantConfig(law="two_modes", rotation=45.0))[:, ROTATION]
    near, far = values[values <= 45.0], values[values >= 135.0]
    assert len(near) + len(far) == len(values)
    assert len(near) / len(values) == pytest.approx(0.5, abs=0.02)


def test_quarter_turns_are_exact():
    data = blobs(16)
    moved = plant(data, PlantConfig(law="atoms", angles=[0.0, 90.0, 180.0, 270.0]), seed=1)
    turns = (moved.planted[:, ROTATION] / 90.0).long()
    expected = torch.stack([torch.rot90(x, int(k), (-2, -1)) for x, k in zip(data.x, turns, strict=True)])
    torch.testing.assert_close(moved.x, expected, atol=1e-5, rtol=0.0)


def test_reflection_swaps_left_and_right():
    data = blobs(8)
    torch.testing.assert_close(plant(data, PlantConfig(flip=1.0), seed=0).x, data.x.flip(-1), atol=1e-6, rtol=0.0)


def test_translation_is_in_sides():
    data = blobs(4, size=20)
    planted = torch.tensor([[0.25, 0.1, 0.0, 0.0, 0.0]]).expand(4, 5)
    expected = torch.zeros_like(data.x)
    expected[..., :-2, 5:] = data.x[..., 2:, :-5]
    torch.testing.assert_close(move(data.x, planted), expected, atol=1e-5, rtol=0.0)


def test_values_outside_of_0_and_1_stay():
    x = 3.0 * torch.randn(4, 2, 9, 9, generator=torch.Generator().manual_seed(0))
    still = plant(Dataset(x, torch.zeros(4)), PlantConfig(rotation=1e-6), seed=0).x
    torch.testing.assert_close(still, x, atol=1e-4, rtol=0.0)
    turned = plant(Dataset(x, torch.zeros(4)), PlantConfig(rotation=90.0), seed=0).x
    assert turned.min() < 0 and turned.max() > 1
    assert turned.min() >= x.min() and turned.max() <= x.max()


def test_elements_flip_first():
    planted = torch.tensor([[0.0, 0.0, 90.0, math.log(2.0), 1.0]], dtype=torch.float64)
    expected = torch.tensor([[0.0, -2.0, 0.0], [-2.0, 0.0, 0.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
    torch.testing.assert_close(elements(planted)[0], expected, atol=1e-12, rtol=0.0)


def test_same_seed_same_data():
    law = PlantConfig(rotation=90.0)
    first, second, third = (plant(blobs(40), law, seed) for seed in (5, 5, 6))
    assert torch.equal(first.x, second.x) and torch.equal(first.planted, second.planted)
    assert not torch.equal(first.planted, third.planted)


def test_label_maps_move_along():
    maps = (blobs(6).x[:, 0] > 0.3).long()
    data = Dataset(maps[:, None].float(), maps, classes=2, ignore=2)
    moved = plant(data, PlantConfig(rotation=180.0), seed=0)
    inside = moved.y != 2
    assert bool((inside.float().mean((1, 2)) < 1.0).any())
    agreement = ((moved.x[:, 0] > 0.5).long() == moved.y)[inside].float().mean()
    assert agreement > 0.98


def test_only_the_named_splits_are_moved():
    config = DataConfig(name="digits", train=20, val=20, test=20, plant=PlantConfig(rotation=60.0, splits=["test"]))
    moved, still = load_splits(config), load_splits(DataConfig(name="digits", train=20, val=20, test=20))
    assert moved.train.planted is None and torch.equal(moved.train.x, still.train.x)
    assert moved.test.planted is not None and torch.equal(moved.test.y, still.test.y)


@pytest.mark.parametrize("angle", [13.0, 45.0, 100.0])
def test_no_rotation_loses_any_of_a_digit(angle):
    x = load_splits(DataConfig(name="digits", train=50, val=1, test=1)).train.x
    moved = move(x, torch.tensor([[0.0, 0.0, angle, 0.0, 0.0]]).expand(50, 5))
    torch.testing.assert_close(moved.sum((1, 2, 3)), x.sum((1, 2, 3)), rtol=0.02, atol=0.0)


@pytest.mark.parametrize("angle", [13.0, 45.0, 100.0])
def test_no_rotation_loses_any_of_a_figure(angle):
    x = two_figures(20, half_width=0.0).x
    moved = move(x, torch.tensor([[0.0, 0.0, angle, 0.0, 0.0]]).expand(20, 5))
    torch.testing.assert_close(moved.sum((1, 2, 3)), x.sum((1, 2, 3)), rtol=0.01, atol=0.0)


def test_bad_data():
    with pytest.raises(ValueError, match="must be images"):
        plant(Dataset(torch.rand(3, 5), torch.zeros(3)), PlantConfig(rotation=5.0), seed=0)
    with pytest.raises(ValueError, match="already"):
        plant(two_figures(3), PlantConfig(rotation=5.0), seed=0)
    maps = torch.zeros(2, 4, 4, dtype=torch.long)
    with pytest.raises(ValueError, match="ignore"):
        plant(Dataset(torch.rand(2, 1, 4, 4), maps, classes=1), PlantConfig(rotation=5.0), seed=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"law": "gaussian"}, "law"),
        ({"rotation": 181.0}, r"plant.rotation: got 181.0, must be a finite number in \[0, 180\]"),
        ({"rotation": math.nan}, "plant.rotation"),
        ({"flip": -0.1}, "plant.flip"),
        ({"law": "atoms"}, "needs angles"),
        ({"law": "atoms", "angles": [0.0], "rotation": 3.0}, "two_modes"),
        ({"angles": [90.0]}, "plant.angles"),
        ({"law": "atoms", "angles": [math.inf]}, "finite"),
        ({"splits": ["training"]}, "splits"),
    ],
)
def test_bad_law(options, message):
    with pytest.raises((ValueError, TypeCheckError), match=message):
        PlantConfig(**options)
