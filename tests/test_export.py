"""An exported file gives the outputs of the model, for any batch size, in a process that cannot import learnsym."""

import copy
import importlib.util
import subprocess
import sys
from functools import cache

import jaxtyping
import pytest
import torch
from structured import FORMS, Structured
from torch import nn

import learnsym as ls
from learnsym.export import ExportError, export_model, frozen

RUNNER = """
import sys
from functools import cache

class Block:
    def find_spec(self, name, path=None, target=None):
        assert name.split(".")[0] != "learnsym", "the exported file asked for learnsym"

sys.meta_path.insert(0, Block())
import torch

def load(file):
    if file.endswith(".pt2"):
        return torch.export.load(file).module()
    import onnxruntime
    session = onnxruntime.InferenceSession(file)
    return lambda x: torch.from_numpy(session.run(None, {session.get_inputs()[0].name: x.numpy()})[0])

jobs = torch.load("jobs.pt")
with torch.no_grad():
    torch.save({file: [load(file)(x[:n]) for n in (1, 2, 7)] for file, x in jobs.items()}, "outputs.pt")
try:
    import learnsym
except AssertionError:
    pass
else:
    sys.exit("learnsym can be imported here")
"""

KINDS = ["pt2", "onnx"]
QUICK = ("affine", "points")


@pytest.fixture(autouse=True, scope="module")
def without_shape_checks():
    """Checked annotations compare sizes with numbers, which would fix a batch size that is to stay free."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def classifier(channels=1, size=16):
    return ls.nets.CNN(channels, 5, width=4, size=size, depth=2)


def affine():
    symmetry = ls.symmetry_by_name("affine2d")
    return ls.augment.Augmented(classifier(), symmetry, ls.distributions.learnable(symmetry.group, 0.4), test_copies=5)


def orbit():
    symmetry = ls.symmetry_by_name("rotation2d")
    return ls.augment.OrbitAveraged(classifier(), symmetry, ls.augment.quadrature(symmetry.group, 6))


def equivariant():
    symmetry = ls.augment.equivariant(ls.symmetry_by_name("affine2d"))
    net = nn.Conv2d(1, 3, 3, padding=1)
    return ls.augment.Augmented(net, symmetry, ls.distributions.learnable(symmetry.group, 0.2), test_copies=3)


def points():
    symmetry = ls.symmetry_by_name("so3")
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    return ls.augment.Augmented(net, symmetry, test_copies=4, average=ls.augment.mean_outputs)


MODELS = {
    "plain": (lambda: ls.augment.Plain(classifier()), (1, 16, 16)),
    "any module": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(256, 3)), (1, 16, 16)),
    "affine": (affine, (1, 16, 16)),
    "orbit": (orbit, (1, 16, 16)),
    "equivariant": (equivariant, (1, 12, 16)),
    "points": (points, (4, 3)),
}


@pytest.fixture(scope="module")
def models():
    torch.manual_seed(0)
    return {name: (make().eval(), torch.rand(7, *shape)) for name, (make, shape) in MODELS.items()}


@pytest.fixture(scope="module")
def outputs_elsewhere(models, tmp_path_factory, without_shape_checks):
    """Outputs of exported models, those that are quick or the others, from a process in another folder."""
    return cache(lambda quick: _outputs_elsewhere(models, tmp_path_factory.mktemp("exported"), quick))


def _outputs_elsewhere(models, folder, quick):
    """For batches of 1, 2 and 7."""
    kinds = KINDS if importlib.util.find_spec("onnxruntime") and importlib.util.find_spec("onnxscript") else KINDS[:1]
    names = [(name, kind) for name in models for kind in kinds if (name in QUICK) == quick]
    for name, kind in names:
        model, x = models[name]
        export_model(model, x[:3], folder / f"{name}.{kind}")
    torch.save({f"{name}.{kind}": models[name][1] for name, kind in names}, folder / "jobs.pt")
    done = subprocess.run([sys.executable, "-I", "-c", RUNNER], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return torch.load(folder / "outputs.pt")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in MODELS]
)
def test_same_outputs_without_learnsym(name, kind, models, outputs_elsewhere):
    elsewhere = outputs_elsewhere(name in QUICK)
    if f"{name}.{kind}" not in elsewhere:
        pytest.skip("ONNX needs the extra learnsym[export]")
    model, x = models[name]
    for n, found in zip((1, 2, 7), elsewhere[f"{name}.{kind}"], strict=True):
        with torch.no_grad():
            torch.testing.assert_close(found, model(x[:n]), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("form", "kind"),
    [("tuple to dict", "pt2"), *(pytest.param("dict to dataclass", kind, marks=pytest.mark.slow) for kind in KINDS)],
)
def test_several_inputs(form, kind, tmp_path):
    if kind == "onnx":
        pytest.importorskip("onnxruntime")
    form, x, w = FORMS[form], torch.rand(4, 1, 16, 16), torch.arange(1.0, 5)
    model = ls.augment.Augmented(Structured(classifier(), form), form.at(ls.symmetry_by_name("rotation2d"))).eval()
    # compared with the model, on batches of several sizes, before it gets its name
    file = export_model(model, form.wrap(x, w), tmp_path / f"model.{kind}")
    assert file.exists()
    if kind == "pt2":
        with torch.no_grad():
            found = torch.export.load(file).module()(form.wrap(x[:3], w[:3]))
            torch.testing.assert_close(found, model(form.wrap(x, w))[:3], atol=1e-5, rtol=1e-5)


def test_a_structure_that_programs_do_not_know(tmp_path):
    form = FORMS["named tuple to tuple"]
    with pytest.raises(ValueError, match=r"example: got a Pair with parts .*, must be a tensor, or a dict"):
        export_model(nn.Identity(), form.wrap(torch.ones(2, 1), torch.ones(2)), tmp_path / "model.pt2")


def test_several_outputs_of_a_network_alone(tmp_path):
    form, x, w = FORMS["tuple to dict"], torch.rand(4, 1, 16, 16), torch.ones(4)
    net = Structured(classifier(), form).eval()
    file = export_model(net, form.wrap(x, w), tmp_path / "model.pt2")
    with torch.no_grad():
        torch.testing.assert_close(torch.export.load(file).module()(form.wrap(x, w)), net(form.wrap(x, w)))


@pytest.mark.parametrize("make", [affine, orbit])
def test_network_alone(make, tmp_path):
    model, x = make().eval(), torch.rand(4, 1, 16, 16)
    file = export_model(model, x, tmp_path / "model.pt2", averaged=False)
    with torch.no_grad():
        torch.testing.assert_close(torch.export.load(file).module()(x), model.net(x), atol=1e-5, rtol=0.0)


@pytest.fixture(scope="module")
def exported(tmp_path_factory, without_shape_checks):
    """A model in training mode, its state before the export, and the file."""
    torch.manual_seed(0)
    model, file = affine().train(), tmp_path_factory.mktemp("exported") / "model.pt2"
    before = {name: value.clone() for name, value in model.state_dict().items()}
    export_model(model, torch.rand(2, 1, 16, 16), file)
    return model, before, file


def test_the_model_is_left_alone(exported):
    model, before, _ = exported
    assert model.training and all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_training_mode_exports_evaluation(exported):
    model, _, file = exported
    evaluated, x = copy.deepcopy(model).eval(), torch.rand(3, 1, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(torch.export.load(file).module()(x), evaluated(x), atol=1e-5, rtol=1e-5)


def test_one_example_is_enough(tmp_path):
    file = export_model(classifier(), torch.rand(1, 1, 16, 16), tmp_path / "model.pt2")
    assert torch.export.load(file).module()(torch.rand(9, 1, 16, 16)).shape == (9, 5)


def test_no_folder_of_this_machine_in_the_file(exported):
    assert not any("stack_trace" in node.meta for node in torch.export.load(exported[-1]).graph.nodes)


class Lies(nn.Module):
    """Gives other numbers when it is traced."""

    def forward(self, x):
        return x + 1.0 if torch.compiler.is_exporting() else x


class Branches(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


def test_a_file_that_differs_is_not_written(tmp_path):
    with pytest.raises(ExportError, match="differs from the model by 1"):
        export_model(Lies(), torch.rand(2, 3), tmp_path / "model.pt2")
    assert not list(tmp_path.iterdir())


def test_a_model_that_cannot_be_traced(tmp_path):
    with pytest.raises(ValueError, match="cannot be traced"):
        export_model(Branches(), torch.rand(2, 3), tmp_path / "model.pt2")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "onnx"), [("model", None), ("model.pt2", True), ("model.onnx", False)])
def test_the_ending_must_fit(name, onnx, tmp_path):
    with pytest.raises(ValueError, match="must end in"):
        export_model(nn.Linear(3, 2), torch.rand(2, 3), tmp_path / name, onnx=onnx)


def test_missing_onnx_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ImportError, match=r"learnsym\[export\]"):
        export_model(nn.Linear(3, 2), torch.rand(2, 3), tmp_path / "model.onnx")


def test_elements_that_depend_on_the_input():
    class Instancewise(ls.distributions.LearnableDistribution):
        uniforms = 1

        def __init__(self, group):
            super().__init__()
            self.group = group

        def forward(self, x=None):
            return ls.distributions.LieBox(self.group, x.new_ones(len(x), self.group.dim))

        def degrees(self, site):
            return []

        def deficit(self):
            return torch.zeros(())

    symmetry = ls.symmetry_by_name("rotation2d")
    model = ls.augment.Augmented(classifier(), symmetry, Instancewise(symmetry.group))
    with pytest.raises(ValueError, match="averaged=False"):
        frozen(model, torch.rand(2, 1, 16, 16))
    assert frozen(model, torch.rand(2, 1, 16, 16), averaged=False)(torch.rand(2, 1, 16, 16)).shape == (2, 5)


@pytest.mark.parametrize("twin", ["learned", "exact", "plain"])
def test_export_of_a_run(twin, tmp_path):
    data = ls.data.DataConfig(name="blobs", size=16, train=32, val=8, test=8)
    config = ls.training.RunConfig(
        data=data,
        net=ls.nets.NetConfig(width=4, depth=2),
        method=ls.methods.registry["augerino"](symmetry="rotation2d", test_copies=3),
        chooser=ls.objectives.choosers.TrainingLoss(),
        train=ls.training.TrainConfig(steps=2, batch_size=8),
        twins=[twin],
    )
    (run,) = ls.training.train(config, tmp_path / "run")
    x = ls.data.load_splits(data).test.x
    for averaged in (True, False):
        file = ls.export.export_run(run.path, tmp_path / f"{averaged}.pt2", averaged=averaged)
        model = run.model() if averaged else run.model().plain()
        with torch.no_grad():
            torch.testing.assert_close(torch.export.load(file).module()(x), model(x), atol=1e-5, rtol=1e-5)


def test_not_a_run(tmp_path):
    with pytest.raises(ValueError, match="not a run folder"):
        ls.export.export_run(tmp_path, tmp_path / "model.pt2")
