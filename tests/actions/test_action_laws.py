"""Laws of a left action, for every action of the registry."""

import copy
import pickle

import pytest
import torch
from action_cases import BATCH, CASES

SMOOTH = [case for case in CASES if case.data().is_floating_point()]


def relative_error(a, b):
    a, b = a.double(), b.double()
    return float((a - b).abs().max() / b.abs().max().clamp(min=1e-12))


def of(cases):
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)


@of(CASES)
def test_the_group_and_the_data_fit(case):
    case.action.check(case.group())
    case.action.check_data(case.group(), case.data())


@of(CASES)
def test_left_action(case):
    g, h, x = case.elements(), case.elements(), case.data()
    assert relative_error(case.action(g, case.action(h, x)), case.action(g @ h, x)) <= case.tolerance


@of(CASES)
def test_inverse_undoes(case):
    g, x = case.elements(), case.data()
    assert relative_error(case.action(case.group().inverse(g), case.action(g, x)), x) <= case.tolerance


@of(CASES)
def test_identity_is_exact(case):
    x = case.data()
    moved = case.action(case.group().identity(BATCH, dtype=torch.float64), x)
    assert torch.equal(moved, x) or (case.rounds and relative_error(moved, x) <= 1e-13)


@of(SMOOTH)
def test_identity_with_gradient_is_near(case):
    x = case.data()
    g = case.group().identity(BATCH, dtype=torch.float64).requires_grad_()
    assert relative_error(case.action(g, x).detach(), x) <= 1e-10


@of(CASES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_shape_and_dtype_stay(case, dtype):
    x = case.data()
    x = x.to(dtype) if x.is_floating_point() else x
    moved = case.action(case.elements().float(), x)
    assert moved.shape == x.shape and moved.dtype == x.dtype


@of(CASES)
def test_input_is_not_changed(case):
    x = case.data()
    before = x.clone()
    moved = case.action(case.group().identity(BATCH, dtype=torch.float64), x)
    if case.name != "invariant":
        moved.zero_()
    assert torch.equal(x, before)


@of(CASES)
def test_vmap_equals_a_loop(case):
    x = torch.stack([case.data(), case.data().flip(0)])
    g = torch.stack([case.elements(), case.elements()])
    expected = torch.stack([case.action(a, b) for a, b in zip(g, x, strict=True)])
    assert relative_error(torch.func.vmap(case.action)(g, x), expected) <= 1e-6


@of(CASES)
def test_pickle_and_deepcopy_compare_equal(case):
    for twin in (pickle.loads(pickle.dumps(case.action)), copy.deepcopy(case.action)):
        assert twin == case.action and hash(twin) == hash(case.action)


WITH_GRADIENT = [case for case in SMOOTH if case.group().space != "index" and case.name != "image-bicubic"]


@of(WITH_GRADIENT)
def test_gradients_of_the_element_and_the_data(case):
    if case.name.startswith(("image", "vector-field", "product")):
        x = case.data()[:2, :2, 1:6, 1:6].clone()
    elif case.name.startswith("sphere"):
        x = case.data()[:1, :1, :: case.data().shape[2] // 8, :: case.data().shape[3] // 8].clone()
    elif case.name.startswith("volume"):
        x = case.data()[:2, :, 13:17, 13:17, 13:17].clone()
    else:
        x = case.data()[:2].clone()
    g = case.elements(batch=len(x))
    g = g + 0.01 * torch.randn_like(g)  # off the kinks of bilinear interpolation
    x, g = x.requires_grad_(), g.requires_grad_()
    assert torch.autograd.gradcheck(case.action, (g, x), eps=1e-7, atol=1e-4)


@of(WITH_GRADIENT)
def test_forward_mode_agrees_with_reverse_mode(case):
    x, g = case.data(), case.elements()
    g = g + 0.01 * torch.randn_like(g)
    tangent, weight = torch.randn_like(g), torch.randn_like(x)
    _, forward = torch.func.jvp(lambda a: case.action(a, x), (g,), (tangent,))
    g = g.requires_grad_()
    (backward,) = torch.autograd.grad((case.action(g, x) * weight).sum(), g)
    torch.testing.assert_close((forward * weight).sum(), (backward * tangent).sum(), rtol=1e-8, atol=1e-8)
