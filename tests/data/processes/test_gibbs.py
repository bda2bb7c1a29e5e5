"""The Gibbs task: its kernel, its exact likelihood, and its shifted copy."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import MultivariateNormal

import learnsym as ls
from learnsym.data.processes import GibbsProcess
from learnsym.data.processes.gibbs import NOISE, gibbs_kernel, kernels
from learnsym.data.processes.sources import SHIFT
from learnsym.tasks import Tasks


def _small(count: int = 6, **sizes: int) -> tuple[GibbsProcess, dict[str, torch.Tensor], torch.Tensor]:
    process = GibbsProcess(**{"context": 5, "targets": 3, **sizes})
    data = process.dataset(count, seed=3)
    return process, data.inputs, data.y


def test_kernels_are_positive_definite_with_unit_variance_and_stationary_on_each_side():
    changes, sides = kernels()
    assert len(set(zip(changes.tolist(), sides.tolist(), strict=True))) == 6
    x = torch.linspace(-4, 4, 60, dtype=torch.float64)[None, :, None]
    K = gibbs_kernel(x, x, changes, sides)
    assert float(torch.linalg.eigvalsh(K).min()) > -1e-9
    torch.testing.assert_close(K.diagonal(dim1=1, dim2=2), torch.ones_like(K[..., 0]))
    beyond = torch.tensor([[[1.5], [2.1]], [[2.5], [3.1]], [[-2.1], [-1.5]]], dtype=torch.float64)
    right, moved, left = (gibbs_kernel(part[None], part[None], changes, sides)[:, 0, 1] for part in beyond)
    torch.testing.assert_close(right, moved)
    scales = torch.where(sides > 0, 4.0, 0.1).double()
    torch.testing.assert_close(right, (-(0.6**2) / (2 * scales.square())).exp())
    torch.testing.assert_close(left, right[torch.tensor([1, 0, 3, 2, 5, 4])])


def test_the_likelihood_is_that_of_the_mixture_by_bayes_rule():
    process, x, y = _small()
    found = process.log_likelihood(x, y)
    tasks, (changes, sides) = Tasks.of(x), kernels()
    for b in range(len(found)):
        own = tasks.mask[b].bool()
        known, value = tasks.context_x[b, own].double(), tasks.context_y[b, own, 0].double()
        each = []
        for t in range(3):
            target, answer = tasks.target_x[b, t : t + 1].double(), y[b, t, :1].double()
            points, values = torch.cat([known, target]), torch.cat([value, answer])
            joint, alone = [], []
            for j in range(6):
                K = gibbs_kernel(points[None], points[None], changes[j : j + 1], sides[j : j + 1])[0]
                K = K + NOISE**2 * torch.eye(len(points), dtype=torch.float64)
                joint.append(MultivariateNormal(torch.zeros(len(points)).double(), K).log_prob(values))
                alone.append(MultivariateNormal(torch.zeros(len(known)).double(), K[:-1, :-1]).log_prob(value))
            # p(y_t | D) = Σ_j p(y_t, D | j) / Σ_j p(D | j)
            each.append(torch.stack(joint).logsumexp(0) - torch.stack(alone).logsumexp(0))
        assert float(found[b]) == pytest.approx(float(torch.stack(each).mean()), abs=1e-5)


def test_without_context_the_likelihood_is_that_of_a_unit_normal_with_noise():
    process, x, y = _small()
    none = {**x, "mask": torch.zeros_like(x["mask"])}
    variance = 1 + NOISE**2
    expected = -0.5 * (math.log(2 * math.pi * variance) + y[..., 0].square() / variance).mean(1)
    torch.testing.assert_close(process.log_likelihood(none, y), expected)


def test_no_other_prediction_of_targets_has_a_higher_likelihood():
    process, x, y = _small(400, context=20, targets=8)
    best = process.log_likelihood(x, y).mean()
    assert float(best) > float(-ls.objectives.GaussianLikelihood()(torch.zeros(*y.shape), y)) + 0.05


def test_draws_are_in_their_ranges_and_repeat_by_seed():
    process = GibbsProcess(context=30, targets=20)
    data = process.dataset(200, seed=1)
    tasks = Tasks.of(data.inputs)
    assert float(tasks.context_x.abs().max()) <= 2 and 3.9 < float(tasks.target_x.abs().max()) <= 4
    sizes = tasks.mask.sum(1)
    assert sizes.min() >= 1 and sizes.max() == 30 and len(sizes.unique()) > 20
    assert not tasks.context_y[tasks.mask == 0].any()
    assert abs(float(data.y[..., 0].square().mean()) - 1.01) < 0.15
    assert torch.equal(process.dataset(200, seed=1).y, data.y)
    assert not torch.equal(process.dataset(200, seed=2).y, data.y)


def test_the_shifted_copy_is_the_same_task_elsewhere():
    process, x, y = _small()
    far = GibbsProcess(context=5, targets=3, shift=SHIFT)
    data = far.dataset(6, seed=3)
    assert torch.equal(data.y, y)
    torch.testing.assert_close(data.inputs["locations"][:, 5:], x["locations"][:, 5:] + SHIFT)
    torch.testing.assert_close(far.log_likelihood(data.inputs, y), process.log_likelihood(x, y), atol=1e-3, rtol=1e-3)


def test_data_sets_by_name():
    config = ls.data.DataConfig(name="gibbs-shifted", train=6, val=4, test=5)
    splits = ls.data.load_splits(config)
    assert float(splits.test.inputs["locations"].max()) > 8 > float(splits.train.inputs["locations"].max())
    assert splits.train.signature.symmetry("translation1d").on_input.part.key == "locations"
    with pytest.raises(ValueError, match=r"data\.size: got 8"):
        ls.data.load_splits(ls.data.DataConfig(name="gibbs", size=8, train=6, val=4, test=5))
    with pytest.raises(ValueError, match="clouds of points of dimension 1, must be one of translation1d"):
        splits.train.signature.symmetry("so3")


def test_what_is_refused():
    with pytest.raises(ValueError, match="context, targets: got 0, 128"):
        GibbsProcess(context=0)
    _, x, y = _small()
    with pytest.raises(ValueError, match=r"targets: got shape \(6, 3, 1\), must be \(6, 3, 2\)"):
        ls.data.processes.task_dataset(Tasks.of(x), y[..., :1])
