"""Bad inputs of `learnsym measure`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from bad import Bad, needing

RANDOM = np.random.default_rng(0)
X = RANDOM.random((12, 3, 8, 8), dtype=np.float32)
Y = np.arange(12) % 5
BLACK = np.where(np.arange(12)[:, None, None, None] == 5, 0, X)

MODELS = """
from __future__ import annotations
import sys
import torch
from torch import nn

class Failing(nn.Module):
    def __init__(self, error):
        super().__init__()
        self.error = error

    def forward(self, x):
        raise self.error

class Own(Exception):
    pass

class TwoInputs(nn.Module):
    def forward(self, x, t):
        return x + t

class Returning(nn.Module):
    def __init__(self, make):
        super().__init__()
        self.make = make

    def forward(self, x):
        return self.make(x)

class Sized(nn.Module):
    def forward(self, x):
        assert x.shape[-1] == 9, "nine pixels"
        return x.flatten(1)

def linear(inputs=192):
    return nn.Sequential(nn.Flatten(), nn.Linear(inputs, 5))

make = linear
number = 3
def with_arguments(width, depth=2): return linear()
def raising(): raise KeyError("no weights")
def leaving(): sys.exit(0)
def no_module(): return [linear()]
def a_class(): return nn.Linear
def nothing(): pass
def other_size(): return linear(27)
def two_inputs(): return TwoInputs()
def bfloat(): return linear().bfloat16()
def half(): return linear().half()
def double(): return linear().double()
def on_meta(): return linear().to("meta")
def key_error(): return Failing(KeyError("pixel_values"))
def attribute_error(): return Failing(AttributeError("no attribute 'shape'"))
def zero_division(): return Failing(ZeroDivisionError("division by zero"))
def own_error(): return Failing(Own("mine"))
def assertion(): return Failing(AssertionError())
def scripted(): return torch.jit.script(Sized())
def traced(): return torch.jit.trace(linear(27), torch.rand(1, 3, 3, 3))
def exported(): return torch.export.export(linear(27), (torch.rand(2, 3, 3, 3),)).module()
def a_dict(): return Returning(lambda x: {"logits": x, "mean": x.mean(1)})
def a_tuple(): return Returning(lambda x: (x, x))
def a_none(): return Returning(lambda x: None)
def a_number(): return Returning(lambda x: x.mean())
def two(): return {"side": torch.rand(8, 2), "image": torch.rand(8, 3, 8, 8)}, torch.arange(8) % 5
def one(): return torch.rand(8, 3, 8, 8), torch.arange(8) % 5
def logarithm(): return Returning(lambda x: x.mean((2, 3)).log())
"""


def arrays(**given: object) -> Callable[[Path], None]:
    """Writes them."""
    return lambda path: np.savez(path.open("wb"), **given)  # type: ignore[arg-type]


def damaged(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """Writes a good file, changed."""

    def write(path: Path) -> None:
        np.savez(path, x=X, y=Y)
        path.write_bytes(change(path.read_bytes()))

    return write


def model(name: str, *says: str, more: str = "") -> Bad:
    """A model that cannot be measured."""
    return _bad(f"model {name} {more}".strip(), f"m.py:{name}", says, more=more)


def data(name: str, write: Callable[[Path], None] | str | bytes, *says: str) -> Bad:
    """Data that cannot be measured on."""
    return _bad(f"data {name}", "m.py:make", (*says, "data"), {"d.npz": write})


def option(words: str, *says: str) -> Bad:
    """An option that cannot be honoured."""
    return _bad(f"option {words}", "m.py:make", says, more=words)


def _bad(
    name: str,
    subject: str,
    says: tuple[str, ...],
    files: dict[str, str | bytes | Callable[[Path], None]] | None = None,
    more: str = "",
) -> Bad:
    given = more.split()
    for word, value in (("--data", "d.npz"), ("--symmetry", "flip2d"), ("--out", "card")):
        given += [] if word in given else [word, value]
    here = {"m.py": MODELS, "d.npz": arrays(x=X, y=Y), "afile": "text", "run/config.yaml": "{}\n"}
    return Bad(name, ["measure", subject, *given], says, {**here, **(files or {})})


def _flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def _with(x: np.ndarray, index: tuple[int, ...], value: float) -> np.ndarray:
    changed = x.astype(float)
    changed[index] = value
    return changed


CALCULATOR = """
from ase.calculators.emt import EMT
def make(): return EMT()
def number(): return 3
def raising(): raise KeyError("no weights")
"""
WATER = "3\nProperties=species:S:1:pos:R:3{}\nO 0 0 0.1\nH 0 0.8 -0.5\nH 0 -0.8 -0.5\n"


def calculator(words: str, *says: str, frames: str = WATER.format("")) -> Bad:
    """A calculator of ASE that cannot be measured."""
    given = words if "--data " in words or words.endswith("alone") else f"{words} --data w.xyz"
    files = {"c.py": CALCULATOR, "w.xyz": frames, "d.npz": arrays(x=X)}
    return Bad(f"calculator {words} {says[0]}", f"measure {given.removesuffix(' alone')}", says, files)


FLAT = ' Lattice="1 0 0 0 1 0 1 1 0" pbc="T T T"'
CALCULATORS = [
    calculator("ase:c.py:nothing", "model: c.py has no function 'nothing' that makes a calculator"),
    calculator("ase:c.py", "model: got 'ase:c.py', must be ase:FILE.py:factory"),
    calculator("ase:none.py:make", "model: there is no file"),
    calculator("ase:c.py:number", "model: number() of c.py returns a int, must be a calculator of ASE"),
    calculator("ase:c.py:raising", "model: raising() of c.py raises KeyError"),
    calculator("ase:c.py:make ase:c.py:make", "model: got 2 with a calculator of ASE, must be one"),
    calculator("ase:c.py:make alone", "data: got None, must be frames in FILE.xyz"),
    calculator("ase:c.py:make --data d.npz", "data: got d.npz, must be frames in FILE.xyz"),
    calculator("ase:c.py:make --data none.xyz", "none.xyz: cannot be read as text"),
    calculator("ase:c.py:make", "line 3: got 'O 0 0 0.1', expected 7 columns", frames=WATER.format(":forces:R:3")),
    calculator("ase:c.py:make", "frames: frame 0 is periodic", "a cell of no volume", frames=WATER.format(FLAT)),
    calculator("ase:c.py:make", "calculator: fails on every frame", "Xe", frames=WATER.format("").replace("O ", "Xe ")),
    calculator("ase:c.py:make", "units eV and Angstrom, not units=Bohr", frames=WATER.format(" units=Bohr")),
    calculator("ase:c.py:make --data.units parsec", "units: got 'parsec', must be one of eV"),
    calculator("ase:c.py:make --symmetry so3", "symmetry: got ['so3'], must be o3"),
    calculator("ase:c.py:make --size 8", "size: is not used for a calculator of ASE; leave it out"),
    calculator("ase:c.py:make --samples 2", "orientations: got 2, must be >= 3"),
    calculator("ase:c.py:make --examples 0", "examples: got 0, must be >= 1"),
]
TAKEN = "cannot take inputs of shape (3, 8, 8)"

ROWS: list[Bad] = [
    _bad("model not finite", "m.py:logarithm", ("example 5 of d.npz is not finite",), {"d.npz": arrays(x=BLACK)}),
    Bad("no data", "measure timm:resnet18 --symmetry rotation2d --out card", ("data: got none",)),
    Bad("no such file", "measure m.py:make --data digits --symmetry rotation2d --out card", ("m.py",)),
    Bad("no model", "measure --data digits --symmetry flip2d --out card", ("required: model",)),
    Bad("no symmetry", "measure timm:resnet18 --data digits --out card", ("required: --symmetry",)),
    model("missing", "has no function 'missing'"),
    model("number", "has no function 'number'"),
    model("with_arguments", "takes width, must take no arguments"),
    model("TwoInputs", "forward takes 2 inputs (x, t)"),
    model("Failing", "takes error, must take no arguments"),
    model("raising", "raising() of m.py raises KeyError: 'no weights'"),
    model("leaving", "raises SystemExit: 0"),
    model("no_module", "returns a list, must be a torch.nn.Module"),
    model("a_class", "returns a type, must be a torch.nn.Module"),
    model("nothing", "returns a NoneType, must be a torch.nn.Module"),
    model("other_size", TAKEN, "mat1 and mat2", "give other data or a size"),
    model("two_inputs", "forward takes 2 inputs (x, t), must take one"),
    model("bfloat", "weights are bfloat16 and x is float32", "model.to(torch.float32)"),
    model("half", "weights are float16 and x is float32"),
    model("double", "weights are float64 and x is float32"),
    model("on_meta", "cannot be put on cpu"),
    model("key_error", TAKEN, "KeyError: 'pixel_values'"),
    model("attribute_error", TAKEN, "AttributeError: no attribute 'shape'"),
    model("zero_division", TAKEN, "ZeroDivisionError"),
    model("own_error", TAKEN, "Own: mine"),
    model("assertion", TAKEN, "AssertionError"),
    model("Sized", TAKEN, "AssertionError: nine pixels"),
    model("scripted", TAKEN, "AssertionError: nine pixels"),
    model("traced", TAKEN, "mat1 and mat2"),
    model("a_dict", "returns a dict with keys logits, mean, must be one tensor", "--output"),
    model("a_dict", "got 'logit'", "keys logits, mean", more="--output logit"),
    model("a_dict", "got 'logits.x'", more="--output logits.x"),
    model("a_tuple", "returns a tuple with parts 0, 1"),
    model("a_tuple", "got '2'", "parts 0, 1", more="--output 2"),
    model("a_none", "returns a NoneType"),
    model("a_number", "got shape () for 2 examples"),
    model("make", "got '0'", "one tensor", more="--output 0"),
    *needing(
        "timm",
        [
            _bad("model timm at another size", "timm:vit_tiny_patch16_224", (TAKEN, "AssertionError: Input height")),
            _bad("model timm unknown", "timm:resnet81", ("timm has no model 'resnet81'",)),
        ],
    ),
    _bad("model without factory", "m.py", ("must be a run folder, FILE.py:factory",)),
    _bad("model with an empty factory", "m.py:", ("has no function ''",)),
    _bad("model a folder that is no run", ".", (". is not a run folder",)),
    _bad("model damaged program", "p.pt2", ("p.pt2 is no file of torch.export",), {"p.pt2": b"PK\x03\x04"}),
    _bad("model no program", "d.npz.pt2", ("d.npz.pt2 cannot be read",), {"d.npz.pt2": arrays(x=X)}),
    _bad("model missing program", "p.pt2", ("p.pt2 is no file of torch.export",)),
    _bad("model syntax", "s.py:make", ("cannot be executed (SyntaxError",), {"s.py": "def make(:\n"}),
    _bad("model import", "s.py:make", ("ModuleNotFoundError: No module named",), {"s.py": "import not_a_module_xyz\n"}),
    _bad("model raises", "s.py:make", ("cannot be executed (ZeroDivisionError",), {"s.py": "1 / 0\n"}),
    _bad("model exits", "s.py:make", ("cannot be executed (SystemExit",), {"s.py": "raise SystemExit\n"}),
    _bad("model binary", "s.py:make", ("cannot be executed (SyntaxError",), {"s.py": b"\x00\xff\xfe"}),
    data("empty", b"", "d.npz cannot be read"),
    data("text", "1,2,3\n", "d.npz cannot be read"),
    data("truncated", damaged(lambda content: content[: len(content) // 2]), "d.npz cannot be read"),
    data("without its end", damaged(lambda content: content[:-10]), "d.npz cannot be read"),
    data("bit-flipped numbers", damaged(lambda content: _flipped(content, 400)), "d.npz cannot be read"),
    data("bit-flipped header", damaged(lambda content: _flipped(content, 100)), "d.npz cannot be read"),
    data("no arrays in it", arrays(), "has no array x"),
    data("no x", arrays(pixels=X), "has no array x, but holds pixels", "--data.x NAME"),
    data("objects", arrays(x=np.array([{}, {}], dtype=object)), "cannot be read (Object arrays"),
    data("text as x", arrays(x=np.array(["a", "b"])), "must be numbers"),
    data("dates as x", arrays(x=np.array(["2020-01-01"], dtype="datetime64[D]")), "must be numbers"),
    data("scalar x", arrays(x=np.float32(1)), "x: got a single number"),
    data("one axis", arrays(x=X[:, 0, 0, 0]), "must be (N, ...)"),
    data("no examples", arrays(x=X[:0]), "no train examples"),
    data("one example", arrays(x=X[:1]), "at least 2"),
    data("no pixels", arrays(x=X[:, :, :0]), "empty"),
    data("complex x", arrays(x=X * 1j), "got dtype torch.complex"),
    *(data(f"{kind} x", arrays(x=(9 * X).astype(kind)), "got dtype", kind) for kind in ("int8", "int64", "uint16")),
    data("NaN in x", arrays(x=_with(X, (7, 0, 0, 0), np.nan)), "first in example 7"),
    data("infinity in x", arrays(x=_with(X, (11, 2, 7, 7), -np.inf)), "first in example 11"),
    data("too large for float32", arrays(x=_with(X, (3, 0, 0, 0), 1e300)), "first in example 3"),
    data("scalar y", arrays(x=X, y=np.int64(1)), "y: got a single number"),
    data("short y", arrays(x=X, y=Y[:5]), "got 5 targets for 12 inputs"),
    data("complex y", arrays(x=X, y=Y * 1j), "y: got dtype complex128"),
    data("NaN in y", arrays(x=X, y=_with(Y, (4,), np.nan)), "y: contains NaN or infinity, first in example 4"),
    data("labels from 1", arrays(x=X, y=Y + 1), "y: labels run from 1", "subtract 1"),
    _bad(
        "data without channels", "m.py:make", ("cannot take inputs of shape (1, 8, 8)",), {"d.npz": arrays(x=X[:, 0])}
    ),
    option("--data .", "holds no examples"),
    option("--data nowhere.npz", "nowhere.npz cannot be read"),
    option("--data afile", "'afile'", "a file or folder of your own"),
    option("--data d.csv", "d.csv cannot be read"),
    option("--data.layout table", "data.layout: got table for an array of shape"),
    option("--data.energy E", "data.energy: got 'E', but npz data has no use for it"),
    option("--data.layout wide", "invalid choice: 'wide'"),
    option("--data unheard", "unheard"),
    option("--size 0", "size: got 0"),
    option("--size -3", "size: got -3"),
    option("--size 1.5", "invalid int value"),
    option("--size 12", "cannot take inputs of shape (3, 12, 12)"),
    option("--size 1000000", "numbers need", "this machine has"),
    option("--examples 0", "examples: got 0"),
    option("--examples -1", "examples: got -1"),
    option("--samples 1", "samples: got 1"),
    option("--samples 100000000", "samples: got 100000000, must lie in [2, 10000]"),
    option("--samples 1e8", "invalid int value: '1e8'"),
    option("--layer-examples 0", "layer_examples: got 0"),
    option("--memory -1", "memory: got -1.0"),
    option("--memory nan", "memory: got nan"),
    option("--memory inf", "memory: got inf"),
    option("--memory lots", "memory: got 'lots', must be an amount such as 512M or 4G"),
    option("--memory 0G", "memory: got 0.0"),
    option("--memory 1K", "memory: got 1K, and one example takes"),
    option("--seed -1", "seed: got -1"),
    option("--seed 99999999999999999999", "seed: got 99999999999999999999"),
    option("--derivative wavelet", "invalid choice: 'wavelet'"),
    option("--device gpu", "device: got 'gpu'"),
    option("--device cuda:99", "device: got 'cuda:99'"),
    option("--device meta", "device: got 'meta'"),
    option("--pretrained", "only timm:NAME has published weights"),
    option("--weights afile", "weights: got 'afile', must end in one of"),
    option("--weights nowhere.pt", "weights: there is no file nowhere.pt"),
    _bad("weights of a run", "run", ("weights: got 'w.pt' with a run",), more="--weights w.pt"),
    _bad("model no folder of transformers", "hf:run", ("run has no config.json of transformers",)),
    option("--range rotatoin=30", "range: got the generator 'rotatoin', and these symmetries have none"),
    option("--range rotatoin=30 --symmetry se2", "range: got the generator 'rotatoin'", "translation_x"),
    option("--range rotation", "range: got 'rotation', must be GENERATOR=NUMBER"),
    option("--range rotation=wide", "range: got 'rotation=wide'"),
    option("--range rotation=30 --range rotation=20", "range: got 'rotation' twice"),
    option("--range rotation=400 --symmetry rotation2d", "rotation=400, must be above 0 and at most 180"),
    option("--range rotation=-5 --symmetry rotation2d", "rotation=-5, must be above 0"),
    option("--range rotation=nan --symmetry rotation2d", "rotation=nan"),
    option("--tolerance 0", "tolerance: got 0.0"),
    option("--tolerance 1.5", "tolerance: got 1.5"),
    option("--output-as picture", "invalid choice: 'picture'"),
    option("--output-as image", "output_as: got 'image' for outputs of shape (5,)", "invariant"),
    option("--output-as vectors", "output_as: got 'vectors' for outputs of shape (5,)"),
    option("--output-as points", "output_as: got 'points' for outputs of shape (5,)"),
    Bad(
        "three models",
        "measure timm:a timm:b timm:c --data digits --symmetry flip2d --out card",
        ("model: got 3 models, must be one, or two",),
    ),
    option("--data.moves image", "data.moves: got 'image'", "npz data has no use for it"),
    option("--data m.py:one --data.moves image", "data.moves: got 'image' for inputs of one tensor; leave it out"),
    option("--data digits --data.moves image", "data.moves: got 'image'", "digits has no use for it"),
    option("--data m.py:two --data.moves picture", "data.moves: got 'picture'", "keys side, image; name one"),
    option("--data m.py:two", "symmetry: got 'flip2d', which does not move side", "another input by data.moves"),
    option("--data m.py:two --data.moves image", "cannot take inputs of shape side (2,), image (3, 8, 8)"),
    option("--data m.py:two --data.moves side --size 8", "size: got 8 for inputs of shape (8, 2)"),
    option("--symmetry mirror", "symmetry: got 'mirror'"),
    option("--symmetry flip2d flip2d", "symmetry: got 'flip2d' twice"),
    option("--symmetry so3", "must be (B N F)"),
    option("--symmetry permutation0", "symmetry: got 'permutation0'"),
    option("--symmetry permutation999999999", "999999999"),
    option("--symmetry C_999999", "symmetry: got 'C_999999'"),
    option("--out afile", "out: afile is a file"),
    option("--out afile/card", "out: ", "afile", "folder"),
    option("--out run", "out: run is a run folder"),
    option("--out /proc/card", "out: /proc/card cannot be written"),
    option(f"--out {'long' * 100}", "out: got a name of", "shorter than 255"),
    *needing("ase", CALCULATORS),
]
