"""Weights converge to what their rule says, and nothing of the rule leaks into the network's gradients."""

import copy

import pytest
import torch
from torch import nn

from learnsym.objectives import ConstantWeights, DualAscent, GradNorm, ValidationWeights


def losses(theta):
    """A task and two penalties with gradients of other size, at 0.5 all else being equal."""
    return (theta - 1).square().sum(), {"a": 5 * theta.square().sum(), "b": 0.2 * theta.square().sum()}


def test_constant_weights_stay():
    weighting = ConstantWeights(["a", "b"], 3.0)
    theta = torch.ones(2)
    task, penalties = losses(theta)
    assert torch.isclose(weighting(task, penalties), task + 3 * (penalties["a"] + penalties["b"]))
    assert weighting.estimates() == []


@pytest.mark.slow
def test_gradnorm_brings_gradients_to_like_size():
    theta = nn.Parameter(torch.full((3,), 0.5))
    weighting = GradNorm(["a", "b"], [theta], rate=1e-3)
    for _ in range(3000):
        weighting(*losses(theta))
    # of loss k: weight times |∇L_k|, with |∇| = 1 : 5 : 0.2
    assert weighting.weights.tolist() == pytest.approx([0.2, 5.0], rel=0.1)


def test_gradnorm_leaves_the_gradients_of_the_weighted_sum():
    theta = nn.Parameter(torch.full((3,), 0.5))
    weighting = GradNorm(["a", "b"], [theta])
    weighting(*losses(theta)).backward()
    found, theta.grad = theta.grad, None
    task, penalties = losses(theta)
    (task + weighting.weights[0] * penalties["a"] + weighting.weights[1] * penalties["b"]).backward()
    assert torch.allclose(found, theta.grad)


def test_gradnorm_looks_at_rates_of_learning():
    theta, slow = nn.Parameter(torch.full((3,), 0.5)), torch.ones(())
    weighting = GradNorm(["a"], [theta], restoring=2.0)
    for step in range(200):
        task = theta.square().sum() * 0.99**step
        weighting(task, {"a": theta.square().sum() * slow})
    assert weighting.weights[0] > 1.5  # the task has been learned, the penalty has not


def test_dual_ascent_finds_the_constrained_minimum():
    theta = nn.Parameter(torch.tensor([1.0]))
    weighting = DualAscent(["a"], tolerance=0.04, rate=0.5, start=0.0)
    for _ in range(2000):
        theta.grad = None
        weighting((theta - 1).square().sum(), {"a": theta.square().sum()}).backward()
        with torch.no_grad():
            theta -= 0.02 * theta.grad
    assert theta.item() == pytest.approx(0.2, abs=0.01)
    # stationary: 2 (θ - 1) + 2 w θ = 0
    assert weighting.weights.item() == pytest.approx(4.0, rel=0.05)


def test_dual_ascent_may_wait_for_the_network():
    weighting = DualAscent(["a"], tolerance=0.0, rate=1.0, start=0.5, warmup=2)
    found = []
    for _ in range(4):
        weighting(torch.tensor(1.0), {"a": torch.tensor(2.0)})
        found.append(weighting.weights.item())
    assert found == [0.5, 0.5, 2.5, 4.5]


def test_dual_ascent_lets_go_of_a_constraint_that_holds():
    weighting = DualAscent(["a"], tolerance=1.0, rate=0.5)
    for _ in range(20):
        weighting(torch.tensor(1.0), {"a": torch.tensor(0.1)})
    assert weighting.weights.item() == 0


def test_validation_weights_follow_the_sign_of_the_hypergradient():
    theta = nn.Parameter(torch.tensor([1.0, 1.0]))
    weighting = ValidationWeights(["helps", "hurts", "neither"], [theta])
    for _ in range(300):
        penalties = {"helps": theta.square().sum(), "hurts": -theta.sum(), "neither": 5 * theta[0] - 5 * theta[1]}
        weighting((theta + 1).square().sum(), penalties)
    assert weighting.estimates()[:2] == pytest.approx([1.0, 0.0], abs=1e-5)
    assert weighting.weights[2] == pytest.approx(0.1)


@pytest.mark.parametrize(
    "make",
    [
        lambda theta: GradNorm(["a", "b"], [theta]),
        lambda theta: DualAscent(["a", "b"], tolerance=0.1),
        lambda theta: ValidationWeights(["a", "b"], [theta]),
    ],
)
def test_what_was_learned_is_kept_and_does_not_change_in_evaluation(make):
    theta = nn.Parameter(torch.full((3,), 0.5))
    weighting, other = make(theta), make(theta)
    for _ in range(5):
        weighting(*losses(theta))
    other.load_state_dict(copy.deepcopy(weighting.state_dict()))
    assert torch.equal(other.weights, weighting.weights) and not torch.equal(other.weights, make(theta).weights)
    before = other.weights.clone()
    other.eval()(*losses(theta))
    assert torch.equal(other.weights, before)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ConstantWeights([]), "names: got"),
        (lambda: ConstantWeights(["a", "a"]), "names: got"),
        (lambda: ConstantWeights(["a"], -1.0), "start: got -1.0"),
        (lambda: GradNorm(["a"], []), "shared: got no parameter"),
        (lambda: DualAscent(["a"], tolerance=-1.0), "tolerance, rate, warmup"),
        (lambda: ValidationWeights(["a"], []), "shared: got no parameter"),
        (lambda: ValidationWeights(["a"], [nn.Parameter(torch.ones(1))], start=2.0), "floor <= start <= ceiling"),
    ],
)
def test_bad_settings_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
