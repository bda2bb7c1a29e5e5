"""Laws of distributions that depend on the input, and of the entropy band."""

import copy
import math
import pickle

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.augment import Augmented, InstanceBox, InstanceCategorical
from learnsym.groups import SO2, Cyclic, Permutation, Similarity2
from learnsym.objectives.terms import EntropyBand


def box(group=None):
    group = SO2() if group is None else group
    return InstanceBox(group, nn.Sequential(nn.Flatten(), nn.Linear(144, group.dim))).double()


def categorical():
    return InstanceCategorical(Cyclic(4), nn.Sequential(nn.Flatten(), nn.Linear(144, 4))).double()


def images(count=6):
    return torch.rand(count, 1, 12, 12, dtype=torch.float64)


def model(law, symmetry):
    return Augmented(
        ls.nets.CNN(1, 3, width=4, size=12, depth=2).double(), ls.symmetry_by_name(symmetry), law, copies=2
    )


MODELS = {
    "box": lambda: model(box(), "rotation2d"),
    "categorical": lambda: model(categorical(), "quarter_turns2d"),
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_every_example_has_its_own_distribution(make):
    net, x = make(), images()
    law = net.distribution(x)
    assert law.batch_shape == (6,)
    entropy = law.entropy()
    assert bool((entropy[1:] != entropy[:-1]).any())
    torch.testing.assert_close(net.distribution(x[2:4]).entropy(), entropy[2:4])
    net.eval()
    torch.testing.assert_close(net(x)[2:4], net(x[2:4]))
    assert net.distribution.deficit(x).shape == (6,)
    assert bool((net.distribution.deficit(x) >= 0).all())


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_gradient_reaches_the_network_of_the_distribution(make):
    net, x = make(), images()
    objective = ls.objectives.Augerino(nn.functional.cross_entropy, ls.objectives.regularisers["entropy"], weight=0.0)
    objective(net, (x, torch.arange(6) % 3)).total.backward()
    for weight in net.distribution.parameters():
        assert weight.grad is not None
        assert weight.grad.abs().max() > 0


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_copies_pickles_and_functional(make):
    net, x = make().eval(), images()
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        torch.testing.assert_close(other(x), net(x))
    torch.testing.assert_close(torch.func.functional_call(net, dict(net.named_parameters()), (x,)), net(x))
    assert net.train().state_dict().keys() == net.eval().state_dict().keys()
    assert len(ls.degrees(net)) >= 1


def test_degrees_are_means_over_a_batch():
    law, x = box(), images()
    expected = float(law.half_width(x).mean()) * 180 / math.pi
    assert law.degrees("input", x)[0].estimate == pytest.approx(expected)
    assert law.degrees("input")[0].estimate == pytest.approx(90.0)
    for _ in range(1000):
        law(x)
    assert law.degrees("input")[0].estimate == pytest.approx(expected, rel=1e-3)
    law.eval()(images())
    assert law.degrees("input")[0].estimate == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("start", [0.02, 0.9])
def test_band_moves_entropy_inside_and_then_leaves_it(start):
    low, high = math.log(2 * 1.0), math.log(2 * 1.5)
    law = ls.distributions.LearnableBox(SO2(), init=start)
    band = EntropyBand(low, high)
    optimiser = torch.optim.Adam([*law.parameters(), *band.parameters()], lr=0.05)
    for _ in range(600):
        optimiser.zero_grad()
        band.penalty(law()).backward()
        optimiser.step()
    assert low - 0.05 <= float(law().entropy()) <= high + 0.05


def test_multipliers_grow_while_their_bound_is_violated():
    band = EntropyBand(0.0, 1.0)
    band.penalty(ls.distributions.LieBox(SO2(), torch.full((3, 1), 0.1))).backward()
    assert band.raw.grad is not None
    assert band.raw.grad[0] < 0 < band.raw.grad[1]


def test_bad_input():
    with pytest.raises(ValueError, match="InstanceCategorical"):
        InstanceBox(Permutation(3), nn.Identity())
    with pytest.raises(ValueError, match="InstanceBox"):
        InstanceCategorical(SO2(), nn.Identity())
    with pytest.raises(ValueError, match="last layer"):
        InstanceBox(Similarity2(), nn.Flatten())(images())
    with pytest.raises(ValueError, match="low"):
        EntropyBand(1.0, 0.0)
