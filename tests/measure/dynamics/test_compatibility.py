"""The commutator of projections: published values, angles, fields on channels, linear maps, and bad input."""

import math

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.groups import Cyclic, Dihedral
from learnsym.measure import compatibility
from learnsym.relax import AdmissibleSpace, KernelPixels
from learnsym.representations import Irrep, Regular

C4 = Cyclic(4)
CROSS = torch.tensor([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
SKEW = torch.tensor([[1, 1, 0], [1, 0, 1], [0, 1, 0]])


def test_the_published_supports():
    cross, skew = (compatibility(nn.Conv2d(4, 8, 3), C4, support=support) for support in (CROSS, SKEW))
    assert cross.commutator < 1e-12 and cross.compatible and cross.invariant
    assert skew.commutator == pytest.approx(math.sqrt(3) / 4) and not skew.compatible
    assert (cross.both, skew.both) == (2, 1)


def test_without_constraint_every_layer_is_compatible():
    assert compatibility(nn.Conv2d(1, 1, 5), Dihedral(4)).commutator < 1e-12
    assert compatibility(nn.Linear(12, 8), C4, source=Regular(C4), target=Irrep(C4, 0)).equivariant == 1


@pytest.mark.parametrize("angle", [0.0, 0.3, math.pi / 4, 1.2, math.pi / 2])
def test_of_two_lines_it_is_the_sine_times_the_cosine_of_their_angle(angle):
    basis = torch.tensor([[1.0, 1.0], [-1.0, 1.0]], dtype=torch.float64) / math.sqrt(2)
    line = basis @ torch.tensor([[math.sin(angle)], [math.cos(angle)]], dtype=torch.float64)
    found = compatibility(nn.Linear(2, 1), Cyclic(2), basis=line, source=Regular(Cyclic(2)), target=Irrep(Cyclic(2), 0))
    assert found.commutator == pytest.approx(math.sin(angle) * math.cos(angle), abs=1e-12)


def test_the_norm_is_that_of_both_projections_of_the_whole_kernel():
    """By brute force over a kernel between fields: averages over the group beside a mask."""
    group, support = C4, torch.rand(4, 1, 3, 3, generator=torch.Generator().manual_seed(0)) > 0.4
    space = AdmissibleSpace.supported(ls.relax.FieldKernel(Irrep(group, 0), Regular(group), 3), group, support)
    act = Regular(group)(group.components)
    turns = [
        int(k) for k in (torch.atan2(group.components[:, 1, 0], group.components[:, 0, 0]) / (math.pi / 2)).round()
    ]

    def mean(k):
        moved = [torch.einsum("ab,bihw->aihw", act[n], k.rot90(t, (2, 3))) for n, t in enumerate(turns)]
        return torch.stack(moved).mean(0)

    units = torch.eye(36, dtype=torch.float64).view(36, 4, 1, 3, 3)
    brute = torch.stack([(support * mean(unit) - mean(support * unit)).flatten() for unit in units], 1)
    torch.testing.assert_close(space.commutator(), brute, atol=1e-12, rtol=0)
    layer = nn.Conv2d(3, 8, 3)
    found = compatibility(layer, group, support=support, source=Irrep(group, 0), target=Regular(group))
    assert found.commutator == pytest.approx(float(torch.linalg.matrix_norm(brute, 2)))


def test_a_basis_that_is_not_orthonormal_is_said():
    space = AdmissibleSpace.supported(KernelPixels(3), C4, CROSS)
    mixed = space.spanning @ torch.randn(5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = compatibility(nn.Conv2d(1, 1, 3), C4, basis=mixed)
    assert found.compatible and not found.orthonormal and not found.invariant
    assert "not orthonormal" in str(found)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: compatibility(nn.Conv2d(1, 1, 3)), "group: got None"),
        (lambda: compatibility(nn.Conv2d(1, 1, (3, 5)), C4), "3 x 5, must be square"),
        (lambda: compatibility(nn.Tanh(), C4), "layer: got Tanh"),
        (lambda: compatibility(nn.Conv2d(1, 3, 3), C4, target=Regular(C4)), "target: got fields of size 4"),
        (lambda: compatibility(nn.Conv2d(1, 1, 3), C4, support=CROSS, basis=torch.eye(9)), "got both"),
        (lambda: compatibility(AdmissibleSpace(KernelPixels(3), C4), C4), "layer: got a space with more"),
        (lambda: compatibility(nn.Conv2d(1, 1, 5), C4, support=CROSS), "support: got shape (3, 3)"),
    ],
)
def test_bad_input_is_refused(make, words):
    with pytest.raises(ValueError) as error:
        make()
    assert words in str(error.value)
