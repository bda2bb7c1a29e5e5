"""Maps between grids: plain and exact twins, dense arrays, projection, slow twins, functions of torch."""

import copy
import pickle

import jaxtyping
import pytest
import torch
from torch import nn
from torch.func import functional_call, grad, jvp, vmap

from learnsym.learners import degrees
from learnsym.objectives import WithPrior
from learnsym.relax import (
    ConvMap,
    DenseMap,
    FactoredMap,
    GridPathway,
    Interpolation,
    SparsifiedConv,
    SparsifiedMap,
    polyphase,
)
from learnsym.relax.grid_maps import translation_mean, unrolled
from learnsym.relax.interpolation import NOISE
from tests.reference.factored_maps import block_diagonal, interpolated

SIZE = (4, 6)
FREE = {"FC": DenseMap, "F-FC": FactoredMap, "S-FC": SparsifiedMap}
CONV = {"CONV": ConvMap, "S-CONV": SparsifiedConv}
SINGLE = {**FREE, **CONV, "learned S-FC": lambda *a, **k: SparsifiedMap(*a, **k, learned_bandwidth=True)}
PAIRS = {
    "FC+CONV": lambda *a, **k: GridPathway(DenseMap(*a, **k), ConvMap(*a, **k)),
    "S-FC+S-CONV": lambda *a, **k: GridPathway(SparsifiedMap(*a, **k), SparsifiedConv(*a, **k)),
}
ALL = {**SINGLE, **PAIRS}


def images(batch=5):
    return torch.randn(batch, 3, *SIZE, dtype=torch.float64)


@pytest.fixture(params=[1, 2], ids="stride {}".format)
def stride(request):
    return request.param


@pytest.fixture(params=ALL.values(), ids=ALL.keys())
def layer(request, stride):
    torch.set_default_dtype(torch.float64)  # so that also constants start exact
    try:
        made = request.param(3, 4, SIZE, stride=stride)
        for parameter in made.parameters():
            if parameter.ndim == 1:
                nn.init.normal_(parameter)
        return made
    finally:
        torch.set_default_dtype(torch.float32)


def test_plain_is_the_same_function_of_torch_alone(layer):
    x = images()
    plain = layer.plain()
    torch.testing.assert_close(plain(x), layer(x))
    torch.testing.assert_close(pickle.loads(pickle.dumps(copy.deepcopy(plain)))(x), layer(x))
    assert not [m for m in plain.modules() if type(m).__module__.startswith("learnsym")]


def test_exact_commutes_with_translations(layer, stride):
    exact, x = layer.exact(), images()
    y = exact(x)
    for k, m in ((1, 0), (1, 2)):
        moved = exact(x.roll((k * stride, m * stride), (2, 3)))
        torch.testing.assert_close(moved, y.roll((k, m), (2, 3)), rtol=0, atol=1e-10)


@pytest.mark.parametrize("make", FREE.values(), ids=FREE.keys())
def test_exact_is_the_nearest(make, stride):
    layer = make(3, 4, SIZE, stride=stride).double()
    exact, x = layer.exact(), images()
    mean = translation_mean(layer.matrix(), SIZE, stride)
    expected = torch.einsum("dcyx,bcx->bdy", unrolled(mean, stride), x.flatten(2)) + layer.constant().mean(1)[:, None]
    torch.testing.assert_close(exact(x).flatten(2), expected)
    gap = layer.matrix() - unrolled(mean, stride)
    torch.testing.assert_close(layer.distance(), gap.norm() / layer.matrix().norm())
    assert (gap * unrolled(torch.randn_like(mean), stride)).sum().abs() < 1e-10
    share = degrees(nn.Sequential(layer))[0].estimate
    assert 0 < share < 1 and share == pytest.approx(1 - layer.distance().item() ** 2)


def test_dense_arrays_are_the_map():
    for make in (*FREE.values(), *CONV.values()):
        layer, x = make(3, 4, SIZE).double(), images()
        expected = torch.einsum("dcyx,bcx->bdy", layer.matrix(), x.flatten(2)) + layer.constant()
        torch.testing.assert_close(layer(x).flatten(2), expected)


@pytest.mark.parametrize("make", CONV.values(), ids=CONV.keys())
def test_convolutions_commute_with_all_translations(make):
    layer, x = make(3, 4, SIZE, stride=2).double(), images()
    y = layer(x)
    for k, m in ((1, 0), (0, 1), (3, 2)):
        moved = layer(x.roll((k, m), (2, 3)))
        shifts = [y.roll((i, j), (2, 3)) for i in range(2) for j in range(3)]
        gaps = torch.stack([(moved - shifted).flatten(1).norm(dim=1) for shifted in shifts])
        assert gaps.amin(0).max() < 1e-10  # each example by its own number of pixels
    assert torch.equal(layer(x[:1]), y[:1])  # whatever else is in the batch


def test_a_pathway_of_convolutions_is_exact():
    layer = GridPathway(DenseMap(3, 4, SIZE, stride=2), ConvMap(3, 4, SIZE, stride=2)).double()
    assert 0.5 < layer.distance() < 1
    nn.init.zeros_(layer.free.weight)
    assert layer.distance() < 1e-12
    assert layer.degrees("layer:0")[0].estimate == pytest.approx(1)


def test_every_parameter_gets_a_gradient(layer):
    layer(images()).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in layer.parameters())


def test_functions_of_torch(layer, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the compiler cannot trace the type checker
    x, parameters = images(3), dict(layer.named_parameters())

    def loss(parameters, x):
        return functional_call(layer, parameters, (x[None],)).square().mean()

    per_sample = vmap(grad(loss), (None, 0))(parameters, x)
    together = grad(lambda p: functional_call(layer, p, (x,)).square().mean())(parameters)
    for name, value in together.items():
        torch.testing.assert_close(per_sample[name].mean(0), value)
    assert jvp(layer, (x,), (x,))[1].shape == layer(x).shape
    torch.testing.assert_close(torch.compile(layer, fullgraph=True, backend="eager")(x), layer(x))
    torch.testing.assert_close(pickle.loads(pickle.dumps(copy.deepcopy(layer)))(x), layer(x))
    assert list(layer.train().state_dict()) == list(layer.eval().state_dict())


def test_autocast(layer):
    x, single = images().float(), layer.float()
    expected = single(x)
    with torch.autocast("cpu", torch.bfloat16):
        assert (single(x).float() - expected).norm() < 0.05 * expected.norm()


def test_factored_is_block_diagonal(stride):
    layer, x = FactoredMap(3, 4, SIZE, stride=stride).double(), images()
    nn.init.normal_(layer.channel_bias)
    nn.init.normal_(layer.pixel_bias)
    torch.testing.assert_close(layer(x), block_diagonal(layer, x))


def test_interpolation_is_the_mean_of_a_gaussian_process():
    table = Interpolation((3, 4), 0.5, bandwidth=0.7).double()
    u, positions = torch.randn(table.count, dtype=torch.float64), table.points()
    expected = interpolated(u, positions, positions[table.anchors()], 0.7, NOISE)
    torch.testing.assert_close(u @ table(), expected, rtol=1e-5, atol=1e-5)
    learned = Interpolation((3, 4), 0.5, bandwidth=0.7, learned_bandwidth=True).double()
    torch.testing.assert_close(learned(), table(), rtol=1e-5, atol=1e-5)


def test_reducing_keeps_what_anchors_can_say():
    smooth = Interpolation((4, 4), 0.5).double()
    values = torch.randn(3, smooth.count).double()
    torch.testing.assert_close(smooth.reduce(values @ smooth()), values)
    conv, factored = ConvMap(3, 4, SIZE).double(), FactoredMap(3, 4, SIZE).double()
    torch.testing.assert_close(SparsifiedConv.reduced(conv, share=1.0).kernel(), conv.kernel())
    torch.testing.assert_close(SparsifiedMap.reduced(factored, share=1.0).matrix(), factored.matrix())
    gap = SparsifiedConv.reduced(conv).kernel() - conv.kernel()
    assert 0 < gap.norm() < conv.kernel().norm()


def test_anchors_are_seeded():
    a, b, c = (Interpolation((8, 8), 0.5, seed=seed).anchors() for seed in (0, 0, 1))
    assert torch.equal(a, b) and not torch.equal(a, c) and len(a.unique()) == 32


def test_polyphase_takes_the_largest():
    x = torch.zeros(2, 1, 4, 4)
    x[0, 0, 0::2, 1::2] = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    x[1, 0, 1::2, 0::2] = 5.0
    assert torch.equal(polyphase(x, 2)[:, 0], torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 5.0], [5.0, 5.0]]]))


def test_the_prior_is_two_weight_decays():
    layer = GridPathway(DenseMap(3, 4, 4), ConvMap(3, 4, 4), free_variance=0.5, conv_variance=2.0)
    expected = 0.5 * (48 * layer.free.weight.square().sum() / 0.5 + 27 * layer.conv.weight.square().sum() / 2)
    torch.testing.assert_close(layer.penalty(), expected)
    batch = torch.randn(2, 3, 4, 4), torch.randn(2, 4, 4, 4)
    assert WithPrior(nn.functional.mse_loss, 10)(layer, batch).parts["prior"] == layer.penalty() / 10


def test_errors_name_the_remedy():
    with pytest.raises(ValueError, match="stride: got 3"):
        DenseMap(1, 1, 8, stride=3)
    with pytest.raises(ValueError, match="kernel_size: got 2"):
        ConvMap(1, 1, 8, kernel_size=2)
    with pytest.raises(ValueError, match="share: got 0"):
        Interpolation((2, 2), 0.0)
    with pytest.raises(ValueError, match="conv: out_channels is 5"):
        GridPathway(DenseMap(3, 4, 8), ConvMap(3, 5, 8))
    with pytest.raises(ValueError, match="x: got images"):
        DenseMap(3, 4, 8)(torch.rand(2, 3, 9, 9))
