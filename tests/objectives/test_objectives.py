"""Laws of the objectives, their losses and their regularisers."""

import jaxtyping
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import learnsym as ls
from learnsym.augment import Augmented, Plain, equivariant, mean_outputs
from learnsym.distributions import Fixed, LearnableBox, LearnableCategorical, LieBox, learnable
from learnsym.groups import SE2, Affine2, Dihedral, Product
from learnsym.methods import Setup, registry
from learnsym.nets import NetConfig
from learnsym.objectives import (
    Augerino,
    CoMoved,
    LossConfig,
    Segmentation,
    Supervised,
    cross_entropy,
    losses,
    mse,
    regularisers,
)
from learnsym.objectives.co_moved import MovedTogether
from learnsym.training.config_file import config_of

BATCH = 6
DATA = ls.data.Signature(in_shape=(1, 12, 12), classes=3)


def batch():
    return torch.rand(BATCH, 1, 12, 12), torch.randint(3, (BATCH,))


def label_maps():
    return torch.rand(BATCH, 1, 12, 12), torch.randint(3, (BATCH, 12, 12))


def classifier():
    return ls.nets.CNN(1, 3, width=4, size=12, depth=2)


def augmented(**options):
    return Augmented(classifier(), ls.symmetry_by_name("affine2d"), **options)


@pytest.mark.parametrize("name", regularisers)
def test_total_is_task_plus_weighted_regulariser(name):
    model = augmented().eval()
    x, y = batch()
    loss = Augerino(cross_entropy, regularisers[name], weight=0.3)(model, (x, y))
    torch.testing.assert_close(loss.parts["task"], cross_entropy(model(x), y))
    torch.testing.assert_close(loss.parts["regulariser"], regularisers[name](model.distribution, x))
    torch.testing.assert_close(loss.total, loss.parts["task"] + 0.3 * loss.parts["regulariser"])
    assert not loss.parts["task"].requires_grad
    loss.total.backward()
    assert all(p.grad is not None for p in model.parameters())


@pytest.mark.parametrize("name", regularisers)
@pytest.mark.parametrize("group", [SE2(), Affine2(), Dihedral(2), Product(Affine2(), Dihedral(1))])
def test_regularisers_reward_wider_distributions(name, group):
    values = [regularisers[name](learnable(group, init)).item() for init in (0.05, 0.2, 0.4)]
    assert values == sorted(values, reverse=True)


def test_regularisers_are_their_equations():
    h = torch.tensor([0.1, 0.2, 1.0])
    box = LearnableBox(SE2(), h)
    caps = torch.tensor([generator.cap for generator in SE2().generators])
    torch.testing.assert_close(regularisers["norm"](box, None), -(2 * h).norm())
    torch.testing.assert_close(regularisers["squared_norm"](box, None), -(2 * h).square().sum())
    torch.testing.assert_close(regularisers["entropy"](box, None), -(h / caps).log().mean())


def test_entropy_does_not_depend_on_the_scale_of_a_generator():
    narrow, wide = (ls.groups.CustomGroup(s * SE2().algebra, names=list("xyr"), space="plane") for s in (1.0, 10.0))
    caps = torch.tensor([1.0, 1.0, 3.0])
    here, there = LearnableBox(narrow, 0.2, caps), LearnableBox(wide, 0.2, caps / 10)
    u = torch.rand(5, 3)
    torch.testing.assert_close(here().from_uniform(u), there().from_uniform(u))
    torch.testing.assert_close(regularisers["entropy"](here, None), regularisers["entropy"](there, None))
    assert abs(regularisers["norm"](here, None) - regularisers["norm"](there, None)) > 0.5


@pytest.mark.parametrize(
    "model",
    [
        lambda: Plain(classifier()),
        classifier,
        lambda: augmented(distribution=Fixed(LieBox(Affine2(), torch.full((6,), 0.1)))),
    ],
)
def test_nothing_learned_has_no_regulariser(model):
    loss = Augerino(cross_entropy)(model(), batch())
    assert loss.parts["regulariser"] == 0


def test_supervised_is_the_loss_function():
    model, (x, y) = classifier(), batch()
    loss = Supervised(cross_entropy)(model, (x, y))
    torch.testing.assert_close(loss.total, F.cross_entropy(model(x), y))


def test_learned_distributions_of_several_sites_add_up():
    first, second = augmented(), augmented()
    model = nn.Sequential(nn.Identity(), first)
    one = Augerino(cross_entropy)(model, batch()).parts["regulariser"]
    torch.testing.assert_close(one, Augerino(cross_entropy)(first, batch()).parts["regulariser"])
    both = list(ls.objectives.learned_distributions(nn.ModuleList([first, second])))
    assert both == [first.distribution, second.distribution]
    product = learnable(Product(Affine2(), Dihedral(1)))
    assert list(ls.objectives.learned_distributions(product)) == [product]


def test_score_gradient_of_discrete_draws_is_unbiased():
    symmetry = ls.symmetry_by_name("flip2d")
    x, y = torch.rand(4, 1, 6, 6, dtype=torch.float64), torch.randn(4, 2, dtype=torch.float64)
    net = nn.Sequential(nn.Flatten(), nn.Linear(36, 2)).double()
    model = Augmented(net, symmetry, LearnableCategorical(symmetry.group, 0.3).double(), average=mean_outputs)
    p = model.distribution.logits.softmax(-1)
    values = [mse(net(symmetry.on_input(g.expand(4, 2, 2), x)), y) for g in symmetry.group.elements(dtype=x.dtype)]
    (expected,) = torch.autograd.grad((p * torch.stack(values)).sum(), model.distribution.logits)
    many = 2000
    loss = Supervised(mse)(model, (x.repeat(many, 1, 1, 1), y.repeat(many, 1)))
    loss.total.backward()
    torch.testing.assert_close(model.distribution.logits.grad, expected, atol=0.03, rtol=0.1)
    assert model.net[1].weight.grad.abs().sum() > 0


def upright(count):
    """Images with one bright pixel row; the class tells the upper from the lower half."""
    y = torch.randint(2, (count,))
    x = 0.1 * torch.rand(count, 1, 8, 8)
    x[torch.arange(count), 0, torch.randint(4, (count,)) + 4 * y, 2:6] = 1.0
    return x, y


@pytest.mark.parametrize(("label_turns", "low", "high"), [(False, 0.3, 0.7), (True, 0.0, 0.1)])
def test_discrete_symmetry_is_learned(label_turns, low, high):
    """Half turns are kept when the label is the same for both halves, and dropped when they would change it."""
    group = ls.groups.Cyclic(2)
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 2))
    model = Augmented(net, ls.Symmetry(group, ls.actions.Image()), LearnableCategorical(group, 0.3))
    optimiser = torch.optim.Adam(model.parameters(), lr=0.03)
    objective = Augerino(cross_entropy, regularisers["entropy"], weight=0.1)
    for _ in range(150):
        x, y = upright(64)
        optimiser.zero_grad()
        objective(model, (x, y if label_turns else torch.ones_like(y))).total.backward()
        optimiser.step()
    assert low <= model.distribution().probabilities[1].item() <= high


def test_label_maps_move_with_the_inputs():
    symmetry = equivariant(ls.symmetry_by_name("affine2d"))
    model = Augmented(nn.Conv2d(1, 4, 3, padding=1), symmetry, LearnableBox(symmetry.group, 0.3), copies=2)
    objective = CoMoved(Segmentation(ignore=3), ls.actions.LabelMap(fill=3))
    loss = objective(model, label_maps())
    loss.total.backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    model.eval()
    x, y = label_maps()
    torch.testing.assert_close(objective(model, (x, y)).parts["task"], Segmentation(ignore=3)(model(x), y))
    plain = objective(model.net.train(), (x, y))
    torch.testing.assert_close(plain.parts["task"], Segmentation(ignore=3)(model.net(x), y))


def test_co_moved_loss_of_an_equivariant_network_does_not_depend_on_the_element():
    symmetry = equivariant(ls.symmetry_by_name("square2d"))
    model = Augmented(nn.Conv2d(1, 4, 1).double(), symmetry, LearnableCategorical(symmetry.group, 0.9).double())
    x, y = label_maps()
    objective = CoMoved(Segmentation(ignore=3), ls.actions.LabelMap(fill=3))
    first, second = (objective(model, (x.double(), y)).parts["task"] for _ in range(2))
    torch.testing.assert_close(first, second)
    torch.testing.assert_close(first, Segmentation(ignore=3)(model.net(x.double()), y))


def test_void_is_left_out():
    outputs, targets = torch.randn(2, 3, 4, 4), torch.randint(3, (2, 4, 4))
    targets[0] = 11
    torch.testing.assert_close(Segmentation()(outputs, targets), F.cross_entropy(outputs[1:], targets[1:]))
    assert Segmentation()(outputs, torch.full_like(targets, 11)) == 0


def test_regression_fits_columns_to_vectors():
    outputs = torch.randn(5, 1)
    assert mse(outputs, outputs[:, 0]) == 0
    with pytest.raises(ValueError, match=r"^targets: "):
        mse(outputs, torch.randn(5, 2))


@pytest.mark.parametrize("loss", losses)
@pytest.mark.parametrize("regulariser", regularisers)
def test_configuration_builds_the_objective(loss, regulariser):
    method = registry["augerino"](regulariser=regulariser, weight=0.2)
    config = LossConfig(name=loss, ignore=7 if loss == "segmentation" else None)
    objective = method.objective(Setup(net=NetConfig(), data=DATA, loss=config), Plain(classifier()))
    (reward,) = objective.terms
    assert reward.weight == 0.2
    assert reward.regulariser is regularisers[regulariser]
    assert isinstance(objective.task, MovedTogether) == (loss == "segmentation")
    if loss == "segmentation":
        assert objective.task.on_target.fill == objective.task.loss_fn.ignore == 7


BAD = {
    "weight": [lambda: Augerino(cross_entropy, weight=-1.0)],
    "method.weight": [lambda: registry["augerino"](weight=float("nan"))],
    "loss.name": [lambda: LossConfig(name="hinge")],
    "loss.ignore": [lambda: LossConfig(ignore=7)],
}


@pytest.mark.parametrize(("argument", "make"), [(name, make) for name, makes in BAD.items() for make in makes])
def test_bad_input_is_named(argument, make, monkeypatch):
    # the type checker would be first to refuse what is no member of a Literal
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(ValueError, match=f"^{argument}: "):
        make()


def test_an_unknown_regulariser_is_named():
    with pytest.raises(ValueError, match=r"method\.regulariser: .*other"):
        config_of({"method": {"regulariser": "other"}})
