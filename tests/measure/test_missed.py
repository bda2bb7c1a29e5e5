"""Derivatives that a model hides are found, and those that it does not have are refused."""

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.measure import attribute, local_equivariance_error

TURN = ls.symmetry_by_name("rotation2d")


class Hiding(nn.Module):
    """A backbone and a head; `hide` calls the backbone."""

    def __init__(self, hide):
        super().__init__()
        torch.manual_seed(0)
        self.backbone, self.head, self.hide = nn.Conv2d(1, 4, 3), nn.Linear(144, 3), hide

    def forward(self, x):
        return self.head(self.hide(self.backbone, x).relu().flatten(1))


def images():
    return torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def frozen(backbone, x):
    with torch.set_grad_enabled(False):
        return backbone(x)


def half_hidden(backbone, x):
    with torch.no_grad():
        half = backbone(x)
    return (half + backbone(x)) / 2


HIDDEN = {
    "no_grad": lambda backbone, x: torch.no_grad()(backbone)(x),
    "set_grad_enabled": frozen,
    "inference_mode": lambda backbone, x: torch.inference_mode()(backbone)(x) + 0,
    "detach before": lambda backbone, x: backbone(x.detach()),
    "detach after": lambda backbone, x: backbone(x).detach(),
    "data": lambda backbone, x: backbone(x.data),
    "one of two branches": half_hidden,
}


def shares(found):
    return torch.stack([row.share.per_sample for row in found.rows if row.site in ("backbone", "head", "output")])


@pytest.mark.parametrize("name", HIDDEN)
def test_hidden_derivatives_are_followed(name):
    plain, hidden, x = Hiding(lambda backbone, x: backbone(x)), Hiding(HIDDEN[name]), images()
    right, found = attribute(plain, x, TURN), attribute(hidden, x, TURN)
    torch.testing.assert_close(found.total.per_sample, right.total.per_sample, rtol=1e-4, atol=0)
    torch.testing.assert_close(shares(found), shares(right), rtol=1e-3, atol=1e-4)
    assert abs(found.unattributed) < 1e-4
    local = [local_equivariance_error(net, x, TURN).rows[0].relative.per_sample for net in (plain, hidden)]
    torch.testing.assert_close(*local, rtol=1e-4, atol=0)


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad])
def test_the_same_where_the_caller_records_nothing(mode):
    plain = Hiding(lambda backbone, x: backbone(x))
    right = attribute(plain, images(), TURN)
    with mode():
        made = Hiding(lambda backbone, x: backbone(x))
        made.load_state_dict(plain.state_dict())
        weights = list(made.parameters())
        found = attribute(made, images(), TURN)
        local_equivariance_error(made, images(), TURN)
    torch.testing.assert_close(shares(found), shares(right))
    assert all(a is b for a, b in zip(weights, made.parameters(), strict=True))


def through_numpy(backbone, x):
    return torch.from_numpy(backbone(x).detach().numpy())


def half_through_numpy(backbone, x):
    return backbone(x) + 2 * torch.tensor(backbone(x).tolist())


@pytest.mark.parametrize("hide", [through_numpy, half_through_numpy])
def test_derivatives_that_do_not_exist_are_refused(hide):
    x = images()
    with pytest.raises(ValueError, match="cannot be attributed"):
        attribute(Hiding(hide), x, TURN)
    with pytest.raises(ValueError, match="has no derivative, or another one"):
        local_equivariance_error(Hiding(hide), x, TURN)
    by_differences = local_equivariance_error(Hiding(hide), x, TURN, backend="differences")
    assert by_differences.rows[0].relative.mean > 0


def test_the_module_that_hides_is_named():
    class Rounds(nn.Module):
        def forward(self, x):
            return torch.tensor(x.tolist())

    net = nn.Sequential(nn.Conv2d(1, 4, 3), Rounds(), nn.Flatten(), nn.Linear(144, 3))
    with pytest.raises(ValueError, match="its module '1' changes with x"):
        attribute(net, images(), TURN)


def test_classes_have_no_derivative_but_zero():
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    assert local_equivariance_error(lambda x: net(x).argmax(1).float(), images(), TURN).rows[0].lee.mean == 0


class Straight(torch.autograd.Function):
    """The square, with the gradient of the identity."""

    @staticmethod
    def forward(ctx, x):
        return x.square()

    @staticmethod
    def backward(ctx, gradient):
        return gradient


def test_a_gradient_that_is_not_the_derivative_is_refused():
    hidden = Hiding(lambda backbone, x: Straight.apply(backbone(x)))
    for measured in (attribute, local_equivariance_error):
        with pytest.raises(ValueError, match=r"no derivative, or another one"):
            measured(hidden, images(), TURN)
