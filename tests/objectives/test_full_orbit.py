"""The augmented risk: a mean of losses over the whole orbit, with its laws, and what it is not."""

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.actions import PointCloud
from learnsym.objectives import FullOrbit, MovedExamples, Supervised, mse

IMAGES = torch.randn(5, 1, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 2, 1, 1, 0])


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, 3)).double()


def test_the_loss_is_the_mean_over_all_elements_with_moved_targets():
    symmetry = ls.Symmetry(ls.groups.Octahedral(), PointCloud(), PointCloud())
    x, y = torch.randn(2, 3, 4, 3, dtype=torch.float64)
    net = nn.Linear(3, 3).double()
    errors = [(net(x @ g.mT) - y @ g.mT).square().mean() for g in ls.groups.Octahedral().components]
    torch.testing.assert_close(FullOrbit(mse, symmetry)(net, (x, y)).total, torch.stack(errors).mean())


def test_the_loss_is_the_same_for_moved_data():
    objective, net = FullOrbit(nn.functional.cross_entropy, "quarter_turns2d"), network()
    turned = objective(net, (IMAGES.rot90(1, (2, 3)), LABELS)).total
    torch.testing.assert_close(turned, objective(net, (IMAGES, LABELS)).total)


def test_draws_have_the_full_orbit_as_their_mean():
    orbit = FullOrbit(nn.functional.cross_entropy, "quarter_turns2d")
    draws = MovedExamples(nn.functional.cross_entropy, "quarter_turns2d", copies=4000)
    with torch.no_grad():
        losses = [objective(network(), (IMAGES, LABELS)).total for objective in (orbit, draws)]
    torch.testing.assert_close(losses[1], losses[0], rtol=0.02, atol=0)


def test_in_evaluation_examples_stay_where_they_are():
    net, batch = network().eval(), (IMAGES, LABELS)
    loss = nn.functional.cross_entropy
    assert torch.equal(FullOrbit(loss, "quarter_turns2d")(net, batch).total, Supervised(loss)(net, batch).total)


class Copies(nn.Module):
    """x itself: of the sign of a number, the average over the flip is 0."""

    def forward(self, x):
        return x


def test_it_is_not_the_risk_of_the_averaged_network():
    """One point (1, y), a sign flip on the input, an invariant target: an average of squares, or a square of one."""
    flip = ls.Symmetry(ls.groups.Cyclic(2), PointCloud(dim=2))
    x, y = torch.tensor([[[1.0, 0.0]]], dtype=torch.float64), torch.tensor([[[0.5, 0.0]]], dtype=torch.float64)
    augmented = FullOrbit(mse, flip)(Copies(), (x, y)).total
    averaged = ls.augment.OrbitAveraged(Copies(), flip).double()(x)
    of_average = mse(averaged, y)
    # ((1 - y)² + (1 + y)²) / 2 and y², over two numbers
    torch.testing.assert_close(augmented, torch.tensor(1.25 / 2).double())
    torch.testing.assert_close(of_average, torch.tensor(0.25 / 2).double())
    assert of_average < augmented  # Jensen, of a convex loss


@pytest.mark.parametrize("name", ["rotation2d", "so3"])
def test_a_group_without_a_list_of_elements_is_refused(name):
    with pytest.raises(ValueError, match="must be of a finite group"):
        FullOrbit(mse, name)
