"""Laws of every learnable distribution."""

import copy
import math
import pickle

import pytest
import torch

import learnsym as ls
from learnsym.distributions import (
    Fixed,
    GroupCategorical,
    Haar,
    LearnableBox,
    LearnableCategorical,
    LearnableComponents,
    LearnableNormal,
    LearnableProduct,
    LieBox,
    ProductDistribution,
    learnable,
)
from learnsym.groups import O2, SE2, SO2, Affine2, Colour, Cyclic, Dihedral, Join, Permutation

CASES = {
    "box_so2": lambda: LearnableBox(SO2(), 0.5),
    "box_affine2": lambda: LearnableBox(Affine2()),
    "box_widths": lambda: LearnableBox(SE2(), torch.tensor([0.1, 0.2, 1.0])),
    "box_caps": lambda: LearnableBox(SE2(), 0.3, caps={"rotation": 1.0}),
    "normal_affine2": lambda: LearnableNormal(Affine2(), 0.2),
    "categorical_c4": lambda: LearnableCategorical(Cyclic(4), 0.3),
    "categorical_s3": lambda: LearnableCategorical(Permutation(3)),
    "components_o2": lambda: LearnableComponents(O2(), 0.2),
    "joined": lambda: learnable(Join(SO2(), Dihedral(1), ls.groups.Scale2())),
    "joined_and_colour": lambda: learnable(ls.groups.Product(Join(ls.groups.Scale2(), Dihedral(4)), Colour())),
    "product": lambda: LearnableProduct(LearnableBox(Affine2()), LearnableCategorical(Dihedral(1))),
    "affine_and_colour": lambda: learnable(ls.groups.Product(Affine2(), Colour())),
    "affine_and_flips": lambda: learnable(ls.groups.Product(Affine2(), Dihedral(1))),
}
FIXED = {
    "box": lambda: Fixed(LieBox(SE2(), torch.tensor([0.1, 0.0, 1.0]))),
    "categorical": lambda: Fixed(GroupCategorical(Cyclic(3), torch.zeros(3))),
    "haar": lambda: Fixed(Haar(Dihedral(4))),
    "product": lambda: Fixed(ProductDistribution(LieBox(SO2(), torch.tensor([0.1])), Haar(Dihedral(1)))),
}
ALL = CASES | {f"fixed_{name}": make for name, make in FIXED.items()}


def case(names):
    return pytest.mark.parametrize("name", list(names))


@case(CASES)
def test_gradient_reaches_every_parameter(name):
    module = CASES[name]()
    assert list(module.parameters())
    g = module().rsample((64,))
    score = module().score(g.detach())
    drawn = g.square().mul(torch.arange(1.0, 1 + module.group.n)).sum() + (0 if score is None else score[:9].sum())
    for loss in (drawn, module.deficit()):
        module.zero_grad()
        loss.backward()
        for key, parameter in module.named_parameters():
            assert parameter.grad is not None and parameter.grad.isfinite().all(), key
            assert parameter.grad.abs().min() > 0 or loss is not drawn, key
        assert any(p.grad.abs().sum() > 0 for p in module.parameters())


@case(ALL)
def test_state_copies_and_pickles(name):
    module = ALL[name]()
    twins = [copy.deepcopy(module), pickle.loads(pickle.dumps(module)), ALL[name]()]
    twins[-1].load_state_dict(module.state_dict())
    u = torch.rand(5, module.uniforms)
    for twin in twins:
        torch.testing.assert_close(twin().from_uniform(u), module().from_uniform(u))


@case(ALL)
def test_degrees_are_task_symmetry(name):
    found = ALL[name]().degrees("input")
    assert found
    assert {degree.notion for degree in found} == {"task"}
    assert {degree.method for degree in found} == {"fixed" if name.startswith("fixed") else "augerino"}


@case(ALL)
def test_moves_between_dtypes(name):
    module = ALL[name]()
    assert module.double()().rsample().dtype == torch.float64
    assert module.half()().rsample((3,)).dtype == torch.float32


@case(CASES)
def test_autocast_does_not_touch_elements(name):
    module = CASES[name]()
    u = torch.rand(9, module.uniforms)
    expected = module().from_uniform(u)
    for dtype in (torch.float16, torch.bfloat16):
        with torch.autocast("cpu", dtype), ls.distributions.full_precision(torch.device("cpu")):
            torch.testing.assert_close(module().from_uniform(u), expected)
        with torch.autocast("cpu", dtype):
            assert module().rsample().dtype == torch.float32


@case(CASES)
def test_deficit_is_least_at_the_widest_law(name):
    module = CASES[name]()
    start = module.deficit()
    optimiser = torch.optim.Adam(module.parameters(), lr=0.1)
    for _ in range(100):
        optimiser.zero_grad()
        module.deficit().backward()
        optimiser.step()
    assert 0 <= module.deficit() < start
    assert module.deficit() < 0.05


def test_half_widths_start_where_asked_and_stay_below_caps():
    box = LearnableBox(Affine2(), 0.25)
    caps = torch.tensor([generator.cap for generator in Affine2().generators])
    torch.testing.assert_close(box.half_width, 0.25 * caps)
    with torch.no_grad():
        box.width.raw += 100
    torch.testing.assert_close(box.half_width, caps)
    torch.testing.assert_close(LearnableBox(SO2(), torch.tensor([0.2])).half_width, torch.tensor([0.2]))
    capped = LearnableBox(SE2(), 0.5, caps={"rotation": 1.0})
    assert capped.half_width.tolist()[2] == pytest.approx(0.5)


def test_caps_may_be_infinite():
    group = ls.groups.CustomGroup(SE2().algebra, names=["x", "y", "turn"], space="plane")
    box = LearnableBox(group, 0.3)
    torch.testing.assert_close(box.half_width, torch.full((3,), 0.3))
    with torch.no_grad():
        box.width.raw += 50
    assert (box.half_width > 40).all()
    box.half_width.sum().backward()
    assert box.width.raw.grad.isfinite().all()
    with pytest.raises(ValueError, match=r"^caps: "):
        box.deficit()


def test_degrees_are_in_reporting_units():
    box = LearnableBox(Affine2(), torch.tensor([0.2, 0.4, math.pi / 6, 0.1, 0.1, 0.1]))
    found = {degree.generator: degree for degree in box.degrees("input")}
    assert found["rotation"].estimate == pytest.approx(30, rel=1e-5)
    assert found["rotation"].unit == "degree"
    assert found["translation_x"].estimate == pytest.approx(0.1, rel=1e-5)
    assert found["translation_x"].unit == "shortest side"
    (flip,) = LearnableCategorical(Dihedral(1), 0.2).degrees("input")
    assert flip.estimate == pytest.approx(0.2)
    assert flip.unit == "probability"


def test_the_default_fits_the_group():
    assert type(learnable(Cyclic(4))) is LearnableCategorical
    assert type(learnable(Affine2())) is LearnableBox
    assert type(learnable(O2())) is LearnableComponents
    assert type(learnable(ls.groups.Product(SO2(), Cyclic(2)))) is LearnableProduct


BAD = {
    "init": [
        lambda: LearnableBox(SO2(), 0.0),
        lambda: LearnableBox(SO2(), 1.0),
        lambda: LearnableBox(SO2(), torch.tensor([4.0])),
        lambda: LearnableBox(SO2(), torch.tensor([0.1, 0.1])),
        lambda: LearnableCategorical(Cyclic(3), 0.0),
    ],
    "caps": [
        lambda: LearnableBox(SO2(), 0.1, caps={"translation": 1.0}),
        lambda: LearnableBox(SO2(), 0.1, caps=torch.tensor([1.0, 1.0])),
        lambda: LearnableBox(SO2(), 0.1, caps={"rotation": 0.0}),
    ],
    "group": [lambda: LearnableBox(Cyclic(3)), lambda: LearnableCategorical(SO2()), lambda: learnable(Permutation(9))],
}


@pytest.mark.parametrize(("argument", "make"), [(name, make) for name, makes in BAD.items() for make in makes])
def test_bad_input_is_named(argument, make):
    with pytest.raises(ValueError, match=f"^{argument}: "):
        make()
