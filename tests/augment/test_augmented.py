"""Laws of `Augmented` over symmetries of all kinds of data."""

import copy
import importlib.util
import pickle
from pathlib import Path

import jaxtyping
import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss

import learnsym as ls
from learnsym.augment import Augmented, averages, equivariant, mean_outputs
from learnsym.distributions import Fixed, Haar, LearnableBox, LearnableDistribution, LieBox
from learnsym.groups import Affine2, Colour, Dihedral, Product
from learnsym.objectives.supervised import task_loss

spec = importlib.util.spec_from_file_location("averaging", Path(__file__).parents[1] / "reference" / "averaging.py")
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)

BATCH = 5


def classifier():
    return ls.nets.CNN(2, 3, width=4, size=12, depth=2)


def painter():
    return nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 3, 3, padding=1))


def points():
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 6), nn.Tanh(), nn.Linear(6, 3))


def product(*groups):
    group = Product(*groups)
    factors = [ls.actions.Channels() if g.space == "channels" else ls.actions.Image() for g in groups]
    on_input = ls.actions.Product(tuple(factors), sizes=tuple(g.n for g in groups))
    return ls.Symmetry(group, on_input)


def images():
    return torch.rand(BATCH, 2, 12, 12, dtype=torch.float64)


def cloud():
    return torch.randn(BATCH, 4, 3, dtype=torch.float64)


CASES = {
    "rotation": (classifier, lambda: ls.symmetry_by_name("rotation2d"), images),
    "affine": (classifier, lambda: ls.symmetry_by_name("affine2d"), images),
    "o2": (classifier, lambda: ls.symmetry_by_name("orthogonal2d"), images),
    "flip": (classifier, lambda: ls.symmetry_by_name("flip2d"), images),
    "colour": (classifier, lambda: ls.symmetry_by_name("colour"), images),
    "affine_and_colour": (classifier, lambda: product(Affine2(), Colour()), images),
    "affine_and_flip": (classifier, lambda: product(Affine2(), Dihedral(1)), images),
    "equivariant_affine": (painter, lambda: equivariant(ls.symmetry_by_name("affine2d")), images),
    "equivariant_colour": (painter, lambda: equivariant(product(Affine2(), Colour())), images),
    "points": (points, lambda: ls.symmetry_by_name("so3"), cloud),
    "sets": (points, lambda: ls.symmetry_by_name("permutation4"), cloud),
}


def make(name, **options):
    net, symmetry, data = CASES[name]
    return Augmented(net(), symmetry(), **options).double(), data()


def case(names=CASES):
    return pytest.mark.parametrize("name", list(names))


@case()
def test_training_draws_and_evaluation_repeats(name):
    model, x = make(name)
    assert model(x).shape == model.net(x).shape
    model.distribution = Fixed(model.distribution().expand(()))
    model.eval()
    assert torch.equal(model(x), model(x))
    torch.testing.assert_close(model(x)[:2], model(x[:2]))


@case()
@pytest.mark.parametrize("average", averages)
def test_batched_code_is_the_slow_twin(name, average):
    model, x = make(name, test_copies=4, average=averages[average])
    model.eval()
    expected = reference.averaged(model.net, model.symmetry, model.elements(x), x, averages[average])
    torch.testing.assert_close(model(x), expected)


@case()
@pytest.mark.parametrize("copies", [1, 3])
def test_copies_are_random_elements_of_each_example(name, copies):
    model, x = make(name, copies=copies)
    state = torch.get_rng_state()
    outputs = model(x)
    torch.set_rng_state(state)
    g = model.elements(x)
    assert g.shape == (copies, BATCH, model.symmetry.group.n, model.symmetry.group.n)
    torch.testing.assert_close(outputs, reference.averaged(model.net, model.symmetry, g, x, model.average))
    if model.symmetry.group.dim:
        assert (g[0, 0] - g[0, 1]).abs().max() > 0


@case()
def test_gradient_reaches_every_parameter(name):
    model, x = make(name, copies=2)
    task_loss(mse_loss, model, x, torch.rand_like(model(x))).backward()  # adds the score of discrete draws
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), key
        assert parameter.grad.abs().sum() > 0, key
    for key, parameter in model.distribution.named_parameters():
        # the score of elements that were not drawn cancels, since advantages sum to zero
        assert "logits" in key or parameter.grad.abs().min() > 0, f"{key}: not every entry"
    assert model.draws_need_score == any("logits" in key for key, _ in model.named_parameters())


@case()
def test_state_copies_and_pickles(name):
    model, x = make(name)
    fresh, _ = make(name)
    fresh.load_state_dict(model.state_dict())
    for twin in (fresh, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        torch.testing.assert_close(twin.eval()(x), model.eval()(x))


@case(["affine", "flip", "points"])
def test_compiles(name, monkeypatch):
    # the compiler cannot trace the type checker
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    model, x = make(name)
    compiled = torch.compile(model, backend="eager")
    for mode in (True, False):
        model.train(mode)
        torch.manual_seed(1)
        expected = model(x)
        torch.manual_seed(1)
        torch.testing.assert_close(compiled(x), expected)


@case(["affine", "affine_and_colour", "equivariant_affine", "points"])
def test_functional_call_under_grad(name):
    model, x = make(name)
    model.eval()
    parameters = dict(model.named_parameters())

    def loss(parameters):
        return torch.func.functional_call(model, parameters, (x,)).square().sum()

    found = torch.func.grad(loss)(parameters)
    expected = torch.autograd.grad(loss(parameters), list(parameters.values()))
    for key, value in zip(parameters, expected, strict=True):
        torch.testing.assert_close(found[key], value, msg=key)


@case(["affine", "equivariant_affine"])
def test_per_example_gradients(name):
    model, x = make(name)
    model.eval()
    parameters = {key: p.detach() for key, p in model.named_parameters()}

    def loss(parameters, example):
        return torch.func.functional_call(model, parameters, (example[None],)).square().sum()

    found = torch.func.vmap(torch.func.grad(loss), (None, 0))(parameters, x)
    for b in range(2):
        expected = torch.func.grad(loss)(parameters, x[b])
        for key, value in expected.items():
            torch.testing.assert_close(found[key][b], value, msg=key)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_leaves_elements_alone(dtype):
    net, symmetry, data = CASES["affine"]
    model, x = Augmented(net(), symmetry()), data().float()
    model.eval()
    with torch.autocast("cpu", dtype):
        assert model.elements(x).dtype == torch.float32
        g, low = model.elements(x), model(x)
    torch.testing.assert_close(g, model.elements(x))
    torch.testing.assert_close(low.float(), model(x), atol=0.05, rtol=0.05)


def test_narrow_distribution_is_the_plain_network():
    symmetry = ls.symmetry_by_name("affine2d")
    model = Augmented(classifier(), symmetry, LearnableBox(symmetry.group, 1e-7), average=mean_outputs).double().eval()
    x = images()
    torch.testing.assert_close(model(x), model.plain()(x), atol=1e-4, rtol=1e-4)


def test_evaluation_is_unbiased_for_a_linear_functional():
    symmetry = ls.symmetry_by_name("rotation2d")
    box = Fixed(LieBox(symmetry.group, torch.tensor([1.0])))
    model = Augmented(nn.Flatten(), symmetry, box, test_copies=64, average=mean_outputs).double()
    x = images()
    many = torch.stack([model.train()(x) for _ in range(400)]).mean(0)
    torch.testing.assert_close(model.eval()(x), many, atol=0.1, rtol=0)


def test_number_of_test_copies_can_change():
    model, x = make("affine")
    model.eval()
    eight = model(x)
    model.test_copies = 32
    assert model.test_copies == 32 and model.elements(x).shape[0] == 32
    assert not torch.equal(model(x), eight)
    model.test_copies = 8
    assert torch.equal(model(x), eight)
    fresh, _ = make("affine", test_copies=3)
    fresh.load_state_dict(model.state_dict())
    assert fresh.test_copies == 3


def test_labels_move_with_the_inputs():
    symmetry = equivariant(ls.symmetry_by_name("quarter_turns2d"))
    model = Augmented(painter(), symmetry, Fixed(Haar(symmetry.group)), copies=3)
    labels = torch.randint(5, (BATCH, 12, 12))
    x = labels[:, None].float()
    moved_x, moved_labels = model.together(x, labels, ls.actions.LabelMap(fill=9))
    assert moved_x.shape == (3 * BATCH, 1, 12, 12)
    assert torch.equal(moved_x[:, 0].long(), moved_labels)
    assert not torch.equal(moved_labels[:BATCH], labels)


class Conditioned(LearnableDistribution):
    """Half-widths that depend on the mean of an image."""

    def __init__(self, group):
        super().__init__()
        self.group = group
        self.head = nn.Linear(1, group.dim)

    @property
    def uniforms(self):
        return self.group.dim

    def forward(self, x=None):
        assert x is not None
        half_width = self.head(x.flatten(1).mean(1, keepdim=True)).sigmoid()
        return LieBox(self.group, half_width, validate_args=False)

    def deficit(self, x=None):
        return -self(x).half_width.log().mean(-1)

    def degrees(self, site):
        return []


@pytest.mark.parametrize("copies", [1, 2])
def test_distribution_may_depend_on_the_input(copies):
    net, symmetry, data = CASES["affine"]
    model = Augmented(net(), symmetry(), Conditioned(symmetry().group), copies=copies, test_copies=4).double()
    x = data()
    model(x).sum().backward()
    assert model.distribution.head.weight.grad.abs().sum() > 0
    model.eval()
    assert model.elements(x).shape == (4, BATCH, 3, 3)
    torch.testing.assert_close(model(x)[:2], model(x[:2]))


def test_degrees_are_those_of_the_distribution():
    model, _ = make("affine_and_flip")
    assert [degree.site for degree in ls.degrees(model)] == ["input"] * 7
    assert {degree.group for degree in ls.degrees(model)} == {Affine2().name, Dihedral(1).name}
    inside = nn.Sequential(nn.Identity(), model)
    assert {degree.site for degree in ls.degrees(inside)} == {"layer:1"}


def symmetry():
    return ls.symmetry_by_name("affine2d")


BAD = {
    "copies": lambda: Augmented(classifier(), symmetry(), copies=0),
    "test_copies": lambda: Augmented(classifier(), symmetry(), test_copies=0),
    "distribution": lambda: Augmented(classifier(), symmetry(), LearnableBox(ls.groups.SO2())),
    "x": lambda: Augmented(classifier(), symmetry())(torch.rand(2, 12, 12)),
    "x: got torch.int64": lambda: Augmented(classifier(), symmetry())(torch.ones(2, 2, 12, 12, dtype=torch.long)),
    "x: 576 of 576 values": lambda: Augmented(classifier(), symmetry())(torch.full((2, 2, 12, 12), torch.nan)),
    "net": lambda: Augmented(nn.Flatten(0), symmetry())(torch.rand(2, 2, 12, 12)),
    "group": lambda: Augmented(classifier(), symmetry()).together(
        torch.rand(2, 2, 12, 12), torch.ones(2, 3), ls.actions.Set()
    ),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_named(message):
    with pytest.raises(ValueError, match=f"^{message}"):
        BAD[message]()
