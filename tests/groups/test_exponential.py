"""The exponential and the logarithm against `torch.linalg.matrix_exp`, with gradients, everywhere and at 0."""

import math

import jaxtyping
import pytest
import torch
from torch.func import grad, jacfwd, jacrev, jvp, vmap
from torch.testing import assert_close

from learnsym.groups import SE2, SE3, SO2, SO3, Affine2, Colour, CustomGroup, HueSaturation, Lorentz, Similarity2


def reference_exp(group, a):
    """The slow, obvious twin."""
    return torch.linalg.matrix_exp(torch.einsum("...d,dij->...ij", a, group.algebra.to(a)))


@pytest.mark.parametrize("size", [0.0, 1e-9, 1e-4, 0.3, 1.0, 2.5])
def test_exp_is_the_matrix_exponential(lie_group, coordinates, size):
    a = coordinates(lie_group, 30, size=size)
    assert_close(lie_group.exp(a), reference_exp(lie_group, a), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("angle", [3.1, math.pi, 3.17, 4.0, 6.3, 12.0, 30.0])
@pytest.mark.parametrize("group", [SO2(), SE2(), Similarity2(), Affine2(), SO3(), SE3()], ids=str)
def test_exp_of_large_rotations(group, coordinates, angle):
    a = coordinates(group, 10)
    turns = torch.tensor([generator.name.startswith("rotation") for generator in group.generators])
    a = torch.where(turns, angle / turns.sum().sqrt(), a)
    assert_close(group.exp(a), reference_exp(group, a), rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("size", [0.0, 1e-8, 0.7, 2.0])
def test_gradient_of_exp(lie_group, coordinates, size):
    a = coordinates(lie_group, 5, size=size)
    weights = torch.randn(lie_group.n, lie_group.n, dtype=torch.float64)
    gradients = []
    for exp in (lie_group.exp, lambda x: reference_exp(lie_group, x)):
        x = a.clone().requires_grad_()
        gradients.append(torch.autograd.grad((weights * exp(x)).sum(), x)[0])
    assert_close(gradients[0], gradients[1], rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("size", [0.0, 0.9])
def test_second_derivative_of_exp(lie_group, coordinates, size):
    x = coordinates(lie_group, 1, size=size).requires_grad_()
    assert torch.autograd.gradgradcheck(lie_group.exp, x)


def test_third_derivative_at_zero(lie_group):
    a = torch.ones(lie_group.dim, dtype=torch.float64)
    weights = torch.randn(lie_group.n, lie_group.n, dtype=torch.float64)
    third = grad(grad(grad(lambda t: (weights * lie_group.exp(t * a)).sum())))
    generator = lie_group.algebra.sum(0)
    expected = (weights * torch.linalg.matrix_power(generator, 3)).sum()
    assert_close(third(torch.zeros((), dtype=torch.float64)), expected)


def test_exp_is_finite_where_the_linear_part_of_the_algebra_is_singular():
    """Far outside the caps, with an accuracy of half of the digits."""
    a = torch.tensor([[0.1, 0.2, 0.0, 5.0, 5.0, 0.0], [0.1, 0.2, 0.0, -4.0, 0.0, 4.0]], dtype=torch.float64)
    assert_close(Affine2().exp(a), reference_exp(Affine2(), a), rtol=1e-6, atol=1e-6)


def test_log_inverts_exp(lie_group, coordinates):
    a = coordinates(lie_group, 50)
    assert_close(lie_group.log(lie_group.exp(a)), a, rtol=1e-9, atol=1e-9)


def test_exp_inverts_log(lie_group, elements):
    g = elements(lie_group, 50)
    g = g[lie_group.component(g) == 0]
    assert_close(lie_group.exp(lie_group.log(g)), g, rtol=1e-9, atol=1e-9)


def test_log_of_the_identity_is_zero_with_a_finite_gradient(lie_group):
    g = lie_group.identity(dtype=torch.float64).requires_grad_()
    a = lie_group.log(g)
    assert_close(a, torch.zeros(lie_group.dim, dtype=torch.float64))
    (gradient,) = torch.autograd.grad(a.sum(), g)
    assert gradient.isfinite().all()


@pytest.mark.parametrize("gap", [0.0, 1e-15, 1e-9, 1e-6, 1e-3])
def test_log_is_stable_near_a_half_turn(gap):
    axes = torch.nn.functional.normalize(torch.randn(100, 3, dtype=torch.float64), dim=-1)
    a = (math.pi - gap) * torch.cat([axes, torch.eye(3, dtype=torch.float64)])
    g = SO3().exp(a)
    assert_close(SO3().exp(SO3().log(g)), g, rtol=0, atol=1e-12)
    assert_close(SO3().log(g).norm(dim=-1), torch.full((103,), math.pi - gap, dtype=torch.float64), rtol=0, atol=1e-9)


def test_log_of_a_planar_half_turn():
    for group in (SE2(), Similarity2(), Affine2()):
        g = torch.diag(torch.tensor([-1.0, -1.0, 1.0], dtype=torch.float64))
        assert_close(group.log(g)[2].abs(), torch.tensor(math.pi, dtype=torch.float64))
        assert_close(group.exp(group.log(g)), g)


def test_affine_log_is_nan_without_a_real_logarithm():
    g = torch.diag(torch.tensor([-1.0, -2.0, 1.0]))
    assert Affine2().contains(g)
    assert Affine2().log(g).isnan().any()


def test_one_parameter_subgroups(lie_group, coordinates):
    a = coordinates(lie_group, 10)
    assert_close(lie_group.exp(a) @ lie_group.exp(0.5 * a), lie_group.exp(1.5 * a), rtol=1e-9, atol=1e-9)
    assert_close(lie_group.inverse(lie_group.exp(a)), lie_group.exp(-a), rtol=1e-9, atol=1e-9)


def test_function_transforms(lie_group, coordinates):
    a = coordinates(lie_group, 4)
    exp, log = lie_group.exp, lie_group.log
    assert_close(vmap(exp)(a), exp(a))
    assert_close(vmap(log)(vmap(exp)(a)), a, rtol=1e-9, atol=1e-9)
    assert_close(vmap(lie_group.inverse)(exp(a)), lie_group.inverse(exp(a)))
    assert_close(vmap(lie_group.contains)(exp(a)), torch.ones(4, dtype=torch.bool))
    backward, forward = vmap(jacrev(exp))(a), vmap(jacfwd(exp))(a)
    assert_close(backward, forward, rtol=1e-9, atol=1e-9)
    _, tangent = jvp(exp, (a,), (torch.ones_like(a),))
    assert_close(tangent, backward.sum(-1), rtol=1e-9, atol=1e-9)


def test_the_jacobian_at_zero_is_the_algebra(lie_group):
    jacobian = jacrev(lie_group.exp)(torch.zeros(lie_group.dim, dtype=torch.float64))
    assert_close(jacobian.movedim(-1, 0), lie_group.algebra)


def test_dtype_and_shape_follow_the_input(group):
    for dtype in (torch.float32, torch.float64):
        a = 0.1 * torch.ones(2, 3, group.dim, dtype=dtype)
        g = group.exp(a)
        assert g.shape == (2, 3, group.n, group.n)
        assert group.contains(g, atol=1e-4).shape == group.component(g).shape == (2, 3)
        assert {g.dtype, group.inverse(g).dtype, group.log(g).dtype, group.identity(dtype=dtype).dtype} == {dtype}
        assert group.log(g).shape == (2, 3, group.dim)
        assert_close(group.exp(group.log(g)), g, rtol=1e-4, atol=1e-5)


def test_meta_device_follows_the_input():
    for group in (SO2(), SO3(), Affine2(), SE3(), Colour(), HueSaturation()):
        a = torch.zeros(3, group.dim, device="meta")
        assert group.inverse(group.exp(a)).device == group.log(group.exp(a)).device == a.device


@pytest.mark.slow
def test_exp_compiles_to_one_graph(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the compiler cannot trace the type checker
    for group in (SO2(), Affine2(), SO3(), SE3(), HueSaturation()):
        a = torch.rand(6, group.dim, dtype=torch.float64, requires_grad=True)
        compiled = torch.compile(group.exp, fullgraph=True, backend="aot_eager")
        assert_close(compiled(a), group.exp(a))
        assert_close(torch.autograd.grad(compiled(a).sum(), a), torch.autograd.grad(group.exp(a).sum(), a))


def test_single_precision_is_accurate():
    a = torch.tensor([0.3, -0.2, 1.5, 0.1, 0.2, -0.1])
    assert_close(Affine2().exp(a), Affine2().exp(a.double()).float(), rtol=1e-6, atol=1e-6)
    tiny = torch.tensor([0.0, 1e-6, 0.0])
    assert_close(SO3().log(SO3().exp(tiny)), tiny)


GAPS = [0.0, 1e-12, 1e-8, 1e-6, 1e-4, 1e-2, math.pi - 1e-5, math.pi - 1e-9, math.pi]


def turned(group, gap, size):
    """Elements that turn by `π - gap` about coordinate axes and others, with other coordinates up to `size`."""
    a = size * (2 * torch.rand(24, group.dim, dtype=torch.float64) - 1)
    turns = [i for i, generator in enumerate(group.generators) if generator.unit == "degree"]
    for factor_turns in [turns[:1], turns[1:]] if len(turns) == 4 else [turns]:
        axes = torch.nn.functional.normalize(torch.randn(24, max(len(factor_turns), 1), dtype=torch.float64), dim=-1)
        axes[: 2 * axes.shape[1]] = torch.cat([torch.eye(axes.shape[1]), -torch.eye(axes.shape[1])]).double()
        a[:, factor_turns] = (math.pi - gap) * axes[:, : len(factor_turns)]
    return group.exp(a)


@pytest.mark.parametrize("size", [0.0, 1e-6, 0.5, 2.0, 5.0])
def test_exp_inverts_log_near_half_turns_and_the_identity(lie_group, size):
    exact = torch.cat([turned(lie_group, gap, size) for gap in GAPS])
    for dtype, tolerance in ((torch.float64, 1e-6), (torch.float32, 1e-3)):
        g = exact.to(dtype)
        scale = 1 + g.abs().amax((-2, -1))
        error = (lie_group.exp(lie_group.log(g)) - g).abs().amax((-2, -1)) / scale
        assert (error <= tolerance).all()


def test_log_of_lorentz_transformations_keeps_boosts_and_half_turns_apart():
    group = Lorentz()
    a = torch.tensor([[0.0, 0, 0, math.pi, 0, 0], [0.7, 0, 0, math.pi, 0, 0], [8.0, 0, 0, 0, 0, 0]]).double()
    assert_close(group.log(group.exp(a))[..., 3:].abs(), a[..., 3:], rtol=0, atol=1e-6)
    assert_close(group.log(group.exp(a))[..., :3].abs(), a[..., :3], rtol=0, atol=1e-6)


def test_a_logarithm_that_cannot_be_had_is_nan():
    group = CustomGroup(SO3().algebra)
    a = math.pi * torch.nn.functional.normalize(torch.randn(20, 3, dtype=torch.float64), dim=-1)
    assert group.log(SO3().exp(a)).isnan().all()
    assert_close(group.log(SO3().exp(0.9 * a)), 0.9 * a, rtol=1e-6, atol=1e-6)


def test_coordinates_that_differ_by_whole_turns_stand_for_one_element(lie_group, coordinates):
    if lie_group.factors:
        with pytest.raises(ValueError, match=r"^group: .* is a product; ask each"):
            lie_group.windings(coordinates(lie_group, 3), 1)
        return
    a = coordinates(lie_group, 20, size=2.0)
    wound, log_volume = lie_group.windings(a, 2)
    exists = log_volume.isfinite()
    repeated = lie_group.exp(a).unsqueeze(1).expand(-1, wound.shape[1], -1, -1)
    assert_close(lie_group.exp(wound)[exists], repeated[exists], rtol=1e-9, atol=1e-9)
    assert exists[:, wound.shape[1] // 2].all()
    for k in range(wound.shape[1]):
        jacobian = vmap(jacrev(lambda x, k=k: lie_group.windings(x, 2)[0][k]))(a)
        stretch = torch.linalg.slogdet(jacobian).logabsdet
        assert_close(stretch[exists[:, k]], log_volume[exists[:, k], k], rtol=1e-7, atol=1e-7)


def test_windings_are_finite_at_the_identity(lie_group):
    if lie_group.factors:
        return
    zero = torch.zeros(lie_group.dim, dtype=torch.float64, requires_grad=True)
    wound, log_volume = lie_group.windings(zero, 1)
    assert wound.isfinite().all()
    total = wound.sum() + torch.where(log_volume.isfinite(), log_volume, 0.0).sum()
    assert torch.autograd.grad(total, zero)[0].isfinite().all()
