"""Clouds of different sizes in objectives and choosers: padding changes neither a loss, nor a penalty, nor a degree."""

import pytest
import torch

import learnsym as ls
from learnsym.actions import PointCloud, PointVectors, Set
from learnsym.data import Ragged
from learnsym.objectives import Bilevel, Candidate, Regularised, Remul, SuccessiveHalving, Supervised, mse
from learnsym.objectives.terms import Prior

SIZES = (3, 1, 5, 4)
CLOUD, FORCES = PointCloud(scalars=1), PointVectors()
TURNS = ls.Symmetry(ls.groups.SO3(), CLOUD, FORCES).at(input="x")


def _molecules(seed=0, sizes=SIZES):
    generator = torch.Generator().manual_seed(seed)
    x = Ragged.of([torch.randn(size, 4, generator=generator, dtype=torch.float64) for size in sizes])
    return x, x.carrying(torch.randn(*x.x.shape[:2], 3, generator=generator, dtype=torch.float64))


def _padded(clouds, more=4):
    """The same clouds with more padding, in which anything may stand."""
    noise = torch.randn(len(clouds), more, clouds.x.shape[2], dtype=clouds.x.dtype)
    return Ragged(torch.cat([clouds.x, noise], 1), torch.cat([clouds.mask, torch.zeros(len(clouds), more).bool()], 1))


def _plain():
    torch.manual_seed(0)
    return ls.nets.points.GNN(CLOUD, FORCES, hidden=8, layers=1).double()


class _Slots(torch.nn.Module):
    """A network in which each place of a cloud has a weight of its own."""

    def forward(self, clouds):
        return clouds.present[..., :3] * (1 + torch.arange(clouds.x.shape[1]))[:, None] * clouds.mask.unsqueeze(-1)


def _penalty(candidate, net, g, x, y):
    moved = candidate.moved(g, x)
    return candidate.penalty(mse, g, net(moved), net(x), y, x.mask, moved.mask)


@pytest.mark.parametrize("mode", ["anchored", "functional", "twirl"])
def test_penalties_are_over_the_points_that_there_are(mode):
    net, (x, y) = _plain(), _molecules()
    candidate = Candidate(symmetry=TURNS, mode=mode, samples=2)
    g = candidate.elements(x)
    found = _penalty(candidate, net, g, x, y)
    torch.testing.assert_close(found, _penalty(candidate, net, g, _padded(x), _padded(y)), rtol=1e-12, atol=0)
    alone = [
        size * _penalty(candidate, net, g[:, k : k + 1], Ragged.of([a]), Ragged.of([b]))
        for k, (size, a, b) in enumerate(zip(SIZES, x.clouds(), y.clouds(), strict=True))
    ]
    torch.testing.assert_close(found, torch.stack(alone).sum() / sum(SIZES), rtol=1e-12, atol=0)


@pytest.mark.parametrize("mode", ["anchored", "functional", "twirl"])
def test_where_points_change_places_the_mask_does(mode):
    """The network keeps the order of some places, so that the penalty of their exchange alone is 0."""
    x, _ = _molecules()
    y = x.carrying(_Slots()(x))
    found = {}
    for name, classes in {"some": [], "all": [range(5)]}.items():
        symmetry = ls.Symmetry(ls.groups.YoungSubgroup(5, classes), ls.actions.Nodes(), Set())
        candidate = Candidate(symmetry=symmetry, mode=mode, samples=2)
        found[name] = float(_penalty(candidate, _Slots(), candidate.elements(x), x, y).detach())
    assert found["some"] == 0 and found["all"] > 0.1
    equal = ls.nets.points.EGNN(CLOUD, FORCES, hidden=8, layers=1).double()
    assert float(_penalty(candidate, equal, candidate.elements(x), x, x.carrying(equal(x))).detach()) < 1e-20


def test_penalties_of_whole_clouds_count_each_once():
    net, (x, _) = ls.nets.points.Energy(ls.nets.points.GNN(CLOUD, PointVectors(0, 1), 8, 1)).double(), _molecules()
    candidate = Candidate(symmetry=ls.Symmetry(ls.groups.SO3(), CLOUD).at(input="x"))
    g = candidate.elements(x)
    expected = (net(candidate.moved(g, x)) - net(x)).square().mean()
    torch.testing.assert_close(_penalty(candidate, net, g, x, None), expected)


def _with_relaxed_inputs():
    torch.manual_seed(0)
    make = lambda types: ls.nets.points.EGNN(types, FORCES, hidden=8, layers=1)  # noqa: E731
    return ls.relax.points.AbsoluteCoordinates(make, CLOUD, start=0.3).double()


def _trained(model, objective, pad, steps=3):
    """Trained on molecules, with the same random numbers each time."""
    torch.manual_seed(1)
    ls.training.fit(model, objective, [tuple(pad(part) for part in _molecules())], steps=steps)
    return model


def _held_out(pad, sizes=SIZES):
    x, y = _molecules(1, sizes)
    return pad(x), pad(y)


def _same(clouds):
    return clouds


WEIGHTINGS = {
    "constant": lambda net: None,
    "dual": lambda net: ls.objectives.DualAscent(["SO(3)"], 0.1),
    "gradnorm": lambda net: ls.objectives.GradNorm(["SO(3)"], [*net.parameters()][-1:]),
    "validation": lambda net: ls.objectives.ValidationWeights(["SO(3)"], [*net.parameters()][-1:]),
}


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_weights_in_the_loss_do_not_see_padding(name):
    def weights(pad):
        net = _plain()
        weighting, held_out = WEIGHTINGS[name](net), {"held_out": _held_out(pad)} if name == "validation" else {}
        return _trained(net, Remul(mse, Candidate(symmetry=TURNS), weighting, **held_out), pad).parameters()

    for a, b in zip(weights(_same), weights(_padded), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-10)


def test_held_out_losses_choose_degrees_that_do_not_see_padding():
    def degree(pad):
        objective = Bilevel(Regularised(Supervised(mse), [Prior(10)]), _held_out(pad), batch_size=4)
        model = _trained(_with_relaxed_inputs(), objective, pad)
        assert float(model.gain().detach()) != pytest.approx(0.3, abs=1e-6)
        return ls.degrees(model)[0].estimate

    assert degree(_same) == pytest.approx(degree(_padded), rel=1e-9)


def test_selection_among_hypotheses_does_not_see_padding():
    def found(pad):
        laws = [ls.distributions.learnable(ls.groups.SO3())]
        model = ls.augment.Hypotheses(_plain(), TURNS, laws, test_copies=2).double()
        objective = SuccessiveHalving(Supervised(mse), _held_out(pad, SIZES * 3), steps=12, copies=2)
        _trained(model, objective, pad, steps=12)
        assert sum(model.posterior().values()) == pytest.approx(1)
        return [*model.posterior().values(), float(objective.guess), *objective.losses.nanmean(2).flatten().tolist()]

    assert found(_same) == pytest.approx(found(_padded), rel=1e-6, nan_ok=True)


def test_unlabelled_clouds_are_padded_like_the_batch():
    batch, (pool, _) = _molecules(), _molecules(2, (7, 2))
    remul = Remul(mse, Candidate(symmetry=TURNS), unlabelled=pool)
    with pytest.raises(ValueError, match="unlabelled: its clouds are padded to 7 points, those of the batch to 5"):
        remul(_plain(), batch)
    both = Ragged.of([*batch[0].clouds(), *pool.clouds()])
    x, pool = (ls.parts.chosen(both, part) for part in (slice(0, 4), slice(4, 6)))
    y = _padded(batch[1], 2)
    loss = Remul(mse, Candidate(symmetry=TURNS), unlabelled=pool)(_plain(), (x, y))
    assert float(loss.parts["penalty/SO(3)"]) > 1e-3


def test_posteriors_refuse_targets_of_points():
    model = ls.augment.Augmented(_plain(), TURNS)
    with pytest.raises(ValueError, match="data: has Ragged targets, of which no likelihood is known here"):
        ls.posterior.degree_posterior(model, _molecules(0, SIZES * 6))
