"""Networks of somebody else: each kind of source loads, and each with something wrong in it is one sentence."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
import torch
from torch import nn

from learnsym.nets import NetConfig, build
from learnsym.nets.sources import source_of

SHAPE, CLASSES = (3, 16, 16), 4
BEGIN = "from dataclasses import dataclass\nfrom typing import NamedTuple\nimport torch\nfrom torch import nn\n"
NET = """
def net(channels=3, classes=4, width=5):
    body = nn.Sequential(nn.Conv2d(channels, width, 3), nn.AdaptiveAvgPool2d(1))
    return nn.Sequential(body, nn.Flatten(), nn.Linear(width, classes))
"""
RETURNING = (
    NET
    + """
class make(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = net()
    def forward(self, x):
        y = self.body(x)
        return {}
"""
)
needs_timm = pytest.mark.skipif(importlib.util.find_spec("timm") is None, reason="timm is not installed")
needs_hf = pytest.mark.skipif(importlib.util.find_spec("transformers") is None, reason="transformers is not installed")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Sources by relative names."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def python(text, **files):
    """Writes m.py and files beside it."""

    def write(folder):
        for name, content in {"m.py": BEGIN + text, **files}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    return write


def transformers(channels=3, **changes):
    """Writes a tiny vision transformer, with other values in its config.json."""

    def write(folder):
        from transformers import ViTConfig, ViTForImageClassification

        sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
        config = ViTConfig(**sizes, image_size=16, patch_size=8, num_labels=CLASSES, num_channels=channels)
        ViTForImageClassification(config).save_pretrained(folder / "vit")
        path = folder / "vit" / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return write


def exported(shape=SHAPE, free=True, change=lambda content: content, net=None):
    """Writes a program."""

    def write(folder):
        module = net or nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, CLASSES))
        shapes = ({0: torch.export.Dim("batch")},) if free else None
        torch.export.save(torch.export.export(module, (torch.rand(2, *shape),), dynamic_shapes=shapes), "p.pt2")
        path = folder / "p.pt2"
        path.write_bytes(change(path.read_bytes()))

    return write


def nothing(folder):
    pass


GOOD = {
    "a function": (python(NET + "def make():\n    return net()\n"), {"name": "m.py:make"}),
    "a class": (python("class make(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
                       "        self.head = nn.Linear(768, 4)\n    def forward(self, x):\n"
                       "        return self.head(x.flatten(1))\n"), {"name": "m.py:make"}),
    "a module": (python(NET + "make = net()\n"), {"name": "m.py:make"}),
    "what the data say": (
        python(NET + "def make(in_channels, classes, in_shape, size, width):\n    assert in_shape == (3, 16, 16) and "
               "size == 16 and width == 32\n    return net(in_channels, classes, width)\n"),
        {"name": "m.py:make"},
    ),
    "as timm calls it": (
        python(NET + "def make(num_classes=1000, in_chans=1):\n    return net(in_chans, num_classes)\n"),
        {"name": "m.py:make"},
    ),
    "a width": (python(NET + "def make(width):\n    assert width == 7\n    return net(width=width)\n"),
                {"name": "m.py:make", "width": 7}),
    "a file beside it": (python("from .other import net as make\n", **{"other.py": BEGIN + NET}),
                         {"name": "m.py:make"}),
    "a file of a package": (
        python("", **{"pkg/__init__.py": "", "pkg/nets/__init__.py": "", "pkg/layers.py": BEGIN + NET,
                      "pkg/nets/m.py": "from ..layers import net\nfrom pkg.layers import net as same\nmake = net\n"}),
        {"name": "pkg/nets/m.py:make"},
    ),
    "a dataclass": (python(NET + "@dataclass\nclass C:\n    width: int = 3\n\ndef make():\n"
                           "    return net(width=C().width)\n"),
                    {"name": "m.py:make"}),
    "layers that wait": (python("def make():\n    return nn.Sequential(nn.Flatten(), nn.LazyLinear(4))\n"),
                         {"name": "m.py:make"}),
    "a dict": (python(RETURNING.format('{"y": y}')), {"name": "m.py:make", "output": "y"}),
    "a tuple": (python(RETURNING.format("(x, y)")), {"name": "m.py:make", "output": "1"}),
    "a named tuple": (python("class Out(NamedTuple):\n    y: torch.Tensor\n" + RETURNING.format("Out(y)")),
                      {"name": "m.py:make", "output": "y"}),
    "a dataclass with logits": (
        python("@dataclass\nclass Out:\n    logits: torch.Tensor\n" + RETURNING.format('{"head": Out(y)}')),
        {"name": "m.py:make", "output": "head.logits"},
    ),
    "a program": (exported(), {"name": "p.pt2"}),
}  # fmt: skip
TIMM = {
    "timm": (nothing, {"name": "timm:resnet10t"}),
    "timm of another size": (nothing, {"name": "timm:vit_tiny_patch16_224"}),
}


def check_builds(folder, write, settings):
    write(folder)
    config = NetConfig(**settings)
    net = build(config, SHAPE, CLASSES)
    net.train()
    y = net(torch.rand(5, *SHAPE))
    y.sum().backward()
    assert y.shape == (5, CLASSES)
    assert any(parameter.grad is not None for parameter in net.parameters())
    assert source_of(config.name).word == config.name and (config.name[:5] == "timm:" or str(folder) in config.name)


@pytest.mark.parametrize(("write", "settings"), GOOD.values(), ids=GOOD)
def test_sources_load(folder, write, settings):
    check_builds(folder, write, settings)


@needs_timm
@pytest.mark.parametrize(("write", "settings"), TIMM.values(), ids=TIMM)
def test_models_of_timm_load(folder, write, settings):
    check_builds(folder, write, settings)


@needs_timm
def test_models_of_timm_take_the_channels_of_the_data():
    assert build(NetConfig(name="timm:resnet10t"), (1, 16, 16), 3)(torch.rand(2, 1, 16, 16)).shape == (2, 3)


@needs_hf
def test_folders_of_transformers_load(folder):
    check_builds(folder, transformers(), {"name": "hf:vit"})


@needs_hf
def test_a_head_of_transformers_for_other_classes_is_made_anew_and_said(folder, caplog):
    transformers()(folder)
    with caplog.at_level("INFO", "learnsym"):
        net = build(NetConfig(name="hf:vit"), SHAPE, 7)
    assert net(torch.rand(2, *SHAPE)).shape == (2, 7)
    assert "its head of 4 classes is made anew, with 7" in caplog.text


@needs_hf
def test_images_are_normalised_as_the_folder_says(folder):
    transformers()(folder)
    x = torch.rand(2, *SHAPE)
    plain = build(NetConfig(name="hf:vit"), SHAPE, CLASSES).eval()((x - 0.5) / 0.5)
    processor = {"do_normalize": True, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    (folder / "vit" / "preprocessor_config.json").write_text(json.dumps(processor))
    assert torch.allclose(build(NetConfig(name="hf:vit"), SHAPE, CLASSES).eval()(x), plain, atol=1e-6)


BAD = {
    "raises": (python("def make():\n    raise KeyError('x')\n"), {"name": "m.py:make"}, "raises KeyError: 'x'"),
    "no function": (python(""), {"name": "m.py:make"}, "m.py has no function 'make'"),
    "no module": (python("def make():\n    return 3\n"), {"name": "m.py:make"}, "returns a int, must be a torch"),
    "no file": (nothing, {"name": "m.py:make"}, "there is no file .*m.py"),
    "syntax": (python("def make(:\n"), {"name": "m.py:make"}, "cannot be executed .SyntaxError"),
    "arguments": (python("def make(depth): ...\n"), {"name": "m.py:make"},
                  "takes depth, must take no arguments but width, in_shape, in_channels, classes, size, num_classes, "
                  "in_chans; give defaults"),
    "width not taken": (python(NET + "def make():\n    return net()\n"), {"name": "m.py:make", "width": 8},
                        "net.width: got 8 .* a width of its own; leave it out"),
    "other classes": (python(NET + "def make():\n    return net(classes=9)\n"), {"name": "m.py:make"},
                      r"gives outputs of shape \(2, 9\) for 2 examples of 4 classes"),
    "other channels": (python(NET + "def make():\n    return net(1)\n"), {"name": "m.py:make"},
                       r"cannot take 2 examples of shape \(3, 16, 16\) .RuntimeError"),
    "two inputs": (python("class make(nn.Module):\n    def forward(self, x, age):\n        return x\n"),
                   {"name": "m.py:make"}, "takes 2 inputs .x, age., and examples are one tensor"),
    "a dict": (python(RETURNING.format('{"y": y}')), {"name": "m.py:make"},
               "net.output: .* returns a dict with keys y, must be one tensor; name a part with --net.output"),
    "no such output": (python(RETURNING.format('{"y": y}')), {"name": "m.py:make", "output": "z"},
                       "net.output: got 'z', but there is a dict with keys y; name one of them"),
    "depth": (nothing, {"name": "m.py:make", "depth": 2}, "net.depth: got 2 .* does not take it; leave it out"),
    "pretrained": (nothing, {"name": "p.pt2", "pretrained": True}, "only timm:NAME has published weights"),
    "no program": (lambda folder: Path("p.pt2").write_text("none"), {"name": "p.pt2"}, "is no file of torch.export"),
    "damaged program": (lambda folder: torch.save({}, folder / "p.pt2"), {"name": "p.pt2"}, "p.pt2 cannot be read"),
    "cut program": (exported(change=lambda content: content[: len(content) // 2]), {"name": "p.pt2"},
                    "p.pt2 is no file of torch.export"),
    "program of one size": (exported(free=False), {"name": "p.pt2"}, "cannot take 3 examples"),
    "program of other data": (exported((3, 16, 16), net=nn.Conv2d(3, 4, 3)), {"name": "p.pt2", "width": 2},
                              "net.width: got 2 with .*p.pt2, which has a width of its own"),
    "unknown": (nothing, {"name": "resnet"}, "net.name: got 'resnet', must be one of cnn, .* FILE.py:factory"),
    "only a file": (nothing, {"name": "m.py"}, "net.name: got 'm.py', must be one of"),
    "output of a library network": (nothing, {"output": "y"}, "net.output: got y with the network cnn"),
}  # fmt: skip
BAD_HF = {
    "no config": (lambda folder: (folder / "vit").mkdir(), "has no config.json of transformers"),
    "no weights": (lambda folder: [transformers()(folder), (folder / "vit/model.safetensors").unlink()], "no weights"),
    "code": (transformers(auto_map={"AutoModel": "code.Model"}), "brings code of its own .auto_map., which is not run"),
    "no such class": (transformers(architectures=["NoModel"]), "holds a NoModel, which transformers .* does not have"),
    "no model": (transformers(architectures=["ViTConfig"]), "holds a ViTConfig"),
    "damaged": (
        lambda folder: [transformers()(folder), (folder / "vit/model.safetensors").write_bytes(b"none")],
        "cannot be read",
    ),
    "other sizes": (transformers(hidden_size=16), "cannot be read|lack"),
    "other data": (transformers(channels=1), "cannot take 2 examples of shape"),
}


@pytest.mark.parametrize(("write", "settings", "message"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_said(folder, write, settings, message):
    write(folder)
    with pytest.raises(ValueError, match=message) as caught:
        build(NetConfig(**settings), SHAPE, CLASSES)
    assert "\n" not in str(caught.value)


@needs_hf
@pytest.mark.parametrize(("write", "message"), BAD_HF.values(), ids=BAD_HF)
def test_what_is_wrong_with_a_folder_of_transformers_is_said(folder, write, message):
    write(folder)
    with pytest.raises(ValueError, match=message) as caught:
        build(NetConfig(name="hf:vit"), SHAPE, CLASSES)
    assert "\n" not in str(caught.value)


@needs_timm
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "timm:resnet81"}, "timm has no model 'resnet81'; close to it: resnet"),
        ({"name": "timm:resnet10t", "width": 64}, "net.width: got 64 with timm:resnet10t"),
    ],
)
def test_what_is_wrong_with_a_model_of_timm_is_said(settings, message):
    with pytest.raises(ValueError, match=message):
        build(NetConfig(**settings), SHAPE, CLASSES)


def test_modes_of_a_program_are_said(folder, caplog):
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
    exported(net=net)(folder)
    with caplog.at_level("INFO", "learnsym"):
        build(NetConfig(name="p.pt2"), SHAPE, CLASSES)
    assert "p.pt2: its batch norm stays in the mode of its export" in caplog.text


def test_a_network_of_several_inputs_takes_them_apart(folder):
    text = "class make(nn.Module):\n    def forward(self, image, age):\n        return image.mean((1, 2, 3)) + age\n"
    python(text)(folder)
    net = build(NetConfig(name="m.py:make"), SHAPE, 0, moves="image")
    image, age = torch.rand(2, *SHAPE), torch.rand(2)
    assert torch.equal(net({"age": age, "image": image}), net((image, age)))
    assert torch.equal(net((image, age)), image.mean((1, 2, 3)) + age)
