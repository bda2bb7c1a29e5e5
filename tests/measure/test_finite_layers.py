"""Layer scores: exact layers, known breakers, chance, and what is left out."""

import pytest
import torch
from torch import nn

from learnsym import actions, groups, symmetry
from learnsym.measure.finite._correlation import correlation
from learnsym.measure.finite._features import chosen_layers
from learnsym.measure.finite.layer_scores import layer_scores
from learnsym.measure.finite.pixel_shifts import pixel_shifts
from learnsym.symmetry import Symmetry

SHIFTS, TURNS = symmetry.translation2d(), symmetry.quarter_turns2d()


def images(count=12, size=24):
    return torch.rand(count, 1, size, size, dtype=torch.float64)


class Noise(nn.Module):
    """Features that have nothing to do with the image, other ones at each call."""

    def forward(self, x):
        return torch.randn(len(x), 4, 24, 24, dtype=x.dtype)


class Grid(nn.Module):
    """The same features for every image."""

    def forward(self, x):
        return torch.linspace(0, 1, 24, dtype=x.dtype).expand(len(x), 2, 24, 24)


class Root(nn.Module):
    """Not finite for negative pixels."""

    def forward(self, x):
        return x.sqrt()


class Alternating(nn.Module):
    """Features times a checkerboard: known to break odd shifts, and to keep even ones."""

    def forward(self, x):
        i = torch.arange(x.shape[-1])
        return x * (1.0 - 2.0 * ((i[:, None] + i) % 2))


def test_a_convolution_keeps_whole_shifts():
    net = nn.Sequential(nn.Conv2d(1, 3, 5, padding=2), nn.ReLU(inplace=True), nn.Conv2d(3, 2, 3, padding=1)).double()
    x = images()
    found = layer_scores(net, x, SHIFTS, pixel_shifts(x, [(3, 0), (0, -2), (1, 1)]), margin=3).scores
    assert list(found) == ["0", "1", "2"]
    for score in found.values():
        assert score.equivariance.per_sample.min() > 1 - 1e-9
        assert abs(score.invariance.mean) < 0.2


@pytest.mark.parametrize(("pixels", "exact"), [(2, True), (4, True), (1, False), (3, False)])
def test_a_stride_keeps_its_multiples(pixels, exact):
    net, x = nn.Sequential(nn.Conv2d(1, 4, 3, stride=2, padding=1)).double(), images()
    score = layer_scores(net, x, SHIFTS, pixel_shifts(x, [(pixels, 0)]), margin=2).scores["0"]
    assert (score.equivariance.mean > 1 - 1e-9) == exact


def test_maps_that_are_not_padded_need_their_stride():
    net = nn.Sequential(nn.Conv2d(1, 4, 5), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3)).double()
    x = images()
    right = pixel_shifts(x, [(4, 0)])
    assert "no common whole stride on images of 24x24" in layer_scores(net, x, SHIFTS, right).skipped["0"]
    strides = {"0": 1, "1": 2, "2": 2}
    found = layer_scores(net, x, SHIFTS, right, strides=strides)
    assert set(found.scores) == set(strides) and not found.skipped
    assert all(score.equivariance.mean > 1 - 1e-9 for score in found.scores.values())


def test_quarter_turns_of_round_and_of_any_kernels():
    net = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 3, padding=1)).double()
    weight = net[0].weight.detach()
    net[0].weight.data = sum(weight.rot90(k, (2, 3)) for k in range(4))
    net[1].weight.data = torch.tensor([[[[1.0, 2, 1], [0, 0, 0], [-1, -2, -1]]]], dtype=torch.float64)
    round_one, edges = layer_scores(net, images(), TURNS).scores.values()
    assert round_one.equivariance.per_sample.min() > 1 - 1e-9
    assert edges.equivariance.mean < 0.5


def test_known_correlation_of_a_checkerboard():
    x = images(size=24)
    net = nn.Sequential(nn.Identity(), Alternating())
    odd = layer_scores(net, x - x.mean(), SHIFTS, pixel_shifts(x, [(1, 0)])).scores
    even = layer_scores(net, x - x.mean(), SHIFTS, pixel_shifts(x, [(2, 0)])).scores
    assert odd["0"].equivariance.mean > 1 - 1e-9
    # an odd shift negates the board: the correlation is -1
    assert odd["1"].equivariance.mean == pytest.approx(-1, abs=0.05)
    assert even["1"].equivariance.mean > 1 - 1e-9


def test_unrelated_features_are_at_chance():
    score = layer_scores(nn.Sequential(Noise()), images(200), TURNS).scores["0"]
    for estimate in (score.equivariance, score.invariance):
        assert abs(estimate.mean) < 4 * estimate.stderr + 1e-3
    same = layer_scores(nn.Sequential(Grid()), images(), TURNS).scores["0"]
    assert same.invariance_chance.mean == pytest.approx(1.0)
    assert abs(same.invariance.mean) < 1e-6


def test_a_large_common_mean_does_not_pass_for_equivariance():
    """Channels of different means correlate for any two images; the score takes this out."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1)).double()
    net[0].bias.data = torch.linspace(-9, 9, 8, dtype=torch.float64)
    score = layer_scores(net, images(60), TURNS).scores["0"]
    assert score.equivariance_chance.mean > 0.9
    assert score.equivariance.mean < 0.5


def test_invariant_features():
    class Mean(nn.Module):
        def forward(self, x):
            turned = [x.rot90(k, (2, 3)) for k in range(4)]
            return sum(turned)

    score = layer_scores(nn.Sequential(Mean()), images(), TURNS).scores["0"]
    assert score.invariance.mean == pytest.approx(1.0) and score.equivariance.mean == pytest.approx(1.0)


def test_crop_of_a_rotation_that_is_not_on_the_lattice():
    smooth = nn.functional.interpolate(images(size=3), size=(24, 24), mode="bicubic")
    turn = groups.SO2().exp(torch.tensor([[0.6]], dtype=torch.float64))
    found = layer_scores(nn.Sequential(nn.Identity()), smooth, symmetry.rotation2d(), turn)
    assert found.scores["0"].equivariance.mean > 1 - 1e-9


def test_layers_are_named_shared_ones_numbered_others_listed():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1)
            self.activation, self.unused = nn.ReLU(), nn.Identity()
            self.pool, self.head = nn.AdaptiveAvgPool2d(1), nn.Linear(2, 3)

        def forward(self, x):
            x = self.activation(self.second(self.activation(self.first(x))))
            return self.head(self.pool(x).flatten(1))

    net, x = Net().double(), images(4)
    found = layer_scores(net, x, TURNS)
    assert list(found.scores) == ["first", "activation", "second", "activation#2"]
    assert found.skipped == {
        "unused": "is not called",
        "pool": "fewer than 2x2 pixels stay in view",
        "head": "returns no feature maps (B, C, H, W)",
    }
    assert list(layer_scores(net, x, TURNS, layers=["second"]).scores) == ["second"]


def test_correlation():
    a = torch.randn(5, 3, 4, 4, dtype=torch.float64)
    torch.testing.assert_close(correlation(a, 3 * a + 7), torch.ones(5, dtype=torch.float64))
    torch.testing.assert_close(correlation(a, -a), -torch.ones(5, dtype=torch.float64))
    b = torch.randn_like(a)
    expected = torch.corrcoef(torch.stack([a[0].flatten(), b[0].flatten()]))[0, 1]
    torch.testing.assert_close(correlation(a, b)[0], expected)
    assert correlation(a, torch.full_like(a, 0.1)).tolist() == [0.0] * 5


def test_bad_input():
    net, x = nn.Sequential(nn.Conv2d(1, 2, 3)).double(), images(3)
    with pytest.raises(ValueError, match="model: got a function, which has no layers"):
        chosen_layers(lambda x: x, None)
    with pytest.raises(ValueError, match="layers: got 'conv', must be among 0"):
        layer_scores(net, x, TURNS, layers=["conv"])
    with pytest.raises(ValueError, match="pass some, such as pixel_shifts"):
        layer_scores(net, x, SHIFTS)
    with pytest.raises(ValueError, match="must be elements of C_4"):
        layer_scores(net, x, TURNS, groups.Cyclic(8).elements())
    with pytest.raises(ValueError, match="margin: got -1"):
        layer_scores(net, x, TURNS, margin=-1)
    with pytest.raises(ValueError, match="strides: got 2 for 'conv'"):
        layer_scores(net, x, TURNS, strides={"conv": 2})
    with pytest.raises(ValueError, match="layer '0' are not finite for example 0"):
        layer_scores(nn.Sequential(Root()), x - 0.5, TURNS)
    with pytest.raises(ValueError, match="must move as Image"):
        layer_scores(net, x, Symmetry(groups.SO2(), actions.PointCloud(dim=2)))
