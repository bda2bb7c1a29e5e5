"""What each action does to its kind of data, by hand."""

import math

import pytest
import torch

from learnsym import actions


def affine(a, t):
    g = torch.eye(len(a) + 1, dtype=torch.float64)
    g[:-1, :-1], g[:-1, -1] = a, t
    return g[None]


def test_positions_move_vectors_turn_scalars_stay():
    a = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64))[0]
    t = torch.randn(3, dtype=torch.float64)
    p, v, s = (torch.randn(1, 4, k, dtype=torch.float64) for k in (3, 3, 2))
    moved = actions.PointCloud(vectors=1, scalars=2)(affine(a, t), torch.cat([p, v, s], -1))
    torch.testing.assert_close(moved, torch.cat([p @ a.T + t, v @ a.T, s], -1))


def test_boost_keeps_the_minkowski_norm():
    rapidity = 0.7
    boost = torch.eye(4, dtype=torch.float64)
    boost[0, 0] = boost[1, 1] = math.cosh(rapidity)
    boost[0, 1] = boost[1, 0] = math.sinh(rapidity)
    p = torch.randn(1, 5, 4, dtype=torch.float64)
    q = actions.PointCloud(dim=4)(boost[None], p)
    metric = torch.tensor([1.0, -1.0, -1.0, -1.0], dtype=torch.float64)
    torch.testing.assert_close((q**2 * metric).sum(-1), (p**2 * metric).sum(-1))


def test_points_and_blob_images_move_alike():
    angle = 0.5
    g = torch.tensor([[[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]])
    point = torch.tensor([[[0.5, 0.25]]])
    moved = actions.PointCloud(dim=2)(g, point)[0, 0]
    u = (torch.arange(64) + 0.5) / 32 - 1
    blob = torch.exp(-((u[None, :] - 0.5) ** 2 + (-u[:, None] - 0.25) ** 2) / 0.01)
    image = actions.Image()(g, blob[None, None])[0, 0]
    centre = torch.stack([(image * u[None, :]).sum(), (image * -u[:, None]).sum()]) / image.sum()
    torch.testing.assert_close(centre, moved, rtol=0, atol=1e-2)


def test_set_equals_the_matrix_product():
    g = torch.eye(5)[torch.stack([torch.randperm(5) for _ in range(4)])]
    x = torch.randn(4, 5, 3)
    assert torch.equal(actions.Set()(g, x), g @ x)


def test_channels_change_contrast_about_mid_grey():
    g = torch.tensor([[[2.0, 0.1], [0.0, 1.0]]])
    x = torch.tensor([[[[0.5, 0.6, 0.9]]]])
    torch.testing.assert_close(actions.Channels()(g, x), torch.tensor([[[[0.6, 0.8, 1.4]]]]))
    assert float(actions.Channels(clamp=True)(g, x).max()) == 1.0


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4, 5), (2, 3, 2, 4, 5)])
def test_colours_are_multiplied_and_channels_stay_first(shape):
    g, x = torch.randn(2, 3, 3), torch.rand(shape)
    moved = actions.RGB()(g, x)
    torch.testing.assert_close(moved, torch.einsum("bij,bj...->bi...", g, x))
    assert moved.is_contiguous()


def test_label_map_moves_like_a_nearest_image():
    g = torch.tensor([[[0.8, -0.6, 0.1], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]])
    labels = torch.randint(1, 9, (1, 9, 12))
    moved = actions.LabelMap(fill=0)(g, labels)
    assert torch.equal(moved.float(), actions.Image("nearest")(g, labels.float()[:, None])[:, 0])
    assert 77 in actions.LabelMap(fill=77)(g, labels)


def test_vector_field_of_a_rotation_is_invariant():
    """`v(u) = u` turned and moved is itself, far from the border."""
    u = (torch.arange(32, dtype=torch.float64) + 0.5) / 16 - 1
    field = torch.stack([u.expand(32, 32), -u[:, None].expand(32, 32)])[None]
    g = torch.tensor([[[0.8, -0.6], [0.6, 0.8]]], dtype=torch.float64)
    inner = slice(8, 24)
    moved = actions.VectorField()(g, field)
    torch.testing.assert_close(moved[..., inner, inner], field[..., inner, inner])


def test_points_stay_precise_under_autocast():
    g, x = torch.linalg.qr(torch.randn(2, 3, 3))[0], torch.randn(2, 5, 3)
    expected = actions.PointCloud()(g, x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(actions.PointCloud()(g, x), expected)
