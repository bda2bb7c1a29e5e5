"""Figures on the sphere: what is drawn where, how it is turned, what is refused."""

import pytest
import torch

import learnsym as ls
from learnsym.actions import BandLimitedSphere, Sphere, SphereLabels
from learnsym.data import DataConfig, PlantConfig, SphereConfig, load_splits, spherical_figures
from learnsym.report.inference.examples import examples_of_config
from learnsym.representations import sphere_points


@pytest.fixture(scope="module")
def pool():
    """Ten different figures of 28 pixels, no file needed."""
    torch.manual_seed(1)
    x = torch.zeros(40, 1, 28, 28)
    for i in range(40):
        x[i, 0, 6 + i % 8 : 22 - i % 5, 8:20] = 1.0
        x[i, 0, 18:24, 4 + i % 10 : 16] = 1.0
    return ls.data.Dataset(x, torch.arange(40) % 10, "figures", 10, tuple("0123456789"))


def drawn(pool, n=6, size=32, **settings):
    split = settings.pop("split", "train")
    return spherical_figures(pool, n, 3, size, SphereConfig(**settings), split)


def test_an_upright_figure_stands_where_it_is_said(pool):
    points = sphere_points(32, 32).float()
    for place, centre in (("south_pole", (0, 0, -1.0)), ("equator", (1.0, 0, 0))):
        x = drawn(pool, rotated=[], place=place).x
        mean = torch.einsum("nhw,hwi->ni", x[:, 0] * points[..., :2].norm(dim=-1), points)
        assert torch.einsum("ni,i->n", mean / mean.norm(dim=-1, keepdim=True), torch.tensor(centre)).min() > 0.8
        assert x.max() == 1.0 and x.min() == 0.0


def test_the_projection_is_stereographic():
    """A dot at the plane point q is seen at the angle 2 atan(q / 2) from the centre."""
    x = torch.zeros(1, 1, 57, 57)
    x[0, 0, 28, 42] = 1.0  # q = 2 · 14 / 28.5 to the right
    pool = ls.data.Dataset(x, torch.zeros(1, dtype=torch.long), "dot", 10)
    image = spherical_figures(pool, 1, 0, 128, SphereConfig(rotated=[], place="equator")).x[0, 0].double()
    points = sphere_points(128, 128)
    weights = image * points[..., :2].norm(dim=-1)
    longitude = float((weights * torch.atan2(points[..., 1], points[..., 0])).sum() / weights.sum())
    assert longitude == pytest.approx(2 * torch.tensor(14 / 28.5).atan().item(), abs=0.01)
    assert abs(float((weights * points[..., 2]).sum() / weights.sum())) < 0.01  # at the height of the centre


def test_turning_the_grid_turns_the_picture(pool):
    upright, turned = drawn(pool, size=96, rotated=[]), drawn(pool, size=96)
    g = turned.planted.view(-1, 3, 3)
    assert bool(ls.groups.SO3().contains(g, 1e-4).all())
    moved = Sphere()(g, upright.x)
    assert (moved - turned.x).square().mean().sqrt() < 0.04 < (upright.x - turned.x).square().mean().sqrt()


def test_masks_move_with_their_pictures(pool):
    upright, turned = drawn(pool, size=96, rotated=[], masks=True), drawn(pool, size=96, masks=True)
    assert turned.class_names[:2] == ("background", "0") and turned.classes == 11
    moved = SphereLabels()(turned.planted.view(-1, 3, 3), upright.y)
    assert (moved == turned.y).double().mean() > 0.98
    ink = turned.x[:, 0] > 150 / 255
    assert torch.equal(turned.y > 0, ink)
    assert torch.equal(turned.y.amax((1, 2)), drawn(pool, size=96).y + 1)


def test_every_image_has_its_own_rotation_or_shares_one_with_its_chunk(pool):
    own, chunks = (drawn(pool, 12, 8, chunk=chunk).planted for chunk in (1, 4))
    assert len(own.unique(dim=0)) == 12
    assert len(chunks.unique(dim=0)) == 3 and torch.equal(chunks[0], chunks[3])


def test_turns_about_the_vertical_keep_the_height(pool):
    g = drawn(pool, law="vertical").planted.view(-1, 3, 3)
    torch.testing.assert_close(g[:, 2], torch.tensor([0.0, 0.0, 1.0]).expand(6, 3))
    assert len(g.unique(dim=0)) == 6


def test_originals_are_turned_anew(pool):
    data = drawn(pool, 12, 16, originals=3)
    assert torch.equal(data.y[:3], data.y[3:6]) and not torch.equal(data.x[:3], data.x[3:6])
    assert torch.equal(drawn(pool, 6, 16, originals=3).x, data.x[:6])  # more copies begin with the fewer


def test_several_figures_have_masks_of_their_own_classes(pool):
    data = drawn(pool, 8, 64, figures=3, masks=True)
    found = [set(mask.unique().tolist()) - {0} for mask in data.y]
    assert all(1 <= len(each) <= 3 for each in found) and max(map(len, found)) == 3


def test_sources_have_distinct_figures_in_each_split_and_the_size_that_is_asked_for():
    splits = load_splits(DataConfig(name="spherical-digits", size=12, train=30, val=10, test=10))
    assert splits.train.in_shape == (1, 12, 12) and splits.train.signature.on_sphere
    again = load_splits(DataConfig(name="spherical-digits", size=12, train=30, val=10, test=10))
    assert torch.equal(splits.train.x, again.train.x)
    other = load_splits(DataConfig(name="spherical-digits", size=12, train=30, val=10, test=10, seed=1))
    assert not torch.equal(splits.train.x, other.train.x)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: DataConfig(name="digits", sphere=SphereConfig(masks=True)), "data.sphere: 'digits' is not drawn"),
        (lambda: DataConfig(name="spherical-digits", plant=PlantConfig(rotation=30.0)), "data.plant.*data.sphere.rot"),
        (lambda: SphereConfig(figures=2), "data.sphere.figures: got 2 without masks"),
        (lambda: SphereConfig(figures=5, masks=True), "data.sphere.figures: got 5"),
        (lambda: SphereConfig(rotated=["train", "train"]), "data.sphere.rotated"),
        (lambda: ls.data.load("spherical-digits", config=DataConfig(size=9)), "data.size: got 9.*take 10"),
        (lambda: ls.data.load("spherical-digits", config=DataConfig(size=6)), "data.size: got 6.*take 8"),
        (
            lambda: ls.data.load(
                "spherical-digits", config=DataConfig(name="spherical-digits", sphere=SphereConfig(originals=5000))
            ),
            "data.sphere.originals: got 5000",
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_moves_of_the_plane_are_refused_for_pictures_of_the_sphere():
    signature = load_splits(DataConfig(name="spherical-digits", size=8, train=4, val=2, test=2)).train.signature
    assert signature.symmetry("sphere").on_input == Sphere()
    with pytest.raises(ValueError, match="got 'rotation2d' for pictures of the sphere, must be sphere"):
        signature.symmetry("rotation2d")
    assert ls.data.Signature.from_json(signature.to_json()) == signature
    with pytest.raises(ValueError, match="even number of columns"):
        ls.data.Signature(in_shape=(1, 9, 9)).symmetry("sphere")


def test_candidates_of_the_plane_are_not_asked_about():
    with pytest.raises(ValueError, match="are pictures of the sphere, while all candidates move the plane"):
        examples_of_config(DataConfig(name="spherical-digits", size=8, train=40, val=20, test=20), 50, 0)


def test_band_limits_of_pictures(pool):
    """The pictures are not band-limited: what is above half of the limit of the grid is a small part of them."""
    x = drawn(pool, size=40).x.double()
    kept = BandLimitedSphere(10)(torch.eye(3, dtype=torch.float64).expand(6, 3, 3), x)
    assert 0.01 < float((x - kept).norm() / x.norm()) < 0.5
