"""What a view takes away moves with the example, so that its poses stay."""

import torch

from learnsym.groups import SO2
from learnsym.inference import candidates_of
from learnsym.inference.views import recentred, view_of


def objects(n=6, size=13):
    x, draw = torch.zeros(n, 1, size, size), torch.Generator().manual_seed(0)
    for i in range(n):
        x[i, 0, 3 + i % 3 : 6 + i % 3, 2 + i % 4 : 7 + i % 4] = torch.rand(3, 5, generator=draw)
    return x


def test_recentring_again_changes_nothing_and_loses_nothing():
    x = objects()
    once = recentred(x)
    assert torch.equal(recentred(once), once)
    torch.testing.assert_close(once.sum((1, 2, 3)), x.sum((1, 2, 3)))


def test_recentring_commutes_with_quarter_turns():
    turned = torch.rot90(objects(), 1, (2, 3))
    torch.testing.assert_close(recentred(turned), torch.rot90(recentred(objects()), 1, (2, 3)))


def test_photographs_are_read_through_a_window_that_nothing_enters():
    x = torch.rand(4, 3, 20, 20)
    shift = next(c for c in candidates_of(x) if c.name == "translation_x")
    view = view_of(x, shift)
    network = view.network(5).eval()
    frame = x.clone()
    frame[..., :3, :], frame[..., -3:, :] = 0.0, 1.0
    torch.testing.assert_close(network(x), network(frame))
    assert view.symmetry.on_input.padding == "reflection"


def test_the_ground_of_objects_is_taken_off():
    x = objects() + 0.5
    rotation = next(c for c in candidates_of(x) if c.name == "rotation")
    view = view_of(x, rotation)
    assert float(view.x[..., 0, :].abs().max()) == 0.0
    assert view.symmetry.group.generators[2].name == SO2().generators[0].name
