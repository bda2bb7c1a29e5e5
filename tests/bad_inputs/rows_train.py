"""Bad inputs of `learnsym train`, `compare`, `tune` and `scale`: configurations and options."""

from __future__ import annotations

from bad import Bad, needing

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
SMALL = "data: {name: blobs, train: 16, val: 8, test: 8}\nnet: {name: mlp, width: 2, depth: 1}\n"
SMALL += "train: {steps: 1, batch_size: 8, device: cpu}\n"
SEVENTEEN = SMALL.replace("batch_size: 8", "batch_size: 17") + "chooser: {name: training}\n"
DIGITS = "data: {name: digits, train: 16, val: 8, test: 8}\ntrain: {steps: 1, batch_size: 8, device: cpu}\n"
FORCES = "data: {name: gravity4}\nnet: {name: gnn, forces: direct}\nloss: {name: mse}\nmethod: {name: remul}\n"
ARMS = "arms: {plain: {twin: plain}, learned: {}}\n"
NET = "from torch import nn\ndef make(size):\n    return nn.Sequential(nn.Flatten(), nn.Linear(size * size, 10))\n"
RATES = "optimiser.lr: [0.1, 0.2]\n"


def _file(name: str, content: str | bytes, *says: str) -> Bad:
    """A configuration that is not read."""
    return Bad(f"file: {name}", "train c.yaml --out run", says, {"c.yaml": content})


def _keys(name: str, content: str, *says: str) -> Bad:
    """A configuration with a value that its key does not take, beside good ones."""
    return Bad(f"train: {name}", "train c.yaml --out run", says, {"c.yaml": content})


def _typed(name: str, words: str | list[str], *says: str) -> Bad:
    """Words after a good configuration."""
    more = words.split() if isinstance(words, str) else words
    return Bad(f"typed: {name}", ["train", "c.yaml", "--out", "run", *more], says, {"c.yaml": SMALL})


def _out(name: str, out: str, *says: str) -> Bad:
    return Bad(f"out: {name}", ["train", "c.yaml", "--out", out], says, {"c.yaml": SMALL, "file": "text"})


def _compare(name: str, content: str, *says: str, more: str = "") -> Bad:
    return Bad(f"compare: {name}", f"compare c.yaml --out run {more}", says, {"c.yaml": content})


def _tune(name: str, space: str, *says: str, more: str = "--trials 1") -> Bad:
    files = {"c.yaml": SMALL, "c.space.yaml": space}
    return Bad(f"tune: {name}", f"tune c.yaml --study run --out run {more}", says, files)


OWN = """
from torch import nn
def make(classes, width=4): return nn.Sequential(nn.Flatten(), nn.Linear(784, width), nn.Linear(width, classes))
def seven(): return nn.Sequential(nn.Flatten(), nn.Linear(784, 7))
def raises(): raise OSError("no such thing")
def number(): return 7
"""


def _net(name: str, words: str, *says: str, **files: str | bytes) -> Bad:
    """A network of somebody else."""
    content = {"c.yaml": "data: {name: digits, train: 16, val: 8, test: 8}\ntrain: {steps: 1, batch_size: 8}\n"}
    given = f"train c.yaml --out run --net.name {words}"
    return Bad(f"net: {name}", given, says, {**content, "m.py": OWN, "w.pt": b"none", **files})


NETS = [
    _net("raises", "m.py:raises", "net.name", "raises OSError: no such thing"),
    _net("no module", "m.py:number", "net.name", "returns a int"),
    _net("no function", "m.py:nothing", "has no function 'nothing'"),
    _net("no file", "n.py:make", "there is no file", "n.py"),
    _net("other classes", "m.py:seven", "gives outputs of shape (2, 7) for 2 examples of 10 classes"),
    _net("width", "m.py:seven --net.width 9", "net.width: got 9"),
    _net("depth", "m.py:make --net.depth 9", "net.depth: got 9"),
    _net("pretrained", "m.py:make --net.pretrained true", "only timm:NAME has published weights"),
    _net("method", "m.py:make --method.name residual", "augerino, instance_wise, remul"),
    _net("weights", "m.py:make --net.weights w.pt", "w.pt cannot be read"),
    _net("weights missing", "m.py:make --net.weights v.pt", "there is no file", "v.pt"),
    _net("weights of a kind", "m.py:make --net.weights w.npz", "net.weights: got 'w.npz'", "must end in one of"),
    _net("weights and layers", "steerable --method.name residual --net.weights w.pt", "net.weights: got", "residual"),
    _net("output", "m.py:make --net.output logits", "net.output: got 'logits'", "one tensor"),
    _net("program", "w.pt2", "w.pt2 is no file of torch.export"),
    _net("folder", "hf:nowhere", "has no config.json of transformers"),
    _net("unknown", "resnet18", "net.name: got 'resnet18'", "timm:NAME"),
    *needing("timm", [_net("timm", "timm:resnet81", "timm has no model 'resnet81'")]),
]
FILES = [
    _file("a key twice", "optimiser: {lr: 0.1}\ntrain: {}\noptimiser: {clip: 1.0}\n", "optimiser", "line 1 and line 3"),
    _file("a nested key twice", "train:\n  steps: 1\n  steps: 2\n", "train.steps", "line 2 and line 3"),
    _file("a key twice behind an anchor", "data: &d\n  size: 8\n  size: 9\n", "data.size", "line 2 and line 3"),
    _file("a merge twice", "a: &a {steps: 1}\ntrain:\n  <<: *a\n  <<: *a\n", "train.<<", "line 3 and line 4"),
    _file("aliases without end", BOMB, "aliases"),
    _file("ten thousand brackets", "a: " + "[" * 10_000, "line 1", "inside each other"),
    _file("an alias of itself", "train: &a [*a]\n", "*a"),
    _file("a tab", "train:\n\tsteps: 1\n", "line 2", "not YAML"),
    _file("bytes", b"\x00\xff\xfe\x80", "c.yaml", "UTF-8"),
    _file("a list", "- train\n", "c.yaml", "keys and values"),
    _file("a word", "train\n", "c.yaml", "keys and values"),
    _file("a tag of Python", "train: !!python/object/apply:os.system [ls]\n", "line 1", "tag"),
    _file("a number as a key", "1: 2\n", "the key 1"),
    _file("a number as a nested key", "train: {1: 2}\n", "the key 1"),
    _file("two documents", "twin: plain\n---\ntwin: plain\n", "single document"),
    _file("two megabytes", "#" * 2**21, "c.yaml", "bytes"),
    Bad("file: none", "train none.yaml --out run", ("config: none.yaml does not exist",)),
    Bad("file: none, of a name like a packed one", "train configs/demo.yaml --out run", ("such as demo",)),
    Bad("file: no such packed one", "config show dmo", ("config: 'dmo'", "such as demo")),
    Bad("file: no packed one for compare", "compare digitz --out out", ("config: digitz does not exist",)),
    Bad("file: no packed one for tune", "tune digitz --study s --trials 1", ("config: digitz does not exist",)),
    Bad("file: a folder", "train . --out run", ("config: .", "folder")),
    Bad("file: a long name", ["train", "x" * 300, "--out", "run"], ("config: ", "too long")),
]
VALUES = [
    _keys("few held out", DIGITS + "method: {name: augerino}\nchooser: {name: selection}\n", "held_out: got 8"),
    _keys(
        "compiled selection",
        "train: {compile: true}\nchooser: {name: selection}\n",
        "train.compile: got true with the chooser selection",
    ),
    _keys("energies of images", "data: {name: digits, energies: true}\n", "data.energies: got True", "digits"),
    _keys("a potential of images", "loss: {name: potential}\n", "loss.name: got 'potential'", "augerino"),
    _keys("forces of no energies", FORCES, "net.forces: got 'direct' with the loss mse", "data.energies true"),
    _keys("a weight of no energies", "loss: {name: mse, energy_weight: 2}\n", "loss.energy_weight: got 2"),
    _keys("steps of no twin", "twins: [plain]\ntwin_steps: {fixed: 3}\n", "twin_steps: got 'fixed'"),
    _keys("unknown method", "method: {name: none}\n", "method.name: got 'none'"),
    _keys("steps of half", "train: {steps: 3.5}\n", "train.steps: got 3.5", "whole number"),
    _keys("steps in exponents", "train: {steps: 1e3}\n", "train.steps: got 1000.0", "whole number"),
    _keys("true steps", "train: {steps: true}\n", "train.steps: got True", "whole number"),
    _keys("no steps", "train: {steps: null}\n", "train.steps: got None"),
    _keys("steps in octal", "train: {steps: 010.0}\n", "train.steps"),
    _keys("steps as a time", "train: {steps: 1:30}\n", "line 1: 1:30"),
    _keys("huge steps", f"train: {{steps: {10**30}}}\n", "train.steps: got 1000000", "whole number"),
    _keys("a rate that is no number", "optimiser: {lr: .nan}\n", "optimiser.lr: got nan"),
    _keys("an infinite rate", "optimiser: {lr: .inf}\n", "optimiser.lr: got inf"),
    _keys("a rate out of range", "optimiser: {lr: 1e400}\n", "optimiser.lr: got inf"),
    _keys("a negative rate", "optimiser: {symmetry_lr: -1}\n", "optimiser.symmetry_lr: got -1"),
    _keys("no rate", "optimiser: {lr: null}\n", "optimiser.lr: got None", "number"),
    _keys("a list of rates", "optimiser: {lr: [0.1]}\n", "optimiser.lr: got [0.1]", "number"),
    _keys("clip 0", "optimiser: {clip: 0}\n", "optimiser.clip: got 0"),
    _keys("infinite clip", "optimiser: {clip: .inf}\n", "optimiser.clip: got inf"),
    _keys("momentum 1", "optimiser: {momentum: 1}\n", "optimiser.momentum: got 1"),
    _keys("a decay that is no number", "optimiser: {weight_decay: .nan}\n", "optimiser.weight_decay: got nan"),
    _keys("a number for a word", "data: {label: 5}\n", "data.label: got 5", "text"),
    _keys("null for a word", "data: {label: null}\n", "data.label: got None", "text"),
    _keys("a label of two lines", 'data: {label: "a\\nb"}\n', "data.label: got 'a", "one line"),
    _keys("a long label", f"data: {{label: {'x' * 3000}}}\n", "data.label: got 'xxx", "characters"),
    _keys("no name of data", 'data: {name: ""}\n', "data.name: got ''"),
    _keys("a word for a list", "seeds: one\n", "seeds: got one", "list"),
    _keys("a seed twice", "seeds: [1, 1]\n", "seeds: got [1, 1]", "once"),
    _keys("no seeds", "seeds: []\n", "seeds: got []", "at least one"),
    _keys("null seeds", "seeds: null\n", "seeds: got None", "list"),
    _keys("a huge seed", f"seeds: [{2**64}]\n", "seeds: got 18446744073709551616"),
    _keys("a negative seed", "seeds: [-1]\n", "seeds: got -1"),
    _keys("a seed of half", "seeds: [0.5]\n", "seeds: got 0.5"),
    _keys("a twin twice", "twins: [plain, plain]\n", "twins: got ['plain', 'plain']"),
    _keys("a section that is null", "train: null\n", "train: got None", "keys and values"),
    _keys("a section that is a list", "train: [1]\n", "train: got [1]", "keys and values"),
    _keys("a size that nothing holds", "data: {size: 1000000}\n", "data.size: got 1000000"),
    _keys("images that nothing holds", "data: {size: 16000}\n", "data.size: got 16000", "GiB"),
    _keys("examples that nothing holds", "data: {train: 1000000000}\n", "data.train: got 1000000000", "GiB"),
    _keys("a simulation that nothing holds", "data: {name: blobs, train: 1000000000}\n", "data.train: ", "GiB"),
    _keys("more examples than a number", f"data: {{name: blobs, train: {10**12}}}\n", "data.train: got 1000000000000"),
    _keys("no splits", "data: {plant: {rotation: 10, splits: []}}\n", "data.plant.splits: got []"),
    _keys("an unknown split", "data: {plant: {rotation: 10, splits: [dev]}}\n", "data.plant.splits: got dev"),
    _keys("an infinite angle", "data: {plant: {law: atoms, angles: [.inf]}}\n", "data.plant.angles: got inf"),
    _keys("a negative data seed", "data: {seed: -1}\n", "data.seed: got -1"),
    _keys("a network that nothing holds", "net: {name: mlp, width: 1000000}\n", "net.width: got 1000000", "GiB"),
    _keys("a width of ten millions", "net: {width: 10000000}\n", "net.width: got 10000000"),
    _keys("width 0", "net: {width: 0}\n", "net.width: got 0"),
    _keys("infinite width", "net: {width: .inf}\n", "net.width: got inf"),
    _keys("endless depth", "net: {depth: 1000000000}\n", "net.depth: got 1000000000"),
    _keys("dropout of all", "net: {dropout: 1}\n", "net.dropout: got 1"),
    _keys("a batch that nothing holds", f"train: {{batch_size: {10**12}}}\n", "train.batch_size: got 1000000000000"),
    _keys(
        "a batch of more than there are",
        f"{SMALL.replace('batch_size: 8', 'batch_size: 17')}chooser: {{name: training}}\n",
        "batch_size",
    ),
    _keys("unknown backend", "train: {compile: true, compile_backend: none}\n", "train.compile_backend: got 'none'"),
    _keys("no workers", "train: {workers: 0}\n", "train.workers: got 0"),
    _keys("a million workers", "train: {workers: 1000000}\n", "train.workers: got 1000000"),
    _keys("unknown device", "train: {device: abacus}\n", "train.device: got 'abacus'"),
    _keys(
        "many turns", "method: {name: residual, group: C_999999}\nnet: {name: steerable}\n", "method.group: got 'C_99"
    ),
    _keys(
        "unknown group", "method: {name: residual, group: SU(3)}\nnet: {name: steerable}\n", "method.group: got 'SU("
    ),
    _keys("unknown symmetry", "method: {symmetry: nonsense}\n", "method.symmetry: got 'nonsense'"),
    _keys("a billion copies", "method: {copies: 1000000000}\n", "method.copies: got 1000000000"),
    _keys("an infinite weight", "method: {weight: .inf}\n", "method.weight: got inf"),
    _keys("a negative width", "method: {fixed: {rotation: -1}}\n", "method.fixed: got -1"),
    _keys("no candidates", "method: {name: remul, symmetries: []}\n", "method.symmetries: got []"),
    _keys("one of several symmetries", "method: {symmetry: rotation2d+mirror}\n", "method.symmetry: got 'mirror'"),
    _keys(
        "symmetries of other data", "method: {symmetry: rotation2d+so3}\n", "method.symmetry: SO(2), SO(3) do not go"
    ),
    _keys("a huge set", "method: {symmetry: permutation999999999}\n", "method.symmetry: got 'permutation9"),
    _keys("an angle that divides nothing", "analysis: {angle_step: 7}\n", "analysis.angle_step: got 7"),
    _keys("a negative angle", "analysis: {angle_step: -15}\n", "analysis.angle_step: got -15"),
    _keys("a negative analysis seed", "analysis: {seed: -1}\n", "analysis.seed: got -1"),
    _keys("many samples", "analysis: {equivariance_samples: 100000000}\n", "analysis.equivariance_samples: got 1000"),
    _keys("certain intervals", "analysis: {level: 1}\n", "analysis.level: got 1"),
    _keys("a tolerance that is no number", "chooser: {name: dual, tolerance: .nan}\n", "chooser.tolerance: got nan"),
]
TYPED = [
    _typed("a key twice", "--optimiser.lr 1 --optimiser.lr 2", "optimiser.lr: stands 2 times"),
    _typed("a key twice in one word", ["--optimiser", "{lr: 1, lr: 2}"], "lr: stands twice"),
    _typed("unknown key", "--train.stepz 3", "train.stepz", "train.steps"),
    _typed("no value", "--train.steps", "train.steps: got no value"),
    _typed("an empty value", ["--train.steps", ""], "train.steps: got nothing"),
    _typed("a stray word", "extra", "extra"),
    _typed("brackets", ["--seeds", "[" * 10_000], "seeds: ", "inside each other"),
    _typed("five thousand digits", ["--train.steps", "9" * 5000], "train.steps: got a number"),
    _typed("a rate that is no number", "--optimiser.lr nan", "optimiser.lr: got nan"),
    _typed("a rate out of range", "--optimiser.lr 1e400", "optimiser.lr: got inf"),
    _typed("a time", "--train.steps 1:30", "1:30"),
    _typed("a method in one word", ["--method", "{name: remul}"], "method: got keys in one word"),
    Bad("typed: no out", "train c.yaml", ("required: out",), {"c.yaml": SMALL}),
    Bad("typed: no config", "train --out run", ("config",)),
    Bad("typed: unknown command", "tarin c.yaml", ("tarin",)),
    Bad("typed: no command", "", ("COMMAND",)),
    Bad("typed: an option of another command", "scale run --trials 3", ("--trials",)),
]
OUTS = [
    _out("a file", "file", "out: file is a file"),
    _out("below a file", "file/run", "file is a file"),
    _out("empty", "", "out: got ''"),
    _out("a control character", "a\x07b", "out: got 'a\\x07b'"),
    _out("a long name", "x" * 300, "out: got a name of 300 characters"),
    _out("a folder with other things", ".", "out: .", "another folder"),
    Bad("out: compare, a file", "compare c.yaml --out c.yaml", ("out: c.yaml is a file",), {"c.yaml": ARMS}),
    Bad("out: compare, empty", ["compare", "c.yaml", "--out", ""], ("out: got ''",), {"c.yaml": ARMS}),
]
COMPARE = [
    _compare("no arms", "seeds: [1]\n", "arms: got none"),
    _compare("arms twice", "arms: {a: {}, a: {twin: plain}}\n", "arms.a", "line 1"),
    _compare("arms and twins of the base", "arms: {a: {}}\nbase: {twins: [plain]}\n", "arms: got", "base.twins plain"),
    _compare("a base of an unknown twin", "twins: [brocken]\n", "twin", "brocken"),
    _compare("a run without twins", "net: {width: 8}\n", "arms: got none", "twins in the base"),
    Bad(
        "compare: flops of a network of one width",
        "compare c.yaml --out run --match flops",
        ("match: got flops", "arms.exact", "say match: none"),
        {
            "c.yaml": "base: {net: {name: 'net.py:make'}}\narms: {plain: {twin: plain}, exact: {twin: exact}}\n",
            "net.py": NET,
        },
    ),
    _compare("no seeds", f"{ARMS}seeds: []\n", "seeds: got []"),
    _compare("a negative seed", f"{ARMS}seeds: [-1]\n", "seeds: got -1"),
    _compare("a size twice", f"{ARMS}train_sizes: [8, 8]\n", "train_sizes: got [8, 8]"),
    _compare("a negative size", f"{ARMS}train_sizes: [-8]\n", "train_sizes: got -8"),
    _compare("infinite epochs", f"{ARMS}epochs: [.inf]\n", "epochs: got inf"),
    _compare("a rate that is no number", f"{ARMS}lrs: [.nan]\n", "lrs: got nan"),
    _compare("huge model", f"{ARMS}sizes: [{10**30}]\n", "sizes: got 1000000"),
    _compare("unknown key", f"{ARMS}seedz: [1]\n", "seedz: unknown key"),
    _compare("unknown match", f"{ARMS}match: memory\n", "match: got memory"),
    _compare("an arm that is a word", "arms: {a: plain}\n", "arms: got plain"),
    _compare("a bad value in an arm", "arms: {a: {optimiser: {lr: .nan}}}\n", "arms.a: optimiser.lr: got nan"),
    _compare("a key twice", ARMS, "seeds: stands 2 times", more="--seeds [1] --seeds [2]"),
    _compare("no workers", ARMS, "workers: got 0", more="--workers 0"),
    _compare("a million workers", ARMS, "workers: got 1000000", more="--workers 1000000"),
    _compare("negative jobs", ARMS, "jobs: got -1", more="--jobs -1"),
    _compare("memory without jobs", ARMS, "memory: got 4.0 without --jobs", more="--memory 4"),
    _compare("detach without jobs", ARMS, "detach: got True without --jobs", more="--detach"),
    _compare("cluster without jobs", ARMS, "cluster: got slurm without --jobs", more="--cluster slurm"),
    _compare("endless memory", ARMS, "memory: got 'inf'", more="--jobs 1 --memory inf"),
]
TUNE = [
    _tune("no trials", RATES, "trials: got 0", more="--trials 0"),
    _tune("negative trials", RATES, "trials: got -1", more="--trials -1"),
    _tune("trials in exponents", RATES, "trials: got '1e30'", more="--trials 1e30"),
    _tune("no workers", RATES, "workers: got 0", more="--trials 1 --workers 0"),
    _tune("many workers", RATES, "workers: got 1000000", more="--trials 1 --workers 1000000"),
    _tune("empty", "", "names no key"),
    _tune("low above high", "optimiser.lr: {low: 1, high: 0.1}\n", "optimiser.lr: got low 1"),
    _tune("the logarithm of 0", "optimiser.lr: {low: 0, high: 1, log: true}\n", "optimiser.lr: got low 0"),
    _tune("a low end that is no number", "optimiser.lr: {low: .nan, high: 1}\n", "optimiser.lr: got low nan"),
    _tune("a huge end", f"optimiser.lr: {{low: 0, high: {10**400}}}\n", "optimiser.lr: got high"),
    _tune("a tiny step", "optimiser.lr: {low: 0, high: 1, step: 1e-300}\n", "optimiser.lr: got step 1e-300"),
    _tune("no choices", "optimiser.lr: []\n", "optimiser.lr: got []"),
    _tune("a choice twice", "optimiser.lr: [0.1, 0.1]\n", "optimiser.lr: got [0.1, 0.1]"),
    _tune("a choice twice in other words", 'optimiser.lr: [1, "1"]\n', "optimiser.lr: got [1, '1']"),
    _tune("a choice that the key does not take", "net.width: [0, 8]\n", "net.width: got 0"),
    _tune("an unknown key", "optimiser.rate: [1, 2]\n", "optimiser.rate: unknown key"),
    _tune("a key twice", RATES + RATES, "optimiser.lr", "line 1 and line 2"),
    _tune("unknown sampler", f"{RATES}sampler: magic\n", "sampler: got 'magic'"),
    _tune("certain pruning", f"{RATES}prune: 1\n", "prune: got 1"),
    _tune("a seed twice", f"{RATES}seeds: [1, 1]\n", "seeds: got"),
    _tune("a seed that is none", f"{RATES}seeds: [x]\n", "seeds: got 'x'"),
    _tune("no objectives", f"{RATES}objectives: []\n", "objectives: got []"),
    _tune("unknown storage", RATES, "storage: ftp is not known", more="--trials 1 --storage ftp://a"),
    Bad("tune: no space", "tune c.yaml --study run --trials 1", ("space: c.space.yaml does not",), {"c.yaml": SMALL}),
]
ROWS: list[Bad] = [*FILES, *NETS, *VALUES, *TYPED, *OUTS, *COMPARE, *TUNE]
