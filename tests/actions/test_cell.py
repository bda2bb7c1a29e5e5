"""Cells that turn with their atoms, tensors that turn with them, and sentences for what does not."""

import pytest
import torch

import learnsym as ls
from learnsym.actions import Cell, Jointly, On, PointCloud, PointVectors, SymmetricTensor

CRYSTAL = Jointly((On("x", PointCloud()), On("cell", Cell())))


def crystals(count=6, dtype=torch.float64):
    cell = 3 * torch.eye(3, dtype=dtype) + torch.rand(count, 3, 3, dtype=dtype)
    return {"x": torch.rand(count, 4, 3, dtype=dtype) @ cell, "cell": cell}


def energy(atoms):
    """Of pairs within two neighbouring cells: invariant only together with the cell."""
    shifts = torch.cartesian_prod(*[torch.arange(-1.0, 2.0)] * 3).to(atoms["x"])
    apart = atoms["x"][:, :, None, None] - atoms["x"][:, None, :, None] + (shifts @ atoms["cell"])[:, None, None]
    return torch.exp(-apart.square().sum(-1)).sum((1, 2, 3))


def stress(atoms):
    strain = torch.zeros_like(atoms["cell"], requires_grad=True)
    with torch.enable_grad():
        grown = torch.eye(3, dtype=strain.dtype) + (strain + strain.mT) / 2
        total = energy({"x": atoms["x"] @ grown, "cell": atoms["cell"] @ grown}).sum()
        return torch.autograd.grad(total, strain)[0]


def test_a_cell_that_is_left_behind_is_seen():
    x = crystals()
    assert ls.measure.equivariance_error(energy, x, ls.Symmetry(ls.groups.O3(), CRYSTAL)).mean < 1e-10
    alone = ls.Symmetry(ls.groups.O3(), On("x", PointCloud()))
    assert ls.measure.equivariance_error(energy, x, alone).mean > 0.01


def test_stress_turns_as_a_tensor():
    x = crystals()
    assert (
        ls.measure.equivariance_error(stress, x, ls.Symmetry(ls.groups.O3(), CRYSTAL, SymmetricTensor())).mean < 1e-10
    )
    assert ls.measure.equivariance_error(stress, x, ls.Symmetry(ls.groups.O3(), CRYSTAL)).mean > 0.01


def test_penalties_take_cells():
    """REMUL moves atoms and cell by the same element."""

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones((), dtype=torch.float64))

        def forward(self, atoms):
            return self.weight * energy(atoms)

    symmetry = ls.Symmetry(ls.groups.O3(), CRYSTAL)
    x = crystals()
    for made in (ls.objectives.MovedExamples(ls.objectives.losses["mse"], symmetry),):
        loss = made(Net().train(), (x, energy(x))).total
        assert float(loss) < 1e-20 and loss.requires_grad
    bank = ls.objectives.bank({"o3": symmetry})
    remul = ls.objectives.Remul(ls.objectives.losses["mse"], bank, ls.objectives.choosers.ConstantWeights(["o3"]))
    assert float(remul(Net().train(), (x, energy(x))).total) < 1e-20


def test_volume():
    flat = torch.tensor([[[1.0, 0, 0], [0, 1, 0], [1, 1, 0]]])
    good = torch.eye(3)[None]
    Cell().check_data(ls.groups.O3(), 1e-9 * good)  # in metres
    with pytest.raises(ValueError, match="x: the cell of example 1 has no volume, must have three independent rows"):
        Cell().check_data(ls.groups.O3(), torch.cat([good, flat]))
    with pytest.raises(ValueError, match="the cell of example 0 has no volume"):
        ls.measure.equivariance_error(
            energy, crystals() | {"cell": torch.zeros(6, 3, 3)}, ls.Symmetry(ls.groups.O3(), CRYSTAL)
        )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SymmetricTensor().check_data(ls.groups.O3(), torch.rand(2, 3, 3)), "example 0 is not symmetric"),
        (
            lambda: SymmetricTensor().check_data(ls.groups.O3(), torch.rand(2, 6)),
            r"got shape \(2, 6\), must be \(B, 3, 3\)",
        ),
        (lambda: Cell().check(ls.groups.SO2()), "Cell needs a group that acts on 'space'"),
        (lambda: Jointly((On("x", PointCloud()),)), r"parts: got those of \['x'\], must be two or more"),
        (lambda: Jointly((On("x", PointCloud()), On("x", PointVectors()))), "each once"),
        (
            lambda: ls.Symmetry(ls.groups.O3(), CRYSTAL).of_tensors,
            "moves x and cell together, and one tensor moves here",
        ),
    ],
)
def test_what_cannot_be(make, message):
    with pytest.raises(ValueError, match=message):
        make()
