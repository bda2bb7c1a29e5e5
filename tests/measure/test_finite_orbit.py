"""Predictions, G-EED and REMUL's errors: closed forms, slow twins, and laws that all finite measures share."""

import math

import pytest
import torch
from torch import nn

from learnsym import actions, distributions, groups, symmetry
from learnsym.measure.finite.effective_invariance import consistency, effective_invariance
from learnsym.measure.finite.error_curve import error_curve
from learnsym.measure.finite.g_eed import g_eed
from learnsym.measure.finite.layer_scores import layer_scores
from learnsym.measure.finite.remul_errors import remul_errors
from learnsym.symmetry import Symmetry

TURNS, FLIP = symmetry.quarter_turns2d(), symmetry.flip2d()
MEASURES = [error_curve, effective_invariance, consistency, g_eed, remul_errors]


def images(count=9, channels=1):
    return torch.rand(count, channels, 8, 8, dtype=torch.float64)


def convolutional():
    net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Dropout(), nn.Linear(256, 3))
    return net.double()


def tensors(found):
    """All estimates in a result, example by example."""
    if hasattr(found, "per_sample"):
        return [found.per_sample]
    values = found.values() if isinstance(found, dict) else found if isinstance(found, tuple) else vars(found).values()
    return [tensor for value in values if not isinstance(value, str | torch.Tensor) for tensor in tensors(value)]


def left_minus_right(x):
    """A logit that a left-right flip negates."""
    return (x[..., :4] - x[..., 4:]).mean((1, 2, 3))


def test_effective_invariance_of_one_prediction_is_its_confidence():
    def model(x):
        return torch.stack([x.mean((1, 2, 3)), x.new_zeros(len(x)), -x.mean((1, 2, 3))], 1)

    x = images()
    found = effective_invariance(model, x, TURNS)
    torch.testing.assert_close(found.effective_invariance.per_sample, model(x).softmax(1).amax(1))
    assert found.agreement.mean == 1.0 and found.divergence.mean < 1e-12


@pytest.mark.parametrize("gain", [1.0, 1000.0])
def test_predictions_that_a_flip_swaps(gain):
    x = images()
    a = gain * left_minus_right(x)
    found = effective_invariance(
        lambda x: torch.stack([gain * left_minus_right(x), -gain * left_minus_right(x)], 1), x, FLIP
    )
    assert found.effective_invariance.mean == found.agreement.mean == 0.0
    p = (2 * a).sigmoid()
    entropy = (torch.special.entr(p) + torch.special.entr(1 - p)) / math.log(2)
    torch.testing.assert_close(found.divergence.per_sample, 1 - entropy)
    assert found.divergence.per_sample.max() <= 1.0


def test_effective_invariance_over_the_three_turns():
    torch.manual_seed(0)
    model, x = convolutional().eval(), images(40)
    with torch.no_grad():
        p = model(x).softmax(1)
        q = torch.stack([model(x.rot90(k, (2, 3))).softmax(1) for k in (1, 2, 3)])
    same = (q.argmax(2) == p.argmax(1)).double()
    assert 0 < same.mean() < 1
    found = effective_invariance(model, x, TURNS)
    torch.testing.assert_close(found.effective_invariance.per_sample, (same * (q.amax(2) * p.amax(1)).sqrt()).mean(0))
    assert torch.equal(consistency(model, x, TURNS).per_sample, same.mean(0))


def test_any_transformation_and_maps_of_logits():
    x = images(channels=3)

    def grey(x):
        return x.mean(1, keepdim=True).expand_as(x)

    def model(x):
        return torch.stack([x[:, 0].mean((1, 2)), x[:, 1].mean((1, 2))], 1)

    assert effective_invariance(lambda x: model(grey(x)), x, grey).divergence.mean < 1e-12
    assert effective_invariance(model, x, grey).divergence.mean > 1e-6

    def painter(x):
        return torch.cat([x, x.square(), 1 - x], 1)

    moving = symmetry.quarter_turns2d(on_output=actions.Image())
    assert consistency(painter, images(), moving).mean == 1.0
    assert consistency(painter, images(), TURNS).mean < 0.9


def test_draws_from_a_distribution():
    x = images().float()
    narrow, wide = (distributions.LieBox(groups.SO2(), torch.tensor([width])) for width in (0.1, 3.0))
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 5))
    spread = [effective_invariance(model, x, symmetry.rotation2d(), 16, law).divergence.mean for law in (narrow, wide)]
    assert 0 < spread[0] < spread[1] / 2


def test_deviation_of_an_output_that_flips_sign():
    x = images()
    found = g_eed(lambda x: left_minus_right(x)[:, None], x, FLIP)
    torch.testing.assert_close(found.euclidean.per_sample, left_minus_right(x).abs())
    torch.testing.assert_close(found.cosine.per_sample, torch.ones(9, dtype=torch.float64))


def test_deviation_is_that_of_the_whole_orbit():
    torch.manual_seed(0)
    model, x = convolutional().eval(), images()
    with torch.no_grad():
        orbit = torch.stack([model(x.rot90(k, (2, 3))) for k in range(4)])
    centroid = orbit.mean(0)
    found = g_eed(model, x, TURNS)
    torch.testing.assert_close(found.euclidean.per_sample, (orbit - centroid).norm(dim=2).mean(0))
    cosine = 1 - torch.cosine_similarity(orbit, centroid[None], dim=2)
    torch.testing.assert_close(found.cosine.per_sample, cosine.mean(0))
    assert found.euclidean_chance.mean > found.euclidean.mean


def test_deviation_of_equivariant_and_of_constant_outputs():
    x = torch.randn(6, 4, 3, dtype=torch.float64)
    moving = g_eed(lambda x: x**3 + x, x, symmetry.permutation(4, on_output=actions.Set()), samples=24)
    assert moving.cosine.mean < 1e-12 and moving.euclidean.mean < 1e-12 < moving.cosine_chance.mean
    zero = g_eed(lambda x: x.new_zeros(len(x), 2), x, symmetry.permutation(4))
    assert zero.cosine.mean == zero.euclidean.mean == zero.cosine_chance.mean == 0.0


def test_the_remul_error_of_means_is_blind_where_means_vanish():
    quarter_turns = Symmetry(groups.Cyclic(4), actions.PointCloud(dim=2), actions.PointCloud(dim=2))
    found = remul_errors(lambda x: x * torch.tensor([1.0, 3.0]), torch.randn(7, 1, 2), quarter_turns)
    assert found.of_means.mean < 1e-6 < 0.3 < found.relative.mean


def test_remul_errors_of_a_coordinate_under_half_turns():
    half_turns = Symmetry(groups.Cyclic(2), actions.PointCloud(dim=2))
    x = torch.randn(7, 1, 2, dtype=torch.float64)
    found = remul_errors(lambda x: x[:, 0, :1], x, half_turns)
    # f(gx) is x and -x, which cancel; f(x) stays x: errors 0 and 2|x|, outputs of size |x|
    torch.testing.assert_close(found.of_means.per_sample, x[:, 0, 0].abs())
    torch.testing.assert_close(found.deviation.per_sample, x[:, 0, 0].abs())
    torch.testing.assert_close(found.relative.per_sample, torch.ones(7, dtype=torch.float64))
    rotations = Symmetry(groups.SO2(), actions.PointCloud(dim=2))
    exact = remul_errors(lambda x: x.square().sum((1, 2))[:, None], x, rotations)
    # drawn elements are float32
    assert exact.deviation.mean < 1e-6 and exact.relative.mean < 1e-6


@pytest.mark.parametrize("measured", [*MEASURES, layer_scores])
@pytest.mark.parametrize("made", [TURNS, symmetry.rotation2d()], ids=["finite", "drawn"])
def test_batch_size_does_not_change_the_result(measured, made):
    torch.manual_seed(0)
    model, x = convolutional(), images()
    options = {"elements": made.group.haar(2, dtype=torch.float64)} if measured is layer_scores else {}
    whole, *others = (tensors(measured(model, x, made, batch_size=size, **options)) for size in (64, 1, 7))
    assert whole and any(float(tensor.abs().sum()) > 0 for tensor in whole)
    for parts in others:
        for part, tensor in zip(parts, whole, strict=True):
            torch.testing.assert_close(part, tensor, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("measured", [*MEASURES, layer_scores])
def test_the_model_is_left_as_it_was(measured):
    model, x = convolutional().train(), images()
    model[3].eval()
    measured(model, x, TURNS)
    with pytest.raises(RuntimeError):
        measured(model, x.float(), TURNS)
    assert [module.training for module in model] == [True, True, True, False, True]
    assert not any(module._forward_hooks for module in model.modules())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize("measured", MEASURES)
def test_output_is_chosen_and_refusals_are_clear(measured):
    torch.manual_seed(0)
    model, x = convolutional().eval(), images()

    def wrapped(x):
        return {"logits": model(x)}

    first, second = (
        measured(f, x, TURNS, output=chosen) for f, chosen in ((model, None), (wrapped, lambda out: out["logits"]))
    )
    assert all(torch.equal(a, b) for a, b in zip(tensors(first), tensors(second), strict=True))
    with pytest.raises(ValueError, match="returns a dict with keys logits"):
        measured(wrapped, x, TURNS)
    with pytest.raises(ValueError, match="is not finite"):
        measured(lambda x: model(x) / 0, x, TURNS)
    with pytest.raises(ValueError, match=r"no examples|holds no data"):
        measured(model, x[:0], TURNS)


def test_bad_input():
    x = images()
    with pytest.raises(ValueError, match="samples: got 0"):
        g_eed(nn.Flatten(), x, TURNS, samples=0)
    with pytest.raises(ValueError, match="not compact"):
        remul_errors(nn.Flatten(), x, symmetry.translation2d())
    with pytest.raises(ValueError, match=r"must be logits .B, K. of K >= 2 classes"):
        effective_invariance(lambda x: x.mean((2, 3)), x, TURNS)
    with pytest.raises(ValueError, match="one row per example"):
        effective_invariance(nn.Flatten(), x, lambda x: x[:1])
