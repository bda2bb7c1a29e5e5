"""The gather samplers against `grid_sample`, which they stand in for."""

import pytest
import torch
import torch.nn.functional as F

from learnsym.actions import bilinear_sample, nearest_sample

SHAPES = [(5, 5), (4, 7), (3, 4, 5)]
PADDINGS = ["zeros", "border", "reflection"]


def example(shape, dtype=torch.float64):
    x = torch.randn(2, 3, *shape, dtype=dtype)
    grid = 1.7 * torch.randn(2, *(size + 1 for size in shape), len(shape), dtype=dtype)
    return x.requires_grad_(), grid.requires_grad_()


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("shape", SHAPES)
def test_equals_grid_sample_with_its_gradients(shape, padding):
    x, grid = example(shape)
    ours = bilinear_sample(x, grid, padding)
    theirs = F.grid_sample(x, grid, padding_mode=padding, align_corners=False)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)
    weight = torch.randn_like(ours)
    gradients = zip(*(torch.autograd.grad(y, (x, grid), weight) for y in (ours, theirs)), strict=True)
    for a, b in gradients:
        torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 2)])
def test_forward_mode_and_second_derivatives(shape, padding):
    x = torch.randn(1, 1, *shape, dtype=torch.float64, requires_grad=True)
    grid = (1.7 * torch.randn(1, *[1] * (len(shape) - 1), 3, len(shape), dtype=torch.float64)).requires_grad_()

    def sample(x, grid):
        return bilinear_sample(x, grid, padding)

    assert torch.autograd.gradcheck(sample, (x, grid), check_forward_ad=True, eps=1e-7, atol=1e-5)
    assert torch.autograd.gradgradcheck(sample, (x, grid), eps=1e-7, atol=1e-4)


def test_vmap_and_jvp_compose():
    x, grid = (t.detach() for t in example((5, 5)))
    dx, dgrid = torch.randn_like(x), torch.randn_like(grid)
    _, expected = torch.func.jvp(bilinear_sample, (x, grid), (dx, dgrid))

    def one(x, grid, dx, dgrid):
        return torch.func.jvp(bilinear_sample, (x[None], grid[None]), (dx[None], dgrid[None]))[1][0]

    torch.testing.assert_close(torch.func.vmap(one)(x, grid, dx, dgrid), expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_nearest_equals_grid_sample(shape):
    x, grid = (t.detach() for t in example(shape))
    theirs = F.grid_sample(x, grid, mode="nearest", align_corners=False)
    assert torch.equal(nearest_sample(x, grid), theirs)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.int64])
def test_nearest_keeps_large_integers(dtype):
    largest = torch.iinfo(dtype).max
    x = torch.full((1, 1, 3, 3), largest, dtype=dtype)
    grid = torch.tensor([0.0, 0.0, 3.0, 0.0]).reshape(1, 1, 2, 2)
    assert nearest_sample(x, grid, fill=7).flatten().tolist() == [largest, 7]
