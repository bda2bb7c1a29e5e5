"""The penalty on what leaves the equivariant kernels: identities over groups, bounds, gradient, and both ends."""

import copy

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.equivariant import EquivariantLinear, FieldType, GroupConv2d, group_mean, nearest_kernel
from learnsym.groups import SO2, Cyclic, Dihedral, Permutation
from learnsym.objectives import Regularised, Supervised, mse
from learnsym.objectives.terms import ProjectionPenalty
from learnsym.relax import ProjectedLayer, ResidualPathway

BAND = 5
ANGLES = 2 * torch.pi * torch.arange(4 * BAND + 1, dtype=torch.float64) / (4 * BAND + 1)


def regular(group):
    return FieldType.regular(group, 1) + FieldType.trivial(group, 1)


GROUPS = {
    "C_4": (regular(Cyclic(4)), Cyclic(4).components),
    "D_4": (regular(Dihedral(4)), Dihedral(4).components),
    # g^-1 W g of fields up to frequency 5 has frequencies up to 10: 21 angles are an exact quadrature
    "SO(2)": (FieldType.all_irreps(SO2(), 1, BAND), SO2().exp(ANGLES[:, None])),
}


@pytest.fixture(params=GROUPS)
def moved(request):
    """A layer, a matrix and all `s(g)^-1 W r(g)` of it, in double precision."""
    fields, elements = GROUPS[request.param]
    torch.manual_seed(0)
    layer = ProjectedLayer(EquivariantLinear(fields, fields, bias=False)).double()
    return layer, layer.weight.detach(), [(rho.mT @ layer.weight @ rho).detach() for rho in matrices(fields, elements)]


def matrices(fields, elements):
    """`ρ(g)` of a field type for each element."""
    act, eye = ls.equivariant.FeatureField(fields), torch.eye(fields.size, dtype=torch.float64)
    return [act(g.double().expand(fields.size, *g.shape), eye).mT for g in elements]


def test_the_projection_is_the_mean_over_the_group(moved):
    layer, _, orbit = moved
    torch.testing.assert_close(layer.projection().detach(), torch.stack(orbit).mean(0), atol=1e-10, rtol=0)


def test_the_mean_square_over_the_group_is_twice_the_square_of_the_departure(moved):
    """`E_g |g.W - W|² = 2 |Q(W)|²`."""
    layer, w, orbit = moved
    mean = torch.stack([(each - w).square().sum() for each in orbit]).mean()
    assert float(mean) == pytest.approx(2 * float(layer.departure().detach().square().sum()), rel=1e-10)
    assert float(mean) > 0.1


@pytest.mark.parametrize("norm", ["fro", 2])
def test_both_bounds_of_the_largest_error(moved, norm):
    """`|Q(W)| <= sup_g |g.W - W| <= 2 |Q(W)|` in norms that the group keeps."""
    layer, w, orbit = moved
    largest = max(float(torch.linalg.matrix_norm(each - w, norm)) for each in orbit)
    departure = float(torch.linalg.matrix_norm(layer.departure().detach(), norm))
    assert departure <= largest * (1 + 1e-12) and largest <= 2 * departure * (1 + 1e-12)


def test_the_projection_is_idempotent_and_self_adjoint(moved):
    layer, w, _ = moved
    other = torch.randn_like(w)
    p = nearest_kernel(layer.equivariant, w)
    torch.testing.assert_close(nearest_kernel(layer.equivariant, p), p, atol=1e-10, rtol=0)
    inner = float((p * other).sum() - (w * nearest_kernel(layer.equivariant, other)).sum())
    assert abs(inner) < 1e-10


def test_the_gradient_is_twice_the_departure(moved):
    layer, w, _ = moved
    term = ProjectionPenalty(3.0, 0.5)
    term(layer, w).total.backward()
    expected = 6 * layer.departure() + layer.projection()
    torch.testing.assert_close(layer.weight.grad, expected.detach(), atol=1e-10, rtol=0)


def test_equal_weights_are_a_weight_decay(moved):
    layer, w, _ = moved
    assert float(ProjectionPenalty(0.7, 0.7)(layer, w).total.detach()) == pytest.approx(0.7 * float(w.square().sum()))


def test_linear_layers_of_any_network_are_held_by_the_mean_over_a_finite_group():
    """`S_4` on pairs of nodes, and on nodes: the identity, both bounds, idempotence and the gradient."""
    nodes = Permutation(4).components.double()
    pairs = torch.stack([torch.kron(g, g) for g in nodes])
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(16, 4), nn.ReLU(), nn.Linear(4, 4)).double()
    term = ProjectionPenalty(1.0, matrices={"0": (nodes, pairs), "2": (nodes, nodes)})
    orbit = [s.mT @ net[0].weight.detach() @ r for s, r in zip(nodes, pairs, strict=True)]
    w, p = net[0].weight.detach(), torch.stack(orbit).mean(0)
    torch.testing.assert_close(group_mean(p, nodes, pairs), p, atol=1e-10, rtol=0)
    square = float((w - p).square().sum())
    assert float(torch.stack([(each - w).square().sum() for each in orbit]).mean()) == pytest.approx(
        2 * square, rel=1e-10
    )
    largest = max(float((each - w).norm()) for each in orbit)
    assert square**0.5 <= largest <= 2 * square**0.5
    alone = float(term(nn.Sequential(net[0], nn.ReLU(), nn.Linear(4, 4).double()), w).parts["departure"])
    term(net, w).total.backward()
    torch.testing.assert_close(net[0].weight.grad, 2 * (w - p), atol=1e-10, rtol=0)
    assert alone > square and net[2].weight.grad.any()
    with torch.no_grad():  # an equivariant map of nodes: a diagonal and the rest
        net[0].weight.copy_(p)
        net[2].weight.copy_(2 * torch.eye(4) - 0.3)
    assert float(term(net, w).parts["departure"]) < 1e-20


def test_matrices_must_fit_the_network():
    swaps = torch.stack([torch.eye(2), torch.eye(2).flip(0)])
    net = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    for path, found in (("1", "ReLU"), ("5", "nothing")):
        with pytest.raises(ValueError, match=rf"^matrices: got the path '{path}', where the model has {found}"):
            ProjectionPenalty(1.0, matrices={path: (swaps, swaps)})(net, torch.zeros(1))
    with pytest.raises(ValueError, match=r"^on_output, on_input: got shapes \(2, 2, 2\) and \(2, 2, 2\) for a weight"):
        ProjectionPenalty(1.0, matrices={"0": (swaps, swaps)})(net, torch.zeros(1))


def data(fields, seed=0):
    torch.manual_seed(seed)
    x = torch.randn(60, fields.size, dtype=torch.float64)
    return x, x @ torch.randn(fields.size, fields.size, dtype=torch.float64).T


def solved(net, objective, batch):
    """The minimum, by a method that converges."""
    parameters = [p for p in net.parameters() if p.requires_grad]
    search = torch.optim.LBFGS(parameters, max_iter=400, tolerance_grad=1e-12, line_search_fn="strong_wolfe")

    def loss():
        search.zero_grad()
        value = objective(net, batch).total
        value.backward()
        return value

    search.step(loss)
    return net


def test_a_large_weight_gives_the_exact_twin_and_no_weight_the_plain_one():
    fields, _ = GROUPS["C_4"]
    batch = data(fields)
    task = Supervised(mse)

    def make():
        return EquivariantLinear(fields, fields, bias=False).double()

    exact, plain = (
        solved(make(), task, batch),
        solved(nn.Linear(fields.size, fields.size, bias=False).double(), task, batch),
    )
    held = solved(ProjectedLayer(make()).double(), Regularised(task, [ProjectionPenalty(1e4)]), batch)
    free = solved(ProjectedLayer(make()).double(), Regularised(task, [ProjectionPenalty(0.0)]), batch)
    torch.testing.assert_close(held.kernel(), exact.kernel(), atol=1e-3, rtol=0)
    torch.testing.assert_close(free.kernel(), plain.weight, atol=1e-4, rtol=0)
    assert held.degrees("layer:0")[0].estimate > 1 - 1e-6 > free.degrees("layer:0")[0].estimate


def test_it_ends_where_a_residual_pathway_with_matched_decays_does():
    """`min over A + F = W of a |A|² + b |F|²` is `b |Q|² + ab/(a+b) |P|²`: the same penalty, branches merged."""
    fields, _ = GROUPS["C_4"]
    batch, a, b = data(fields), 0.2, 0.5

    class Decays(nn.Module):
        def forward(self, model, batch):
            loss = Supervised(mse)(model, batch)
            return ls.objectives.Loss(
                loss.total + a * model.equivariant.kernel().square().sum() + b * model.free.square().sum()
            )

    exact = EquivariantLinear(fields, fields, bias=False).double()
    pathway = solved(ResidualPathway(copy.deepcopy(exact)), Decays(), batch)
    term = ProjectionPenalty(b, a * b / (a + b))
    held = solved(ProjectedLayer(exact).double(), Regularised(Supervised(mse), [term]), batch)
    torch.testing.assert_close(held.kernel(), pathway.kernel(), atol=1e-4, rtol=0)


def test_convolutions_are_projected_onto_the_mean_over_the_lattice_group():
    fields = FieldType.trivial(Dihedral(4), 2)
    layer = ProjectedLayer(GroupConv2d(fields, fields, 3)).double()
    turns = [torch.rot90(layer.weight, k, (2, 3)) for k in range(4)]
    mean = torch.stack([each for turn in turns for each in (turn, turn.flip(3))]).mean(0)
    torch.testing.assert_close(layer.projection(), mean)


def test_what_it_needs_is_asked_for():
    fields, _ = GROUPS["C_4"]
    layer = ProjectedLayer(EquivariantLinear(fields, fields))
    batch = torch.randn(3, fields.size), torch.randn(3, fields.size)
    with pytest.raises(
        ValueError, match=r"held by a projection, which .* add objectives.terms.ProjectionPenalty\(broken=0\.1\)"
    ):
        Regularised(Supervised(mse))(layer, batch)
    with pytest.raises(ValueError, match=r"^broken: got -1"):
        ProjectionPenalty(-1.0)
    other = nn.Linear(2, 2)
    assert float(ProjectionPenalty(1.0)(other, torch.zeros(1)).total) == 0.0
    assert torch.equal(copy.deepcopy(layer)(batch[0]), layer(batch[0]))
