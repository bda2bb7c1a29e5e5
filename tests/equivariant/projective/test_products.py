"""Products of multivectors against structure constants from first principles; their gradients; what they mean."""

import pytest
import torch

from learnsym.equivariant import projective as ga
from tests.reference import geometric_algebra as slow

PRODUCTS = {
    "geometric": (ga.geometric_product, slow.product),
    "wedge": (ga.wedge, slow.wedge),
    "join": (ga.join, slow.join),
}
every_product = pytest.mark.parametrize("name", PRODUCTS)


def _random(tokens=5, channels=2, requires_grad=False):
    shapes = (4, channels, tokens), (4, channels, 3, tokens)
    return ga.Multivectors(*(torch.randn(s, dtype=torch.float64, requires_grad=requires_grad) for s in shapes))


def _point(*position):
    x = torch.zeros(1, 1, 16, dtype=torch.float64)
    x[..., 1], x[..., 13:] = 1, torch.tensor(position, dtype=torch.float64)
    return ga.Multivectors(*slow.parts(x))


def test_reference_is_an_algebra():
    x, y, z = torch.randn(3, 7, 16, dtype=torch.float64)
    torch.testing.assert_close(slow.product(slow.product(x, y), z), slow.product(x, slow.product(y, z)))
    torch.testing.assert_close(slow.wedge(slow.wedge(x, y), z), slow.wedge(x, slow.wedge(y, z)))
    assert int(slow.PRODUCT.count_nonzero()) == 192 and int(slow.WEDGE.count_nonzero()) == 81


@every_product
def test_equals_the_slow_twin(name):
    fast, reference = PRODUCTS[name]
    x, y = _random(), _random()
    torch.testing.assert_close(slow.components(*fast(x, y)), reference(slow.components(*x), slow.components(*y)))


@every_product
def test_gradients(name):
    fast, x, y = PRODUCTS[name][0], _random(2, 1, True), _random(2, 1, True)

    def function(a, b, c, d):
        return tuple(fast(ga.Multivectors(a, b), ga.Multivectors(c, d)))

    assert torch.autograd.gradcheck(function, (*x, *y))
    assert torch.autograd.gradgradcheck(function, (*x, *y))


@every_product
def test_vmap(name):
    fast = PRODUCTS[name][0]
    x, y = _random(), [_random() for _ in range(3)]
    stacked = ga.Multivectors(*(torch.stack(part, 1) for part in zip(*y, strict=True)))
    found = torch.func.vmap(lambda s, v: tuple(fast(x, ga.Multivectors(s, v))), in_dims=1)(*stacked)
    for k, other in enumerate(y):
        for part, expected in zip(found, fast(x, other), strict=True):
            torch.testing.assert_close(part[k], expected)


def test_duals():
    x = _random()
    torch.testing.assert_close(slow.components(*ga.dual(x)), slow.dual(slow.components(*x)))
    for part, expected in zip(ga.undual(ga.dual(x)), x, strict=True):
        assert torch.equal(part, expected)
    for part, expected in zip(ga.dual(ga.dual(x)), ga.involuted(x), strict=True):
        assert torch.equal(part, expected)


def test_joins_of_points():
    a, b, c = _point(1.0, 2.0, 3.0), _point(1.0, 4.0, 3.0), _point(0.0, 0.0, 5.0)
    line = ga.join(a, b)
    # direction and moment
    assert line.vectors[1].flatten().tolist() == [0, -2, 0]
    assert line.vectors[2].flatten().tolist() == [-6, 0, 2]
    plane = slow.components(*ga.join(line, c)).flatten()
    for point in ([1.0, 2.0, 3.0], [1.0, 4.0, 3.0], [0.0, 0.0, 5.0]):
        # n·x + q = 0 with the sign of planes here
        assert float(plane[4:7] @ torch.tensor(point, dtype=torch.float64) - plane[2]) == pytest.approx(0)


def test_one_pass_of_bfloat16():
    x = ga.Multivectors(*(part.bfloat16() for part in _random()))
    assert all(part.dtype == torch.bfloat16 for part in ga.geometric_product(x, x))
