"""Distances and stability: what the theorems say of the augmented risk on the equivariant subspace, in float64."""

import math

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.groups import Cyclic
from learnsym.measure import distance_to_equivariance, stability
from learnsym.measure.dynamics import stability as module
from learnsym.objectives import FullOrbit, MovedExamples, Supervised, mse
from learnsym.relax import AdmissibleSpace, FlatPixels, KernelPixels, Spanned
from learnsym.training import OptimiserConfig, TrainConfig, fit

C4 = Cyclic(4)
CROSS = torch.tensor([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
SKEW = torch.tensor([[1, 1, 0], [1, 0, 1], [0, 1, 0]])
TURNS = "quarter_turns2d"


def slanted():
    """Unit columns that span the cross, and are not orthonormal."""
    basis = AdmissibleSpace.supported(KernelPixels(3), C4, CROSS).spanning
    mixed = basis @ torch.randn(5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    return AdmissibleSpace(KernelPixels(3), C4, mixed / mixed.norm(dim=0))


CASES = {
    "cross": lambda: AdmissibleSpace.supported(KernelPixels(3), C4, CROSS),
    "skew": lambda: AdmissibleSpace.supported(KernelPixels(3), C4, SKEW),
    "slanted": slanted,
    "all": lambda: AdmissibleSpace(KernelPixels(3), C4),
}


def on_both(case, seed=0):
    """A spanned network at a point of E, and a batch."""
    torch.manual_seed(seed)
    net = nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(3, 2, 3, padding=1), nn.Tanh(), nn.Flatten(), nn.Linear(18, 2),
    ).double()  # fmt: skip
    kernel = CASES[case]()
    spaces = {"0.weight": kernel, "3.weight": kernel, "6.weight": AdmissibleSpace(FlatPixels(3), C4)}
    return Spanned(Spanned(net, spaces).exact().plain(), spaces), (
        torch.randn(6, 1, 6, 6).double(),
        torch.randn(6, 2).double(),
    )


def descended(net, objective, batch, steps=20):
    fit(net, objective, [batch], steps=steps, optimiser=OptimiserConfig(name="sgd", lr=0.05, weight_decay=0.0))
    return distance_to_equivariance(net)


def test_a_point_of_both_has_distance_0():
    for case in CASES:
        assert distance_to_equivariance(on_both(case)[0]).relative < 1e-14


@pytest.mark.parametrize("case", ["cross", "all"])
def test_compatible_and_orthonormal_stay_on_the_subspace(case):
    net, batch = on_both(case)
    assert descended(net, FullOrbit(mse, TURNS), batch).relative < 1e-13


@pytest.mark.parametrize("case", ["skew", "slanted"])
def test_others_leave_it(case):
    net, batch = on_both(case)
    assert descended(net, FullOrbit(mse, TURNS), batch).relative > 1e-3


def test_plain_training_and_single_draws_leave_it_too():
    for objective in (Supervised(mse), MovedExamples(mse, TURNS)):
        net, batch = on_both("cross")
        assert descended(net, objective, batch).relative > 1e-3


def test_flows_coincide_on_the_subspace():
    """The augmented flow on E is the flow of the equivariant network in orthonormal coordinates."""
    net, batch = on_both("cross")
    exact = net.exact()
    descended(net, FullOrbit(mse, TURNS), batch)
    descended(exact, Supervised(mse), batch)
    for name, weight in net.weights().items():
        torch.testing.assert_close(weight, exact.weights()[name], atol=1e-12, rtol=0)


def test_the_augmented_gradient_is_the_projected_one():
    net, batch = on_both("cross")
    augmented, plain = (stability(net, objective, batch) for objective in (FullOrbit(mse, TURNS), Supervised(mse)))
    assert augmented.gradient_along == pytest.approx(plain.gradient_along, rel=1e-10)
    assert augmented.gradient_across < 1e-12 < 1e-4 < plain.gradient_across


@pytest.mark.parametrize(("case", "splits"), [("cross", True), ("all", True), ("skew", False), ("slanted", False)])
def test_the_augmented_hessian_splits_where_both_conditions_hold(case, splits):
    net, batch = on_both(case)
    found = stability(net, FullOrbit(mse, TURNS), batch)
    assert (found.mixed < 1e-12) is splits
    assert stability(net, Supervised(mse), batch).mixed > 1e-3


def test_along_the_subspace_the_hessian_is_that_of_the_equivariant_network():
    net, batch = on_both("cross")
    of_exact = stability(net.exact(), Supervised(mse), batch)
    assert stability(net, FullOrbit(mse, TURNS), batch).along == pytest.approx(of_exact.along, rel=1e-9)
    assert math.isnan(of_exact.across[0]) and of_exact.mixed == 0


def test_blocks_agree_with_the_whole_hessian():
    net, batch = on_both("skew")
    plain, objective = net.plain(), FullOrbit(mse, TURNS)
    spaces = {"0.weight": KernelPixels(3), "3.weight": KernelPixels(3), "6.weight": FlatPixels(3)}
    found = stability(plain, objective, batch, C4, spaces)
    names, shapes = zip(*[(n, p.shape) for n, p in plain.named_parameters()], strict=True)

    def risk(flat):
        parts = flat.split([s.numel() for s in shapes])
        values = {n: part.view(s) for n, s, part in zip(names, shapes, parts, strict=True)}
        x = torch.cat([batch[0].rot90(k, (2, 3)) for k in range(4)])
        return mse(torch.func.functional_call(plain, values, (x,)), batch[1].repeat(4, 1))

    flat = torch.cat([p.detach().flatten() for p in plain.parameters()])
    hessian = torch.func.hessian(risk)(flat)
    # Π_E of each parameter by averages over the group
    kinds = {"0.weight": lambda w: w, "3.weight": lambda w: w, "6.weight": lambda w: w.unflatten(1, (2, 3, 3))}
    columns = []
    for unit in torch.eye(len(flat), dtype=torch.float64):
        parts = []
        for n, s, part in zip(names, shapes, unit.split([s.numel() for s in shapes]), strict=True):
            image = kinds[n](part.view(s)) if n in kinds else None
            turned = (
                part if image is None else torch.stack([image.rot90(k, (-2, -1)) for k in range(4)]).mean(0).flatten()
            )
            parts.append(turned)
        columns.append(torch.cat(parts))
    projection = torch.stack(columns, 1)
    values, vectors = torch.linalg.eigh(projection)
    p, q = vectors[:, values > 0.5], vectors[:, values < 0.5]
    for ends, basis in ((found.along, p), (found.across, q)):
        expected = torch.linalg.eigvalsh(basis.mT @ hessian @ basis)
        assert ends == pytest.approx((float(expected[0]), float(expected[-1])), rel=1e-9, abs=1e-12)
    assert found.mixed == pytest.approx(float(torch.linalg.matrix_norm(q.mT @ hessian @ p, 2)), rel=1e-9)


def test_lanczos_finds_the_ends_of_the_whole_blocks(monkeypatch):
    net, batch = on_both("skew")
    whole = stability(net, FullOrbit(mse, TURNS), batch)
    monkeypatch.setattr(module, "DENSE", 0)
    found = stability(net, FullOrbit(mse, TURNS), batch)
    for name in ("along", "across"):
        assert getattr(found, name) == pytest.approx(getattr(whole, name), rel=1e-6, abs=1e-8)
    assert found.mixed == pytest.approx(whole.mixed, rel=1e-3) and found.mixed <= whole.mixed * (1 + 1e-9)


class Neuron(nn.Module):
    """`v tanh(b + w · x)` with two weights that a half turn of x flips, hence 0 in E."""

    def __init__(self, v, b):
        super().__init__()
        self.v, self.w, self.b = (
            v,
            nn.Parameter(torch.zeros(1, 2).double()),
            nn.Parameter(torch.tensor(b, dtype=torch.float64)),
        )

    def forward(self, x):
        return self.v * torch.tanh(self.b + x[:, 0] @ self.w.mT)


def test_stable_for_the_equivariant_risk_and_unstable_for_the_augmented_one():
    """A closed form: the best constant is a strict minimum on E, and a saddle of the augmented risk."""
    group = Cyclic(2)
    x = torch.tensor([[[0.5, 0.0]], [[2.0, 0.0]]], dtype=torch.float64)
    y, v = torch.tensor([[1.4], [0.6]], dtype=torch.float64), 1.1
    mean, net = 1.0, Neuron(v, math.atanh(1.0 / 1.1))
    symmetry = ls.Symmetry(group, ls.actions.PointCloud(dim=2))
    flips = ls.relax.MapEntries(ls.representations.Irrep(group, 1), ls.representations.Irrep(group, 0))  # two signs
    found = stability(net, FullOrbit(mse, symmetry), (x, y), group, {"w": flips})
    slope = 1 - (mean / v) ** 2  # sech² b
    along = 2 * v**2 * slope**2
    # d² / dw² of E (v tanh(b + w x) - y)² at w = 0
    covariance = float((x[:, 0, 0].square() * (mean - y[:, 0])).mean())
    across = 2 * v**2 * slope**2 * float(x[:, 0, 0].square().mean()) - 4 * mean * slope * covariance
    assert found.along == pytest.approx((along, along)) and found.stable_along
    assert found.across == pytest.approx((across, 0.0), rel=1e-8, abs=1e-12) and not found.stable_across
    assert found.mixed < 1e-12 and found.gradient_along < 1e-12 and found.gradient_across < 1e-12


def test_distances_of_layers_of_the_library_and_of_ordinary_networks():
    fields = ls.equivariant.FieldType.regular(C4, 1)
    exact = ls.equivariant.GroupConv2d(fields, fields, 3)
    projected = ls.relax.ProjectedLayer(exact)
    net = nn.Sequential(projected, nn.ReLU(), ls.equivariant.GroupConv2d(fields, fields, 3))
    found = distance_to_equivariance(net)
    assert set(found.layers) == {"0.weight", "2"} and found.layers["2"] == 0
    assert found.layers["0.weight"] == pytest.approx(float(projected.departure().norm().detach()))
    conv = nn.Conv2d(1, 2, 3)
    mean = torch.stack([conv.weight.rot90(k, (2, 3)) for k in range(4)]).mean(0)
    assert distance_to_equivariance(conv, TURNS).total == pytest.approx(float((conv.weight - mean).norm().detach()))


def test_it_is_logged_along_training():
    net, batch = on_both("skew")
    history = fit(
        net, FullOrbit(mse, TURNS), [batch], steps=3, train=TrainConfig(eval_every=1),
        validate=lambda model: distance_to_equivariance(model).record(),
    )  # fmt: skip
    logged = history.column("distance", "val")
    assert len(logged) == 3 and logged[-1] == distance_to_equivariance(net).total > 0
    assert len(history.column("distance/0.weight", "val")) == 3


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: distance_to_equivariance(nn.Conv2d(1, 1, 3)), "symmetry: got None"),
        (lambda: distance_to_equivariance(nn.Linear(2, 2), C4), "net: Linear has no square kernel"),
        (lambda: distance_to_equivariance(on_both("cross")[0], C4), "symmetry: got one for a network whose layers"),
        (lambda: distance_to_equivariance(nn.Conv2d(1, 1, 3), C4, {"w": KernelPixels(3)}), "parameters: got 'w'"),
        (
            lambda: stability(on_both("cross")[0], MovedExamples(mse, TURNS), on_both("cross")[1]),
            "must draw nothing at random",
        ),
    ],
)
def test_bad_input_is_refused(make, words):
    with pytest.raises(ValueError) as error:
        make()
    assert words in str(error.value)
