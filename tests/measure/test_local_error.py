"""The local equivariance error: against a dense Jacobian, exact cases, every backend, the model left as it was."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import learnsym as ls
from learnsym.measure import local_equivariance_error
from learnsym.measure.lie.flow import check_derivative
from learnsym.measure.lie.generator import operator_of
from learnsym.measure.moves import pairing

IMAGE = ls.actions.Image()


def images(count=5, size=8, channels=2):
    return torch.rand(count, channels, size, size, dtype=torch.float64)


class Attention(nn.Module):
    """One block with what torch treats specially: layer norm, fused attention, batch norm, in-place ReLU, pooling."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(2, 6, 3, stride=2, padding=1)
        self.bn = nn.BatchNorm2d(6)
        self.act = nn.ReLU(inplace=True)
        self.norm = nn.LayerNorm(6)
        self.qkv = nn.Linear(6, 18)
        self.head = nn.Linear(6, 3)
        self.bn.running_mean.normal_()
        self.bn.running_var.uniform_(0.5, 2)

    def forward(self, x):
        x = self.act(self.bn(self.stem(x))).flatten(2).mT
        q, k, v = self.qkv(self.norm(x)).reshape(len(x), -1, 3, 2, 3).permute(2, 0, 3, 1, 4).unbind(0)
        x = x + F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        return self.head(x.mean(1))


def model():
    torch.manual_seed(0)
    return Attention().double()


def dense(f, x, symmetry, place, derivative):
    """The Lie derivative from the whole Jacobian."""
    along, after = operator_of(symmetry.on_input, symmetry.group, place, derivative), f(x)
    jacobian = torch.autograd.functional.jacobian(lambda x: f(x).sum(0), x)  # (K..., B, C, H, W)
    moved = torch.einsum("...bchw,bchw->b...", jacobian, along(x))
    return moved - operator_of(symmetry.on_output, symmetry.group, place, derivative)(after)


CASES = {
    "invariant": (model, ls.symmetry_by_name("affine2d")),
    "equivariant": (
        lambda: nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.GELU()).double(),
        ls.symmetry.affine2d(on_output=IMAGE),
    ),
}


@pytest.mark.parametrize("derivative", ["spectral", "central", "bilinear"])
@pytest.mark.parametrize("case", CASES)
def test_equals_the_dense_jacobian(case, derivative):
    make, symmetry = CASES[case]
    net, x = make().eval(), images()
    found = local_equivariance_error(net, x, symmetry, derivative=derivative, batch_size=2)
    y = net(x)
    scale = (y - y[pairing(5, 0)]).flatten(1).square().sum(1).mean().sqrt()
    for place, row in enumerate(found.rows):
        exact = dense(net, x, symmetry, place, derivative).flatten(1)
        torch.testing.assert_close(row.lee.per_sample, exact.square().mean(1), rtol=1e-10, atol=1e-20)
        torch.testing.assert_close(row.relative.per_sample, exact.norm(dim=1) / scale, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("backend", ["forward", "double"])
def test_backends_agree(backend):
    x, affine = images(), ls.symmetry_by_name("affine2d")
    one = local_equivariance_error(model(), x, affine)
    other = local_equivariance_error(model(), x, affine, backend=backend)
    assert one.backend == "forward"
    assert other.backend == backend
    for a, b in zip(one.rows, other.rows, strict=True):
        torch.testing.assert_close(a.lee.per_sample, b.lee.per_sample, rtol=1e-9, atol=1e-20)


def test_differences_are_close_and_say_how_far_to_trust_them():
    smooth = nn.Sequential(nn.Flatten(), nn.Linear(128, 8), nn.Tanh(), nn.Linear(8, 3)).double()
    x, turn = images(), ls.symmetry_by_name("rotation2d")
    exact, close = (local_equivariance_error(smooth, x, turn, backend=b) for b in ("forward", "differences"))
    torch.testing.assert_close(close.rows[0].lee.per_sample, exact.rows[0].lee.per_sample, rtol=1e-4, atol=0)
    assert close.backend.startswith("differences (step halved: ")


@pytest.mark.parametrize("size", [8, 9, 28, 31, 56, 64, 112, 224, 256])
def test_circular_convolutions_are_exact_at_every_size(size):
    net = nn.Conv2d(3, 4, 3, padding=1, padding_mode="circular")
    symmetry = ls.symmetry.translation2d(on_output=IMAGE)
    for row in local_equivariance_error(net, torch.rand(2, 3, size, size), symmetry).rows:
        assert row.of_derivative.mean <= 1e-5


def test_exact_networks_on_points():
    class Distances(nn.Module):
        def forward(self, x):
            return (x[:, :, None] - x[:, None]).square().sum(-1).flatten(1)

    x = torch.rand(4, 5, 3, dtype=torch.float64)
    exact = local_equivariance_error(Distances(), x, ls.symmetry_by_name("se3"))
    assert all(row.relative.mean < 1e-12 for row in exact.rows)
    broken = local_equivariance_error(lambda x: x[..., 0], x, ls.symmetry_by_name("se3"))
    assert any(row.relative.mean > 1e-3 for row in broken.rows)


def test_reflections_are_out_of_sight_and_a_constant_has_no_error():
    x = images()
    assert (
        local_equivariance_error(
            lambda x: x.new_ones(len(x), 2) + 0 * x.sum((1, 2, 3))[:, None], x, ls.symmetry_by_name("rotation2d")
        )
        .rows[0]
        .relative.mean
        == 0.0
    )


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_batch_size_does_not_change_the_result(batch_size):
    x, affine = images(9), ls.symmetry_by_name("affine2d")
    whole = local_equivariance_error(model(), x, affine, batch_size=9)
    parts = local_equivariance_error(model(), x, affine, batch_size=batch_size)
    for a, b in zip(whole.rows, parts.rows, strict=True):
        torch.testing.assert_close(a.lee.per_sample, b.lee.per_sample, rtol=1e-11, atol=0)


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(8, 5, batch_first=True)

    def forward(self, x):
        return self.lstm(x.flatten(1, 2))[0][:, -1]


SPECIAL = {
    "lstm": Recurrent,
    "transformer layer": lambda: nn.Sequential(
        nn.Flatten(1, 2), nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), nn.Flatten()
    ),
    "grid_sample": lambda: _Sampled(),
    "cdist": lambda: _Distances(),
}


class _Sampled(nn.Module):
    def forward(self, x):
        return F.grid_sample(x, x.permute(0, 2, 3, 1) - 0.5, align_corners=False).flatten(1)


class _Distances(nn.Module):
    def forward(self, x):
        return torch.cdist(x.flatten(1, 2), x[:, 0]).flatten(1)


@pytest.mark.parametrize("name", SPECIAL)
def test_functions_without_a_forward_rule(name):
    torch.manual_seed(0)
    net, x, turn = SPECIAL[name]().double(), images(), ls.symmetry_by_name("rotation2d")
    found = local_equivariance_error(net, x, turn)
    close = local_equivariance_error(net, x, turn, backend="differences")
    torch.testing.assert_close(
        found.rows[0].lee.per_sample, close.rows[0].lee.per_sample, rtol=1e-2, atol=1e-3 * close.rows[0].lee.mean
    )
    assert found.backend.startswith("forward")


def state(net):
    return (
        [module.training for module in net.modules()],
        [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in net.modules()],
        [getattr(module, "inplace", None) for module in net.modules()],
        [(p.requires_grad, p.grad is None) for p in net.parameters()],
        {key: value.clone() for key, value in net.state_dict().items()},
    )


@pytest.mark.parametrize("measure", [ls.measure.local_equivariance_error, ls.measure.attribute])
@pytest.mark.parametrize("fails", [False, True])
def test_the_model_is_left_as_it_was_found(measure, fails):
    net = model().train()
    net.norm.eval()
    next(net.parameters()).requires_grad_(False)
    before = copy.deepcopy(state(net))
    fast = torch.backends.mha.get_fastpath_enabled()
    x = images(channels=3 if fails else 2)
    if fails:
        with pytest.raises(RuntimeError):
            measure(net, x, ls.symmetry_by_name("rotation2d"))
    else:
        measure(net, x, ls.symmetry_by_name("rotation2d"))
    after = state(net)
    assert before[:4] == after[:4]
    assert all(torch.equal(before[4][key], after[4][key]) for key in before[4])
    assert torch.backends.mha.get_fastpath_enabled() == fast
    assert torch.overrides._get_current_function_mode_stack() == []


def test_bad_input_is_named():
    x, turn = images(), ls.symmetry_by_name("rotation2d")
    with pytest.raises(ValueError, match="must be >= 2"):
        local_equivariance_error(model(), x[:1], turn)
    with pytest.raises(ValueError, match="C_4 is finite"):
        local_equivariance_error(model(), x, ls.symmetry_by_name("quarter_turns2d"))
    with pytest.raises(ValueError, match="has no derivative"):
        local_equivariance_error(lambda x: torch.tensor(x.tolist())[..., 1, 2], x, turn)
    with pytest.raises(ValueError, match="must be floating point"):
        local_equivariance_error(lambda x: x.mean((2, 3)).argmax(1), x, turn)
    with pytest.raises(ValueError, match="derivative: got 'wavelet'"):
        check_derivative("wavelet")
    with pytest.raises(ValueError, match="example 3 is not finite"):
        local_equivariance_error(lambda part: part.mean((2, 3)) / (part - x[3]).abs().sum((1, 2, 3))[:, None], x, turn)


@pytest.mark.parametrize(("size", "calls"), [(8, [4]), (256, [2, 2])])
def test_large_examples_are_differentiated_in_halves_with_the_same_result(size, calls):
    torch.manual_seed(0)
    net, x, turn = nn.Conv2d(1, 2, 3, padding=1), torch.rand(4, 1, size, size), ls.symmetry_by_name("rotation2d")
    seen = []

    def model(x):
        if torch.autograd.forward_ad.unpack_dual(x).tangent is not None:
            seen.append(len(x))
        return net(x).square().mean((2, 3))

    halves = local_equivariance_error(model, x, turn, batch_size=4)
    assert seen == calls
    single = local_equivariance_error(model, x, turn, batch_size=1)
    torch.testing.assert_close(halves.rows[0].lee.per_sample, single.rows[0].lee.per_sample, rtol=1e-4, atol=0)
