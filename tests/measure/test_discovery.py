"""Discovery: invariant functions yield the span of their Lie algebra, others nothing; p-values keep their level."""

import runpy
from functools import partial
from pathlib import Path

import pytest
import torch
from scipy.linalg import subspace_angles
from scipy.special import stdtrit
from torch import nn

from learnsym import actions, groups
from learnsym.measure.discovery.candidate import GeneratorCandidate
from learnsym.measure.discovery.discover import discover_generators
from learnsym.measure.discovery.fields import all_candidates, velocities

POINTS = actions.PointCloud()
METRIC = torch.diag(torch.tensor([-1.0, 1.0, 1.0, 1.0], dtype=torch.float64))


def largest_angle(found, algebra):
    return float(subspace_angles(found.flatten(1).T.numpy(), algebra.flatten(1).T.numpy()).max())


def inner_product(w, x):
    return (x * w).sum(1, keepdim=True)


def gram_features(metric):
    def model(x):
        gram = x @ metric @ x.mT
        return torch.stack([gram.square().sum((1, 2)), gram.diagonal(dim1=1, dim2=2).sin().sum(1), gram[:, 0, 1]], 1)

    return model


def test_rotation_invariant_function_yields_so3():
    x = torch.randn(200, 4, 3, dtype=torch.float64)
    found = discover_generators(gram_features(torch.eye(3).double()), x, POINTS)
    symmetries = found.symmetries()
    assert len(symmetries) == 3 and len(found.untested) == 0
    assert largest_angle(symmetries, groups.SO3().algebra) < 1e-6
    assert [each.p_value for each in found.candidates[:3]] == [0.005] * 3
    assert found.candidates[3].singular_value.mean > 0.3


def test_lorentz_invariant_function_yields_so13():
    x = torch.randn(400, 3, 4, dtype=torch.float64)
    found = discover_generators(gram_features(METRIC), x, actions.PointCloud(dim=4)).symmetries()
    assert len(found) == 6
    assert largest_angle(found, groups.Lorentz().algebra) < 1e-6


def test_typed_points_move_with_their_vectors_and_keep_their_scalars():
    x = torch.randn(300, 3, 7, dtype=torch.float64)

    def model(x):
        position, velocity, mass = x.split((3, 3, 1), -1)
        return (position * velocity).sum(-1).square() * mass[..., 0] + position.square().sum(-1)

    typed = actions.PointCloud(vectors=1, scalars=1)
    assert velocities(typed, all_candidates(typed, x), x)[..., 6].abs().max() == 0
    found = discover_generators(model, x, typed).symmetries()
    assert len(found) == 3
    assert largest_angle(found, groups.SO3().algebra) < 1e-6


def test_float32_and_many_outputs_by_projection():
    powers = torch.linspace(0.5, 2, 40)
    found = discover_generators(lambda x: x.norm(dim=1, keepdim=True) ** powers, torch.randn(200, 2), probes=4)
    assert largest_angle(found.symmetries(), groups.SO2().algebra) < 1e-4
    assert found.candidates[0].singular_value.mean < 1e-5


@pytest.mark.parametrize("activation", [nn.Tanh, nn.ReLU])
def test_a_network_without_symmetry_has_none(activation):
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 32), activation(), nn.Linear(32, 2)).double()
    found = discover_generators(model, torch.randn(200, 4, 3, dtype=torch.float64), POINTS)
    assert len(found.candidates) == 9
    assert len(found.symmetries()) == 0


def test_p_values_of_unrelated_gradients_are_uniform():
    smallest = []
    for seed in range(300):
        # one gradient per example, which has nothing to do with it
        x, w = torch.randn(2, 40, 3, dtype=torch.float64)
        found = discover_generators(partial(inner_product, w), x, permutations=19, seed=seed)
        smallest.append(found.candidates[0].p_value)
    p_values = torch.tensor(smallest)
    for level in (0.1, 0.5, 0.9):
        share = (p_values <= level + 1e-6).double().mean()
        assert abs(share - level) < 4 * (level * (1 - level) / 300) ** 0.5


def test_constant_gradients_are_not_mistaken_for_a_symmetry():
    found = discover_generators(nn.Linear(3, 1).double(), torch.randn(100, 3, dtype=torch.float64))
    # w·(A x) = 0 for all x: six matrices that no permutation can test, and three with the same change under any
    assert len(found.untested) == 6 and len(found.candidates) == 3
    assert all(each.p_value == 1 for each in found.candidates)
    assert all(each.singular_value.mean == pytest.approx(1) for each in found.candidates)


def blobs(count, size=16):
    """Smooth images that vanish at the border, so that sums by parts have no border terms; and the squared radius."""
    line = torch.linspace(-1, 1, size, dtype=torch.float64)
    v, u = torch.meshgrid(-line, line, indexing="ij")
    centre = 0.5 * (torch.rand(count, 3, 2, 1, 1, dtype=torch.float64) - 0.5)
    width = 0.2 + 0.2 * torch.rand(count, 3, 2, 1, 1, dtype=torch.float64)
    distance = ((u - centre[:, :, 0]) / width[:, :, 0]) ** 2 + ((v - centre[:, :, 1]) / width[:, :, 1]) ** 2
    border = ((1 - u**2) * (1 - v**2)).clamp(min=0)
    return (-distance).exp().sum(1, keepdim=True) * border, u**2 + v**2


def energy(x):
    return x.square().sum((2, 3))


def test_energy_of_images_is_invariant_to_all_fields_that_keep_areas():
    x, _ = blobs(150)
    found = discover_generators(energy, x, actions.Image())
    affine = groups.Affine2()
    keep_areas = [place for place, each in enumerate(affine.generators) if each.name != "scale"]
    assert len(found.symmetries()) == 5
    assert largest_angle(found.symmetries(), affine.algebra[keep_areas]) < 0.01
    # sums by parts of central differences are exact for shifts, rotation and shear
    exact = torch.stack([each.matrix for each in found.candidates[:4]])
    assert largest_angle(exact, affine.algebra[[0, 1, 2, 5]]) < 1e-6


def test_radial_moments_of_images_yield_the_rotation():
    x, radius = blobs(200, size=24)
    found = discover_generators(
        lambda x: torch.cat([(x ** (k + 1) * radius**k).sum((2, 3)) for k in (1, 2)], 1), x, actions.Image()
    )
    rotation = torch.zeros(1, 3, 3, dtype=torch.float64)
    rotation[0, :2, :2] = groups.SO2().algebra[0]
    assert len(found.symmetries()) == 1
    assert largest_angle(found.symmetries(), rotation) < 0.01


def test_candidates_can_be_chosen():
    found = discover_generators(energy, blobs(100)[0], actions.Image(), groups.Scale2().algebra)
    assert len(found.candidates) == 1 and len(found.symmetries()) == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_translations_of_points_and_still_coordinates_are_untested(dtype):
    def centred(x):
        return (x - x.mean(1, keepdim=True)).pow(3).sum((1, 2))[:, None]

    points = torch.randn(50, 4, 3, dtype=dtype)
    found = discover_generators(centred, points, POINTS, groups.SE3().algebra[:3])
    assert len(found.untested) == 3 and len(found.symmetries()) == 0
    # with z = 0 nothing is read from z, and the gradient along z is 0
    flat = points * torch.tensor([1, 1, 0], dtype=dtype)
    untested = discover_generators(centred, flat, POINTS).untested
    assert len(untested) == 5 and untested[:, :2, :2].abs().max() < 1e-6


def test_standard_errors_are_those_of_resampled_examples():
    ellipse = partial(torch.matmul, other=torch.tensor([[1.0], [1.3]], dtype=torch.float64))
    draws = []
    for _ in range(150):
        x = torch.randn(150, 2, dtype=torch.float64)
        found = discover_generators(lambda x: ellipse(x.square()), x, None, groups.SO2().algebra, permutations=39)
        draws.append((found.candidates[0].singular_value.mean, found.candidates[0].singular_value.stderr))
    means, errors = torch.tensor(draws).T
    assert float(errors.mean()) == pytest.approx(float(means.std()), rel=0.25)


def radius(x):
    return x.norm(dim=1, keepdim=True)


def test_bound_of_a_generator_that_changes_nothing():
    n, level = 30, 0.05
    zero = GeneratorCandidate(
        matrix=torch.eye(2), change=torch.zeros(n - 1), unrelated=torch.full((n - 1,), 0.4), p_value=0.01
    )
    # q is 0 but for the example that is counted as unrelated: mean 1/n, standard error 1/n
    assert zero.bound(level) == pytest.approx(((1 + stdtrit(n - 1, 1 - level)) / n) ** 0.5)
    assert zero.bound(0.01) > zero.bound(0.05) > zero.bound(0.4) > n**-0.5
    with pytest.raises(ValueError, match="level: got 5"):
        zero.bound(5.0)


def test_bound_solves_the_equation_of_fieller():
    q, h = torch.rand(2, 40, dtype=torch.float64) + torch.tensor([[0.0], [0.5]])
    one = GeneratorCandidate(matrix=torch.eye(2), change=q, unrelated=h, p_value=0.01)
    z = torch.cat([q, torch.maximum(q.max(), h.mean())[None]]) - one.bound() ** 2 * torch.cat([h, h.mean()[None]])
    assert float(z.mean()) == pytest.approx(-float(stdtrit(40, 0.95) * z.std() / 41**0.5))
    assert one.singular_value.mean == pytest.approx(float((q.mean() / h.mean()).sqrt()))


def test_few_examples_declare_nothing_and_a_few_hundred_do():
    x = torch.randn(200, 3, dtype=torch.float64)
    few, many = (discover_generators(radius, x[:count]) for count in (40, 200))
    assert few.candidates[0].singular_value.mean < 1e-6 and len(few.symmetries()) == 0
    assert len(many.symmetries()) == 3 and max(many.bounds()[:3]) < 0.3
    assert largest_angle(many.symmetries(), groups.SO3().algebra) < 1e-6


def test_no_few_large_examples_decide():
    x = torch.randn(120, 3, dtype=torch.float64)
    w = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)
    large = x * torch.randn(120, 1, dtype=torch.float64).mul(3).exp()
    plain, scaled = (discover_generators(lambda x: (x.square() @ w)[:, None], each) for each in (x, large))
    # behind the three symmetries, of which any basis may be found
    for a, b in zip(plain.candidates[3:], scaled.candidates[3:], strict=True):
        assert a.singular_value.mean == pytest.approx(b.singular_value.mean, abs=1e-6)
        assert a.bound() == pytest.approx(b.bound(), abs=1e-6)


def test_bounds_hold_where_the_smallest_of_many_was_chosen():
    """Fifty examples of a network without symmetry; the truth by many further examples."""
    torch.manual_seed(4)
    model = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 1)).double()
    further = torch.randn(800, 3, dtype=torch.float64)
    held = 0
    for seed in range(20):
        found = discover_generators(model, torch.randn(50, 3, dtype=torch.float64), permutations=19, seed=seed)
        first = found.candidates[0]
        truth = discover_generators(model, further, None, first.matrix[None], permutations=1).candidates[0]
        held += truth.singular_value.mean <= first.bound()
        assert len(found.symmetries(level=0.06)) == 0
    assert held >= 16


@pytest.mark.slow
@pytest.mark.parametrize("law", ["normal", "t3", "log-normal", "contaminated"])
def test_band_of_the_bounds(law):
    script = runpy.run_path(str(Path(__file__).parents[2] / "experiments" / "how_sure" / "generators.py"))
    rows = [row for d in (2, 3, 4) for count in (50, 200) for row in script["cell"](law, d, count, 25)]
    for name in script["FUNCTIONS"]:
        of = [row for row in rows if row["function"] == name]  # 150 discoveries
        assert sum(row["first"] for row in of) / len(of) > 0.92
        assert sum(row["all"] for row in of) / len(of) > 0.92
        assert sum(row["false"] for row in of) / len(of) <= 0.05


def test_model_is_left_as_found_and_batches_do_not_matter():
    model = nn.Sequential(nn.Linear(3, 8), nn.Dropout(), nn.Tanh(), nn.Linear(8, 2)).double().train()
    model[1].eval()
    x = torch.randn(40, 3, dtype=torch.float64)
    results = [discover_generators(model, x, permutations=9, batch_size=size).candidates for size in (1, 7, 64)]
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            assert a.p_value == b.p_value
            assert a.singular_value.mean == pytest.approx(b.singular_value.mean, rel=1e-9)
    assert [each.training for each in model] == [True, False, True, True]
    assert all(parameter.grad is None for parameter in model.parameters()) and not x.requires_grad


def test_refusals():
    x = torch.randn(20, 3)
    model = nn.Linear(3, 1)
    with pytest.raises(ValueError, match="no gradient with respect to x"):
        discover_generators(lambda x: x.sign().detach(), x)
    with pytest.raises(ValueError, match="no gradient with respect to x"):
        discover_generators(lambda x: model(x.detach()), x)
    with pytest.raises(ValueError, match="gradient at example 4 is not finite"):
        discover_generators(lambda y: (y - x[4]).norm(dim=1, keepdim=True).sqrt(), x)
    with pytest.raises(ValueError, match="x: got 3 examples"):
        discover_generators(model, x[:3])
    with pytest.raises(ValueError, match="probes: got 0"):
        discover_generators(model, x, probes=0)
    with pytest.raises(ValueError, match="matrices of size 3"):
        discover_generators(model, x, candidates=groups.SO2().algebra)
    with pytest.raises(ValueError, match="must be 3 for PointCloud"):
        discover_generators(model, torch.randn(5, 2, 4), POINTS)
