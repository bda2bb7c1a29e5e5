"""Attribution: contributions sum to the total whatever a network does between, and each is what the chain rule says."""

import importlib.util

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import learnsym as ls
from learnsym.measure import attribute, local_equivariance_error
from learnsym.measure.lie.generator import operator_of

AFFINE = ls.symmetry_by_name("affine2d")
TURN = ls.symmetry_by_name("rotation2d")


def images(count=3, size=8, channels=2):
    return torch.rand(count, channels, size, size, dtype=torch.float64)


class Residual(nn.Module):
    """Functional ReLU, an addition in place, concatenation, max-pool and average."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(2, 4, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        x = F.relu(self.norm(self.stem(x)), inplace=True)
        y = self.conv(x)
        y += x
        y = torch.cat([F.max_pool2d(y, 2), F.avg_pool2d(x, 2)], 1)
        return self.head(y.mean((2, 3)))


class Transformer(nn.Module):
    """A class token, a position embedding, attention with fused and with plain products, a pooled token."""

    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(2, 6, 2, stride=2)
        self.token = nn.Parameter(torch.randn(1, 1, 6))
        self.place = nn.Parameter(torch.randn(1, 17, 6))
        self.norm = nn.LayerNorm(6)
        self.qkv = nn.Linear(6, 18)
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], dim=1) + self.place
        q, k, v = self.qkv(self.norm(x)).reshape(*x.shape[:2], 3, 2, 3).permute(2, 0, 3, 1, 4).unbind(0)
        x = x + F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(x.shape)
        x = x + ((q @ k.mT).softmax(-1) @ v).transpose(1, 2).reshape(x.shape)
        return self.head(x[:, 0])


class Windows(nn.Module):
    """Shifted windows on channels-last maps, and patches merged into channels."""

    def __init__(self):
        super().__init__()
        self.mix = nn.Linear(4, 4)
        self.act = nn.GELU()
        self.merge = nn.Linear(8, 3)

    def forward(self, x):
        x = x.permute(0, 2, 3, 1).roll((-1, -1), (1, 2))
        x = x.reshape(len(x), 2, 4, 2, 4, 2).permute(0, 1, 3, 2, 4, 5).reshape(-1, 16, 2)
        x = self.act(self.mix(torch.cat([x, x], -1)))[..., :2]
        x = x.reshape(-1, 2, 2, 4, 4, 2).permute(0, 1, 3, 2, 4, 5).reshape(-1, 8, 8, 2).roll((1, 1), (1, 2))
        x = x.reshape(len(x), 4, 2, 4, 2, 2).permute(0, 1, 3, 4, 2, 5).flatten(3)
        return self.merge(x).mean((1, 2))


class Opaque(nn.Module):
    """What no rule knows: sorting and products of pixels."""

    def forward(self, x):
        return x.flatten(2).sort(-1).values[..., :3].prod(-1)


NETS = {"residual": Residual, "transformer": Transformer, "windows": Windows, "opaque": Opaque}


def network(name):
    torch.manual_seed(0)
    return NETS[name]().double().eval()


@pytest.mark.parametrize("generator", ["translation_x", "rotation", "shear"])
@pytest.mark.parametrize("name", NETS)
def test_shares_sum_to_one(name, generator):
    found = attribute(network(name), images(), AFFINE, generator)
    assert abs(found.unattributed) < 1e-9
    assert sum(row.share.mean for row in found.rows) == pytest.approx(1)


@pytest.mark.parametrize("derivative", ["spectral", "central", "bilinear"])
def test_total_is_the_local_error(derivative):
    net, x = network("residual"), images()
    found = attribute(net, x, TURN, derivative=derivative)
    lee = local_equivariance_error(net, x, TURN, derivative=derivative).rows[0].lee
    torch.testing.assert_close(found.total.per_sample.square(), lee.per_sample, rtol=1e-9, atol=0)


def test_contributions_are_those_of_the_chain_rule():
    """A chain of three layers, by Jacobians of what comes after each."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(2, 3, 3, stride=2, padding=1).double(), nn.Tanh(), nn.Conv2d(3, 2, 4).double()]
    net, x = nn.Sequential(*layers), images()
    along = operator_of(ls.actions.Image(), TURN.group, 0)
    v, found, pushed = x, [], []
    for layer in layers:
        moved = torch.func.jvp(layer, (v,), (along(v),))[1]
        v = layer(v)
        found.append((v, moved - along(v)))
    for i, (v, jump) in enumerate(found):
        pushed.append(torch.func.jvp(nn.Sequential(*layers[i + 1 :]), (v,), (jump,))[1].flatten(1))
    c = sum(pushed)
    result = attribute(net, x, TURN, probes=2)
    for row, contribution in zip(result.rows, pushed, strict=False):
        exact = (contribution * c).sum() / c.square().sum()
        assert row.share.mean == pytest.approx(exact.item(), abs=1e-12)
        torch.testing.assert_close(row.norm.per_sample, contribution.square().mean(1).sqrt(), rtol=1e-9, atol=1e-14)
    assert result.probe_error == 0.0


def test_what_is_equivariant_contributes_nothing():
    found = attribute(network("transformer"), images(), AFFINE, "translation_x")
    shares = {row.site: abs(row.share.mean) for row in found.rows}
    assert shares["head"] < 1e-12
    assert shares["qkv"] < 1e-9
    assert shares["model · add"] > 1e-3  # the position embedding
    assert shares["patch"] > 1e-3


def test_windows_are_followed():
    found = attribute(network("windows"), images(), TURN)
    assert [row.site for row in found.rows] == ["mix", "act", "merge", "model · mean", "output"]
    assert found.lost == ()
    assert not found.detected


def test_windows_can_be_declared():
    """As a function of the shape; the layout that follows by itself gives the same shares."""
    net, x = network("windows"), images()
    windows = lambda shape: ls.measure.Layout.windows((8, 8), 4, shape[0] // 4, shape[2], shift=(7, 7))  # noqa: E731
    derived, declared = (attribute(net, x, TURN, layouts=layouts) for layouts in (None, {"mix": windows}))
    assert abs(declared.unattributed) < 1e-9
    for a, b in zip(derived.rows, declared.rows, strict=True):
        assert (a.site, a.share.mean) == (b.site, pytest.approx(b.share.mean, abs=1e-9))


@pytest.mark.slow
def test_compiled_networks_are_measured_as_they_are_written():
    net, x = network("residual"), images()
    plain, compiled = (attribute(model, x, TURN) for model in (net, torch.compile(net)))
    assert compiled.total.mean == pytest.approx(plain.total.mean)
    assert len(compiled.rows) == len(plain.rows)


def test_images_need_not_be_square():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(2, 3, 3, stride=2, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    found = attribute(net.double(), torch.rand(3, 2, 8, 14, dtype=torch.float64), AFFINE, "shear")
    assert abs(found.unattributed) < 1e-9


def test_lost_functions_are_named_and_layouts_can_be_declared():
    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.hidden = nn.Conv2d(2, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x):
            return self.hidden(
                torch.einsum("bchw,dc->bdhw", self.stem(x), self.stem.weight[:, :3, 0, 0].new_ones(3, 3))
            )

    net, x = Network().double(), images()
    symmetry = ls.symmetry.rotation2d(on_output=ls.actions.Image())
    found = attribute(net, x, symmetry)
    assert found.lost == ("model · einsum",)
    declared = attribute(net, x, symmetry, layouts={"hidden": "B C H W"})
    assert "hidden" in [row.site for row in declared.rows]
    assert abs(declared.unattributed) < 1e-9


def test_probes_are_near_the_exact_norms_and_say_how_near():
    torch.manual_seed(1)
    net = nn.Sequential(nn.Conv2d(2, 3, 3, stride=2, padding=1), nn.Flatten(), nn.Linear(48, 40)).double()
    x = images()
    exact, random = (attribute(net, x, TURN, probes=probes) for probes in (40, 39))
    assert exact.probe_error == 0
    assert random.probe_error == pytest.approx((2 / 39) ** 0.5)
    for a, b in zip(exact.rows, random.rows, strict=True):
        assert b.norm.mean == pytest.approx(a.norm.mean, rel=4 * random.probe_error, abs=1e-12)


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_batch_size_does_not_change_the_result(batch_size):
    net, x = network("transformer"), images(9)
    whole, parts = (attribute(net, x, TURN, probes=2, batch_size=size) for size in (9, batch_size))
    for a, b in zip(whole.rows, parts.rows, strict=True):
        torch.testing.assert_close(a.share.per_sample, b.share.per_sample, rtol=1e-8, atol=1e-12)
        torch.testing.assert_close(a.norm.per_sample, b.norm.per_sample, rtol=1e-8, atol=1e-12)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="attribution needs Image"):
        attribute(network("residual"), images(), ls.symmetry_by_name("colour"), "contrast")
    with pytest.raises(ValueError, match="there is no module 'steam'"):
        attribute(network("residual"), images(), TURN, layouts={"steam": "B C H W"})
    with pytest.raises(ValueError, match="must have one word per axis"):
        attribute(network("residual"), images(), TURN, layouts={"stem": "B C"})
    with pytest.raises(ValueError, match="takes another path on every call"):
        calls = []
        attribute(lambda x: (calls.append(0), x.relu() if len(calls) % 2 else x.relu().tanh())[1], images(), TURN)


# the size of images is an argument of networks that divide them into patches
SIZES_IN_TIMM = {
    "resnet18": None,
    "vit_tiny_patch16_224": 64,
    "swin_tiny_patch4_window7_224": 112,
    "convnext_atto": None,
    "mixer_s32_224": 64,
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), SIZES_IN_TIMM.items(), ids=SIZES_IN_TIMM)
def test_networks_of_timm(name, size):
    if importlib.util.find_spec("timm") is None:
        pytest.skip("timm is not installed")
    net = ls.nets.timm_model(name, **({"img_size": size} if size else {}))
    found = attribute(net, torch.rand(1, 3, size or 64, size or 64), TURN)
    assert abs(found.unattributed) < 1e-3
