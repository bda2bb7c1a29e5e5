"""Convolutions that learn how kernels move: with a group's own matrices they are its convolution."""

import copy
import math
import pickle

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.equivariant import FieldType, GroupConv2d
from learnsym.groups import Cyclic, Dihedral
from learnsym.objectives.terms import Moves
from learnsym.relax.sharing import LearnedGroupConv2d, LearnedMoves, convex_coefficients, group_moves, kinds, sinkhorn

GROUPS = {"C_2": Cyclic(2), "C_4": Cyclic(4), "D_4": Dihedral(4)}
every_group = pytest.mark.parametrize("name", GROUPS)
every_kind = pytest.mark.parametrize("kind", kinds)


def layers(group, fields=2, **options):
    image, regular = FieldType.trivial(group, 2), FieldType.regular(group, fields)
    return [LearnedGroupConv2d(source, regular, 3, **options).double() for source in (image, regular)]


def in_logarithms(theta, rounds):
    """The published form, step by step."""
    for _ in range(rounds):
        theta = theta - theta.logsumexp(-1, keepdim=True)
        theta = theta - theta.logsumexp(-2, keepdim=True)
    return theta.exp()


@pytest.mark.parametrize("scale", [1.0, 10.0, 100.0])
@pytest.mark.parametrize("rounds", [1, 20])
def test_sinkhorn_is_that_in_logarithms(scale, rounds):
    theta = (scale * torch.rand(3, 7, 7, dtype=torch.float64)).requires_grad_()
    found, expected = sinkhorn(theta, rounds), in_logarithms(theta, rounds)
    torch.testing.assert_close(found, expected, atol=1e-9, rtol=1e-7)
    weights = torch.rand(3, 7, 7, dtype=torch.float64)
    gradients = [torch.autograd.grad((each * weights).sum(), theta, retain_graph=True)[0] for each in (found, expected)]
    torch.testing.assert_close(*gradients, atol=1e-7, rtol=1e-5)


def test_sinkhorn_makes_rows_and_columns_sum_to_one_and_is_blind_to_their_scale():
    theta = torch.rand(5, 6, 6, dtype=torch.float64)
    R = sinkhorn(theta, 200)
    torch.testing.assert_close(R.sum(-1), torch.ones(5, 6, dtype=torch.float64))
    torch.testing.assert_close(R.sum(-2), torch.ones(5, 6, dtype=torch.float64))
    a, b = torch.randn(5, 6, 1, dtype=torch.float64), torch.randn(5, 1, 6, dtype=torch.float64)
    torch.testing.assert_close(sinkhorn(theta + a + b, 200), R)


def test_hard_matrices_are_finite_in_single_precision():
    theta = 200 * torch.eye(9)[torch.randperm(9)]
    R = sinkhorn(theta.requires_grad_())
    assert torch.equal(R.detach().round(), theta.detach() / 200)
    R.square().sum().backward()
    assert bool(theta.grad.isfinite().all())


@every_group
def test_matrices_of_a_group_multiply_as_it_does_and_move_kernels_as_it_does(name):
    group = GROUPS[name]
    for source in (FieldType.trivial(group, 1), FieldType.regular(group, 1)):
        P = group_moves(source, 3)
        assert torch.equal(P[0], torch.eye(P.shape[-1], dtype=torch.float64))
        products = torch.einsum("gij,hjk->ghik", P, P).flatten(0, 1)
        assert all(any(torch.equal(product, each) for each in P) for product in products)


@every_group
@pytest.mark.parametrize("index", [0, 1], ids=["lifting", "regular"])
def test_with_the_matrices_of_the_group_it_is_the_group_convolution(name, index):
    layer = layers(GROUPS[name])[index]
    with torch.no_grad():
        layer.moves.theta.copy_(500 * group_moves(layer.in_type, 3)[1:])
        layer.bias.normal_()
    exact = GroupConv2d(layer.in_type, layer.out_type, 3).double()
    with torch.no_grad():
        exact.weights["0-0"].copy_(layer.weight)
        exact.bias.copy_(layer.bias)
    torch.testing.assert_close(layer.kernel(), exact.kernel())
    x = torch.randn(2, layer.in_type.size, 6, 6, dtype=torch.float64)
    torch.testing.assert_close(layer(x), exact(x))
    coefficients, left = layer.structure()
    torch.testing.assert_close(coefficients, torch.eye(len(coefficients), dtype=torch.float64), atol=1e-6, rtol=0)
    assert float(left.max()) < 1e-6
    assert [degree.estimate for degree in layer.degrees("input")] == pytest.approx([1] * (len(coefficients) - 1))


def test_convex_coefficients_give_mixtures_back_and_stay_on_the_simplex():
    # of 5 x 5 pixels, as those of 3 x 3 are dependent for D_4
    P = group_moves(FieldType.trivial(Dihedral(4), 1), 5)
    c = torch.distributions.Dirichlet(torch.ones(8, dtype=torch.float64)).sample((5,))
    found, left = convex_coefficients(torch.einsum("hg,gij->hij", c, P), P)
    torch.testing.assert_close(found, c, atol=1e-5, rtol=0)
    assert float(left.max()) < 1e-5
    anything, _ = convex_coefficients(torch.randn(3, 25, 25), P)
    torch.testing.assert_close(anything.sum(1), torch.ones(3, dtype=torch.float64))
    assert float(anything.min()) >= 0


def test_coefficients_are_the_best_of_a_grid():
    P, R = group_moves(FieldType.trivial(Cyclic(2), 1), 3), torch.rand(9, 9, dtype=torch.float64)
    grid = torch.linspace(0, 1, 1001, dtype=torch.float64)
    losses = torch.stack([(R - s * P[0] - (1 - s) * P[1]).square().sum() for s in grid])
    assert float(convex_coefficients(R[None], P)[0][0, 0]) == pytest.approx(float(grid[losses.argmin()]), abs=2e-3)


def test_only_a_doubly_stochastic_matrix_is_told_by_how_it_moves_one_pattern():
    """Entries that differ: of all doubly stochastic matrices only the permutation maps `w` to `P w`."""
    P = group_moves(FieldType.trivial(Cyclic(4), 1), 3).float()
    w = torch.linspace(-1, 1, 9)
    parts = {}
    for kind in kinds:
        moves = LearnedMoves(4, 9, kind)
        optimiser = torch.optim.Adam(moves.parameters(), lr=0.3)
        for _ in range(250):
            loss = (moves.matrices() @ w - P @ w).square().sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        assert float(loss) < 0.05
        parts[kind] = float(convex_coefficients(moves.matrices()[1:], P)[0].amax(1).min())
    best = parts.pop("doubly_stochastic")
    assert best > 0.75 and best > 0.1 + max(parts.values())


@every_kind
def test_plain_twin_copies_and_gradients(kind):
    for layer in layers(Cyclic(4), kind=kind, stride=2, padding=1, padding_mode="circular"):
        x = torch.randn(2, layer.in_type.size, 7, 7, dtype=torch.float64)
        plain = layer.plain()
        assert type(plain) is nn.Conv2d
        for other in (plain, copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
            torch.testing.assert_close(other(x), layer(x))
        layer(x).square().sum().backward()
        assert all(bool(p.grad.any()) for p in layer.parameters())


@every_kind
def test_a_term_holds_the_matrices(kind):
    moves = LearnedMoves(3, 4, kind)
    with torch.no_grad():
        moves.theta.zero_()
    loss = Moves(weight=1.0, entropy=2.0)(moves, torch.zeros(1))
    norm, entropy = (0, 0) if kind == "free" else (math.log(4) ** 2, math.log(4))
    assert float(loss.total.detach()) == pytest.approx(norm + 2 * entropy, abs=1e-4)
    assert float(Moves()(nn.Linear(1, 1), torch.zeros(1)).total) == 0


def test_an_objective_adds_the_term_of_a_layer():
    layer = layers(Cyclic(4))[0].float()
    net = nn.Sequential(layer, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    objective = ls.objectives.Regularised(ls.objectives.Supervised(nn.functional.cross_entropy))
    batch = torch.rand(3, 2, 5, 5), torch.zeros(3, dtype=torch.long)
    assert sorted(objective(net, batch).parts) == ["entropy", "norm", "task"]


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: LearnedMoves(1, 4), "count"),
        (lambda: LearnedMoves(2, 0), "entries"),
        (lambda: LearnedMoves(2, 4, "orthogonal"), "kind"),
        (lambda: LearnedGroupConv2d(*[FieldType.trivial(Cyclic(4), 1)] * 2, 3), "out_type"),
        (lambda: LearnedGroupConv2d(*[FieldType.regular(Cyclic(1), 1)] * 2, 3), "in_type"),
        (lambda: LearnedGroupConv2d(*[FieldType.regular(Cyclic(8), 1)] * 2, 3), "in_type"),
        (
            lambda: LearnedGroupConv2d(
                FieldType.trivial(Cyclic(4), 1) + FieldType.regular(Cyclic(4), 1), FieldType.regular(Cyclic(4), 1), 3
            ),
            "in_type",
        ),
    ],
)
def test_bad_layers_are_one_sentence(make, name):
    with pytest.raises(ValueError, match=f"^{name}: ") as error:
        make()
    assert "\n" not in str(error.value)
