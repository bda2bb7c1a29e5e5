"""Laws of spanned networks: values in their spaces, twins that compute what they say, state, and bad input."""

import copy
import pickle

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.groups import Cyclic
from learnsym.objectives import Regularised, Supervised, mse
from learnsym.objectives.terms import ProjectionPenalty
from learnsym.relax import AdmissibleSpace, FlatPixels, KernelPixels, Spanned

C4 = Cyclic(4)
CROSS = torch.tensor([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
SKEW = torch.tensor([[1, 1, 0], [1, 0, 1], [0, 1, 0]])


def network(support=CROSS):
    torch.manual_seed(0)
    layers = nn.Conv2d(1, 3, 3, padding=1), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(27, 2)
    spaces = {
        "0.weight": AdmissibleSpace.supported(KernelPixels(3), C4, support),
        "4.weight": AdmissibleSpace(FlatPixels(3), C4),
    }
    return Spanned(nn.Sequential(*layers), spaces).double()


IMAGES = torch.randn(4, 1, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def test_values_are_admissible_and_it_starts_nearest_to_the_source():
    source = nn.Sequential(nn.Conv2d(1, 3, 3)).double()
    space = AdmissibleSpace.supported(KernelPixels(3), C4, SKEW)
    weight = Spanned(source, {"0.weight": space}).weights()["0.weight"]
    torch.testing.assert_close(weight, source[0].weight * SKEW)


@pytest.mark.parametrize("support", [CROSS, SKEW], ids=["cross", "skew"])
def test_the_exact_twin_is_invariant_and_stays_so(support):
    exact = network(support).exact()
    objective = Supervised(mse)
    optimiser = ls.training.OptimiserConfig(name="sgd", lr=0.1)
    ls.training.fit(exact, objective, [(IMAGES, torch.ones(4, 2).double())], steps=5, optimiser=optimiser)
    torch.testing.assert_close(exact(IMAGES.rot90(1, (2, 3))), exact(IMAGES))
    assert ls.measure.distance_to_equivariance(exact).relative < 1e-14


def test_twins_are_nearest():
    net = network(SKEW)
    for name, departure in net.departures().items():
        torch.testing.assert_close(net.exact().weights()[name], net.weights()[name] - departure)


def test_the_plain_twin_is_the_same_function_with_the_same_keys():
    net = network()
    torch.testing.assert_close(net.plain()(IMAGES), net(IMAGES))
    assert [name for name, _ in net.plain().named_parameters()] == ["0.bias", "0.weight", "4.bias", "4.weight"]
    torch.testing.assert_close(ls.relax.plain_twin(nn.Sequential(net))(IMAGES), net(IMAGES))


def test_copies_pickles_and_states_are_the_same_network():
    net, other = network(), network(SKEW)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert torch.equal(twin(IMAGES), net(IMAGES))
    marks = {"bases.0._extra_state", "bases.1._extra_state"}
    assert set(net.state_dict()) == {"coordinates.0", "coordinates.1", "net.0.bias", "net.4.bias"} | marks
    again = network()
    with torch.no_grad():
        for parameter in again.parameters():
            parameter.zero_()
    again.load_state_dict(net.state_dict())
    assert torch.equal(again(IMAGES), net(IMAGES)) and not torch.equal(other(IMAGES), net(IMAGES))


def test_it_follows_devices_and_single_precision():
    net = network().float()
    assert net(IMAGES.float()).dtype == torch.float32 and net.to("meta").coordinates[0].is_meta


def test_members_are_stacked():
    members = [network() for _ in range(3)]
    data = ls.data.Dataset(IMAGES, torch.tensor([0, 1, 0, 1]), classes=2)
    history = ls.training.fit_ensemble(
        members, nn.functional.cross_entropy, ls.data.Batches(data, 2), steps=2, seeds=[0, 1, 2]
    )
    assert history.losses.isfinite().all() and not torch.equal(members[0](IMAGES), members[1](IMAGES))


def test_the_projection_penalty_pulls_it_to_the_equivariant_values():
    net, x = network(SKEW), IMAGES
    loss = ProjectionPenalty(0.5)(net, x)
    expected = sum(departure.square().sum() for departure in net.departures().values())
    torch.testing.assert_close(loss.total, 0.5 * expected)
    gradient = torch.autograd.grad(loss.total, list(net.coordinates))
    for space, coordinates, found in zip(net.spaces.values(), net.coordinates, gradient, strict=True):
        expected = coordinates @ space.across @ space.across.mT  # orthonormal: |Q B c|² = |c across|²
        torch.testing.assert_close(found, expected.detach())


def test_the_projection_penalty_takes_parameters_of_any_network():
    net = network().plain()
    spaces = {"0.weight": AdmissibleSpace(KernelPixels(3), C4)}
    objective = Regularised(Supervised(mse), [ProjectionPenalty(1.0, spaces=spaces)])
    departure = net[0].weight - spaces["0.weight"].projection(net[0].weight)
    part = objective(net, (IMAGES, torch.zeros(4, 2).double())).parts["departure"]
    torch.testing.assert_close(part, departure.square().sum().detach())
    with pytest.raises(ValueError, match="spaces: got 'nothing', must be parameters of the model"):
        ProjectionPenalty(1.0, spaces={"nothing": spaces["0.weight"]})(net, IMAGES)


@pytest.mark.parametrize(
    ("name", "size", "words"),
    [("1.weight", 3, "spaces: got '1.weight', must be parameters"), ("0.weight", 5, "which has not such entries")],
)
def test_parameters_that_do_not_fit_are_refused(name, size, words):
    with pytest.raises(ValueError) as error:
        Spanned(nn.Sequential(nn.Conv2d(1, 2, 3)), {name: AdmissibleSpace(KernelPixels(size), C4)})
    assert words in str(error.value)
