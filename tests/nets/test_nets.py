"""Laws of every network."""

import copy
import pickle

import jaxtyping
import pytest
import torch

from learnsym.nets import CNN, MLP, CIFARNet, MarioCNN, NetConfig, SegmentationCNN, build
from learnsym.nets.config import builders

NORMS = ("group", "batch", "none")


def make(name, shape=(3, 16, 16), classes=5, **options):
    return build(NetConfig(name=name, **{"width": 4, "depth": 2, **options}), shape, classes)


OF_PIXELS = ("segmentation", "spherical_unet")
WITH_NORM = [(name, norm) for name in builders for norm in NORMS if norm != "batch" or "spherical" not in name]


@pytest.mark.parametrize(("name", "norm"), WITH_NORM)
def test_shapes_gradients_state(name, norm):
    net = make(name, norm=norm)
    x = torch.rand(4, 3, 16, 16)
    outputs = net(x)
    assert outputs.shape == ((4, 5, 16, 16) if name in OF_PIXELS else (4, 5))
    outputs.square().sum().backward()
    for key, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), key
        assert norm != "group" or parameter.grad.abs().sum() > 0, key
    fresh = make(name, norm=norm)
    fresh.load_state_dict(net.state_dict())
    for twin in (fresh, copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        torch.testing.assert_close(twin.eval()(x), net.eval()(x))


@pytest.mark.parametrize("name", builders)
def test_group_normalisation_keeps_examples_apart(name):
    net = make(name).eval()
    x = torch.rand(4, 3, 16, 16)
    torch.testing.assert_close(net(x)[:2], net(x[:2]))


@pytest.mark.parametrize("size", [8, 13, 28, 32, 48, 64])
@pytest.mark.parametrize("depth", [1, 3, 5])
def test_cnn_takes_images_of_8_to_64_pixels(size, depth):
    assert CNN(1, 10, width=2, size=size, depth=depth)(torch.rand(2, 1, size, size)).shape == (2, 10)


@pytest.mark.parametrize("size", [(9, 9), (16, 31), (36, 48)])
def test_segmentation_keeps_the_size(size):
    assert SegmentationCNN(3, 4, width=2)(torch.rand(2, 3, *size)).shape == (2, 4, *size)


def test_cifar_net_has_nine_convolutions():
    net = CIFARNet(3, 10, width=4)
    assert sum(isinstance(module, torch.nn.Conv2d) for module in net.modules()) == 9


def test_perceptron_takes_other_data():
    assert build(NetConfig(name="mlp", width=8), (5, 3), 2)(torch.rand(4, 5, 3)).shape == (4, 2)


@pytest.mark.parametrize("net", [CNN(1, 1, width=4), MLP(784, 1), MarioCNN(1, 1, width=4)])
def test_one_output_for_a_regression(net):
    assert net(torch.rand(2, 1, 28, 28)).shape == (2, 1)


BAD = {
    "net.name": lambda: NetConfig(name="other"),
    "net.norm": lambda: NetConfig(norm="layer"),
    "norm: got 'layer'": lambda: CNN(1, 2, norm="layer"),
    "net.width": lambda: NetConfig(width=0),
    "width: got 0, must": lambda: CNN(1, 2, width=0),
    "net.dropout": lambda: NetConfig(dropout=1.0),
    "size": lambda: CNN(1, 2, size=4),
    "size: got 65": lambda: make("cnn", (3, 65, 65)),
    "in_shape": lambda: make("cnn", (5, 3)),
    "depth": lambda: SegmentationCNN(1, 2, depth=0),
    "classes": lambda: MLP(4, 0),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_named(message, monkeypatch):
    # the type checker would be first to refuse what is no member of a Literal
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(ValueError, match=f"^{message}"):
        BAD[message]()
