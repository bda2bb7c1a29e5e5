"""Remul: what goes through the network, who is moved, what is learned, and that runs resume."""

import copy

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.objectives import Candidate, ConstantWeights, GradNorm, Remul, ValidationWeights, bank, mse

POINTS = ls.actions.PointCloud()
SO3 = ls.Symmetry(ls.groups.SO3(), POINTS, POINTS)
AXES = {name: ls.Symmetry(ls.groups.AxialSO2(axis), POINTS, POINTS) for axis, name in enumerate("xyz")}


class Recording(nn.Module):
    """A network that remembers what it was asked."""

    def __init__(self):
        super().__init__()
        self.net = nn.Linear(3, 3)
        self.norm = nn.BatchNorm1d(5)
        self.asked = []

    def forward(self, x):
        self.asked.append(x)
        return self.net(self.norm(x))


def validated(net, **options):
    """The axes with weights learned from held-out examples."""
    held_out = options.pop("held_out", (torch.randn(16, 5, 3), torch.randn(16, 5, 3)))
    weighting = ValidationWeights(list(AXES), list(net.parameters())[-2:])
    return Remul(mse, bank(AXES), weighting, held_out=held_out, **options)


def batch(count=8):
    return torch.randn(count, 5, 3), torch.randn(count, 5, 3)


@pytest.mark.parametrize(("fraction", "samples", "asked"), [(1.0, 1, 16), (0.25, 1, 10), (0.25, 3, 14), (0.01, 1, 9)])
def test_a_step_costs_the_moved_share_in_one_pass(fraction, samples, asked):
    net = Recording()
    Remul(mse, Candidate(symmetry=SO3, fraction=fraction, samples=samples))(net, batch())
    assert [len(x) for x in net.asked] == [asked]


def test_penalties_may_pause():
    net = Recording()
    objective = Remul(mse, Candidate(symmetry=SO3), every=3)
    parts = [objective(net, batch()).parts for _ in range(6)]
    assert [len(x) for x in net.asked] == [16, 8, 8] * 2
    assert parts[1]["penalty/SO(3)"] == 0 < parts[0]["penalty/SO(3)"]


def test_a_bank_moves_other_examples_for_each_candidate():
    net = Recording()
    x, y = batch(9)
    objective = Remul(mse, bank(AXES))
    objective(net, (x, y))
    (asked,) = net.asked
    assert len(asked) == 18
    for place, axis in enumerate(range(3)):
        moved = asked[9 + 3 * place : 12 + 3 * place]
        # the coordinate along its axis is the one that stays
        same = torch.isclose(moved, x[3 * place : 3 * place + 3], atol=1e-5).flatten(0, 1).all(0)
        assert same.tolist() == [number == axis for number in range(3)]


def test_with_weight_0_the_anchored_loss_is_the_task():
    net, (x, y) = nn.Linear(3, 3), batch()
    objective = Remul(mse, Candidate(symmetry=SO3, mode="anchored"), ConstantWeights(["SO(3)"], 0.0))
    loss = objective(net, (x, y))
    assert torch.isclose(loss.total, mse(net(x), y))
    assert set(loss.parts) == {"task", "penalty/SO(3)", "weight/SO(3)"}


def test_unlabelled_examples_take_the_place_of_the_batch():
    net = Recording()
    pool = torch.full((4, 5, 3), 7.0)
    Remul(mse, Candidate(symmetry=SO3, fraction=0.5), unlabelled=pool)(net, batch())
    (asked,) = net.asked
    assert len(asked) == 16 and (asked[-4:] == 7.0).all()
    assert torch.allclose(asked[8:12].norm(dim=-1), torch.full((4, 5), 7.0 * 3**0.5))


def test_held_out_examples_teach_the_weights_and_nothing_else():
    net = Recording().train()
    objective = validated(net, held_out=(torch.full((16, 5, 3), 7.0), torch.zeros(16, 5, 3)))
    loss = objective(net, batch())
    assert [len(x) for x in net.asked] == [17, 8, 17]  # the batch; held out: the task; penalties of others
    assert (net.asked[1] == 7.0).all() and not (net.asked[0] == 7.0).any()
    assert net.training and net.norm.num_batches_tracked == 1
    loss.total.backward()
    assert objective.weighting.products.any()


def test_what_was_learned_resumes():
    net = Recording()
    objective, other = validated(net, every=2), validated(net, every=2)
    for _ in range(3):
        objective(net, batch())
    assert other.degrees() != objective.degrees()
    other.load_state_dict(copy.deepcopy(objective.state_dict()))
    assert other.step == 3 and other.degrees() == objective.degrees()


def test_degrees_name_the_candidates():
    found = validated(nn.Linear(3, 3)).degrees()
    assert [(degree.site, degree.generator, degree.unit) for degree in found] == [("loss", name, "1") for name in "xyz"]
    assert found[2].group == "SO(2) about z"
    assert Remul(mse, Candidate(symmetry=SO3)).degrees() == []


@pytest.mark.slow
def test_a_bank_tells_the_symmetry_that_holds_from_those_that_do_not():
    def truth(x):
        up = torch.tensor([0.0, 0.0, 1.0])
        return 2 * x + torch.linalg.cross(up.expand_as(x), x) + 3 * up * x[..., 2:].square()

    x = torch.randn(320, 4, 3)
    y = truth(x) + 0.3 * torch.randn_like(x)
    net = nn.Sequential(nn.Linear(3, 64), nn.SiLU(), nn.Linear(64, 3))
    objective = validated(net, held_out=(x[64:], y[64:]))
    options = ls.training.OptimiserConfig(lr=1e-2)
    batches = ls.data.Batches(ls.data.Dataset(x[:64], y[:64]), 64)
    ls.training.fit(net, objective, batches, steps=400, optimiser=options)
    weights = {degree.generator: degree.estimate for degree in objective.degrees()}
    assert weights["z"] > 0.7 and weights["x"] < 0.2 and weights["y"] < 0.2


def test_an_interrupted_run_goes_on_with_its_weights(tmp_path):
    config = ls.training.RunConfig()
    data = ls.data.Dataset(torch.randn(32, 5, 3), torch.randn(32, 5, 3))

    def fitted(path, steps):
        torch.manual_seed(0)
        net = nn.Linear(3, 3)
        objective = validated(net, held_out=(data.x, -data.y), every=2)
        run = ls.training.Run.create(path, config)
        train = ls.training.TrainConfig(checkpoint_every=5)
        constant = ls.training.OptimiserConfig(schedule="constant")
        batches = ls.data.Batches(data, 8)
        ls.training.fit(net, objective, batches, steps=steps, run=run, train=train, optimiser=constant)
        return net, objective

    fitted(tmp_path / "a", 5)
    (net, objective), (whole, expected) = fitted(tmp_path / "a", 12), fitted(tmp_path / "b", 12)
    assert torch.equal(net.weight, whole.weight) and objective.degrees() == expected.degrees()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Remul(mse, Candidate(symmetry=SO3), ConstantWeights(["so3"])), "weighting: has weights of so3"),
        (
            lambda: Remul(mse, Candidate(symmetry=SO3, mode="anchored"), unlabelled=torch.zeros(2, 5, 3)),
            "anchored to labels",
        ),
        (lambda: Remul(mse, Candidate(symmetry=SO3), every=0), "every: got 0"),
        (
            lambda: Remul(
                mse,
                Candidate(symmetry=SO3),
                GradNorm(["SO(3)"], [nn.Parameter(torch.ones(1))]),
                held_out=(torch.zeros(2, 5, 3), torch.zeros(2, 5, 3)),
            ),
            "held_out: GradNorm does not read",
        ),
        (
            lambda: validated(nn.Linear(3, 3), held_out=None)(nn.Linear(3, 3), batch()),
            "held_out: got None; ValidationWeights learns from",
        ),
        (lambda: bank({}), "symmetries: got none"),
    ],
)
def test_bad_objectives_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
