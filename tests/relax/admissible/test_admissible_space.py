"""Laws of admissible spaces: projections, the commutator, both bases, in double precision."""

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.groups import Cyclic, Dihedral
from learnsym.relax import AdmissibleSpace, FieldKernel, FlatPixels, KernelPixels, MapEntries
from learnsym.representations import Irrep, Quotient, Regular

C4, D4 = Cyclic(4), Dihedral(4)
CROSS = torch.tensor([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
SKEW = torch.tensor([[1, 1, 0], [1, 0, 1], [0, 1, 0]])


def slanted(moved, seed=0, columns=4):
    return torch.randn(moved.together, columns, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def field_kernel(group=C4):
    return FieldKernel(Irrep(group, 0), Regular(group), 3)


SPACES = {
    "all": lambda: AdmissibleSpace(KernelPixels(3), C4),
    "cross": lambda: AdmissibleSpace.supported(KernelPixels(3), C4, CROSS),
    "skew": lambda: AdmissibleSpace.supported(KernelPixels(3), C4, SKEW),
    "slanted": lambda: AdmissibleSpace(KernelPixels(3), C4, slanted(KernelPixels(3))),
    "fields": lambda: AdmissibleSpace(field_kernel(), C4),
    "fields on a cross": lambda: AdmissibleSpace.supported(field_kernel(), C4, CROSS.expand(4, 1, 3, 3)),
    "D_4": lambda: AdmissibleSpace.supported(KernelPixels(5), D4, torch.ones(5, 5).triu()),
    "flat": lambda: AdmissibleSpace(FlatPixels(4), C4),
    "shifts": lambda: AdmissibleSpace(MapEntries(Regular(Cyclic(6)), Regular(Cyclic(6))), Cyclic(6)),
    "cosets": lambda: AdmissibleSpace(MapEntries(Quotient(D4, Dihedral(1)), Regular(D4)), D4),
}
every_space = pytest.mark.parametrize("space", [make() for make in SPACES.values()], ids=list(SPACES))


def close(first, second, atol=1e-10):
    torch.testing.assert_close(first, second, atol=atol, rtol=0)


@every_space
def test_projections_are_orthogonal(space):
    both = space.equivariant_basis @ space.equivariant_basis.mT
    for projection in (space.admissible, space.equivariant, both):
        close(projection, projection.mT)
        close(projection @ projection, projection)


@every_space
def test_both_is_the_intersection(space):
    both = space.equivariant_basis @ space.equivariant_basis.mT
    close(space.admissible @ both, both)
    close(space.equivariant @ both, both)
    # von Neumann: alternating projections come to the projection onto the intersection
    alternating = torch.linalg.matrix_power(space.admissible @ space.equivariant, 4000)
    close(alternating, both, atol=1e-3)


@every_space
def test_directions_along_and_across_are_one_orthonormal_basis(space):
    basis = torch.cat([space.along, space.across], 1)
    close(basis.mT @ basis, torch.eye(len(basis), dtype=torch.float64))
    close(space.equivariant @ space.spanning @ space.along, space.spanning @ space.along)


@every_space
def test_compatible_spaces_are_those_whose_projections_multiply_to_that_of_both(space):
    both = space.equivariant_basis @ space.equivariant_basis.mT
    commutes = torch.linalg.matrix_norm(space.commutator(), 2) < 1e-10
    multiplies = torch.linalg.matrix_norm(space.admissible @ space.equivariant - both, 2) < 1e-10
    assert bool(commutes) == bool(multiplies)


@pytest.mark.parametrize("group", [C4, D4, Cyclic(2)], ids=str)
def test_kernels_between_fields_are_those_of_exact_layers(group):
    image, fields = (
        ls.equivariant.FieldType.trivial(group, 2),
        ls.equivariant.FieldType.regular(group, 3),
    )
    layer = ls.equivariant.GroupConv2d(image, fields, 3).double()
    kernel = torch.randn(fields.size, image.size, 3, 3, dtype=torch.float64)
    space = AdmissibleSpace(FieldKernel(Irrep(group, 0), Regular(group), 3), group)
    close(space.projection(kernel), ls.equivariant.nearest_kernel(layer, kernel))


def test_flat_pixels_are_pixels_of_each_channel():
    image = torch.randn(5, 3, 4, 4, dtype=torch.float64)
    space = AdmissibleSpace(FlatPixels(4), C4)
    mean = torch.stack([image.rot90(k, (2, 3)) for k in range(4)]).mean(0)
    close(space.projection(image.flatten(1)), mean.flatten(1))


def test_the_published_examples():
    norms = [float(torch.linalg.matrix_norm(SPACES[name]().commutator(), 2)) for name in ("cross", "skew")]
    assert norms[0] < 1e-12 and norms[1] == pytest.approx(3**0.5 / 4, abs=1e-12)
    assert not SPACES["skew"]().equivariant_basis.view(3, 3, -1)[0, 0].abs().max() > 1e-12  # no corner in E


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: AdmissibleSpace(KernelPixels(3), C4, torch.rand(8, 2)), "basis: got shape (8, 2)"),
        (lambda: AdmissibleSpace(KernelPixels(3), C4, torch.ones(9, 2)), "columns of rank 1"),
        (lambda: AdmissibleSpace.supported(KernelPixels(3), C4, torch.ones(2, 2)), "support: got shape (2, 2)"),
        (lambda: AdmissibleSpace.supported(KernelPixels(3), C4, torch.zeros(3, 3)), "with 0 entries"),
        (lambda: AdmissibleSpace(KernelPixels(3), C4, torch.eye(9)[:, :1]).exact(), "0 is the only equivariant value"),
        (lambda: AdmissibleSpace(field_kernel(D4), C4).equivariant, "must be of C_4"),
    ],
)
def test_bad_spaces_are_refused(make, words):
    with pytest.raises(ValueError) as error:
        make()
    assert words in str(error.value)


def test_softness_takes_kernels_between_fields():
    net = nn.Sequential(nn.Conv2d(2, 8, 3, padding=1, bias=False))
    soft = ls.relax.Softened(net, C4, ls.relax.FixedSoftness(0), parameters={"0.weight": field_kernel()}).double()
    x = torch.randn(1, 2, 7, 7, dtype=torch.float64)
    moved = soft(x.rot90(1, (2, 3)))
    act = Regular(C4)(C4.components)
    turn = int((C4.components[:, 1, 0] - 1).abs().argmin())
    expected = torch.einsum("ab,nobhw->noahw", act[turn], soft(x).rot90(1, (2, 3)).unflatten(1, (-1, 4))).flatten(1, 2)
    torch.testing.assert_close(moved, expected)
