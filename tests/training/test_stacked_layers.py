"""Layers of all members at once are those of each member: values and gradients, on the layouts that CPUs prefer."""

import copy
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from learnsym.training.stacked import Stacked
from learnsym.training.stacked_layers import SideBySide, without_writes
from tests.reference.one_by_one import one_by_one

M, B = 3, 2


def numbers(*shape):
    return torch.randn(M, *shape, dtype=torch.float64)


def norm(groups):
    return lambda x, weight=None, bias=None: F.group_norm(x, groups, weight, bias)


CASES = {
    "convolution": (F.conv2d, [(4, 6, 5), (8, 4, 3, 3)]),
    "with a bias, a stride and padding": (partial(F.conv2d, stride=2, padding=(1, 2)), [(4, 6, 5), (8, 4, 3, 3), (8,)]),
    "of the same size, dilated": (partial(F.conv2d, padding="same", dilation=2), [(4, 6, 5), (8, 4, 3, 3)]),
    "in groups": (partial(F.conv2d, groups=2), [(4, 6, 5), (8, 2, 3, 3), (8,)]),
    "of one channel": (F.conv2d, [(1, 6, 5), (8, 1, 3, 3)]),
    "norm of channels": (norm(4), [(4, 6, 5), (4,), (4,)]),
    "norm of groups": (norm(2), [(4, 6, 5), (4,), (4,)]),
    "norm without weights": (norm(2), [(4, 6, 5)]),
    "largest of four": (lambda x: F.max_pool2d(x, 2), [(4, 6, 5)]),
    "largest of nine": (lambda x: F.max_pool2d(x, 3, 1, padding=1, ceil_mode=True), [(4, 6, 5)]),
    "where the largest is": (lambda x: F.max_pool2d(x, 2, return_indices=True)[0], [(4, 6, 5)]),
    "mean of the image": (lambda x: F.adaptive_avg_pool2d(x, 1), [(4, 6, 5)]),
    "means of pixels": (lambda x: F.adaptive_avg_pool2d(x, (6, 5)), [(4, 6, 5)]),
    "two layers": (
        lambda x, a, b: F.max_pool2d(F.conv2d(F.group_norm(F.conv2d(x, a), 2).relu_(), b), 2),
        [(4, 9, 9), (6, 4, 3, 3), (2, 6, 3, 3)],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_are_those_of_each_member(name):
    function, (image, *shapes) = CASES[name]
    leaves = [t.requires_grad_() for t in (numbers(B, *image), *(numbers(*shape) for shape in shapes))]
    with SideBySide():
        fast = torch.vmap(function)(*leaves)
    slow = one_by_one(function, *leaves)
    weights = torch.randn_like(slow)
    torch.testing.assert_close(fast, slow, rtol=1e-12, atol=1e-12)
    for pair in zip(*(torch.autograd.grad(y, leaves, weights) for y in (fast, slow)), strict=True):
        torch.testing.assert_close(*pair, rtol=1e-10, atol=1e-12)


def test_what_all_members_share_is_taken_as_it_is():
    x, weight = numbers(B, 4, 6, 5), numbers(8, 4, 3, 3)
    with SideBySide():
        of_one_image = torch.vmap(F.conv2d, (None, 0))(x[0], weight)
        of_one_weight = torch.vmap(F.conv2d, (0, None))(x, weight[0])
    torch.testing.assert_close(of_one_image, one_by_one(lambda w: F.conv2d(x[0], w), weight))
    torch.testing.assert_close(of_one_weight, one_by_one(lambda x: F.conv2d(x, weight[0]), x))


class Overwriting(nn.Module):
    """What is written over is used afterwards."""

    def __init__(self):
        super().__init__()
        self.conv, self.act = nn.Conv2d(2, 3, 3), nn.ReLU(inplace=True)

    def forward(self, x):
        y = self.conv(x)
        self.act(y)
        return y.sum((2, 3))


NETS = {
    "used afterwards": Overwriting,
    "in a row": lambda: nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(inplace=True), nn.Flatten()),
}


@pytest.mark.parametrize("name", NETS)
def test_networks_that_write_in_place(name):
    models = [NETS[name]().double() for _ in range(M)]
    x = numbers(B, 2, 4, 4)
    stacked = Stacked(models)
    losses = stacked.losses(lambda y, _: y.square().sum(), x, x)
    gradient = stacked.gradient(losses)
    for m, model in enumerate(models):
        loss = model(x[m]).square().sum()
        torch.testing.assert_close(losses[m], loss, rtol=1e-12, atol=0)
        own = torch.autograd.grad(loss, list(model.parameters()))
        torch.testing.assert_close(gradient[m], torch.cat([t.flatten() for t in own]), rtol=1e-10, atol=1e-12)


def test_only_writes_that_nobody_sees_are_left_out():
    shared = nn.ReLU(inplace=True)
    net = nn.Sequential(nn.Conv2d(2, 3, 3), shared, nn.Identity(), shared)
    twin = copy.deepcopy(net)
    without_writes(net)
    assert [getattr(module, "inplace", None) for module in net] == [None, False, None, True]
    x = torch.randn(1, 2, 4, 4)
    assert torch.equal(net(x), twin(x))
