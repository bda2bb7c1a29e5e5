"""Layer-wise networks: parameter counts of the paper, invariance, twins."""

import pytest
import torch

from learnsym.learners import degrees
from learnsym.nets import LAYERWISE, LayerwiseNet
from learnsym.relax import exact_twin, plain_twin

PARAMETERS = {
    "fc": 133_635_690,
    "fc+conv": 133_865_010,
    "conv": 338_770,
    "f-fc": 1_542_625,
    "f-fc+conv": 1_771_945,
    "s-fc": 831_820,
    "s-conv": 287_910,
    "s-fc+s-conv": 933_990,
}


@pytest.mark.parametrize("name", LAYERWISE)
def test_parameters_of_the_paper(name):
    with torch.device("meta"):
        net = LayerwiseNet(name, 3, 10, width=10, size=32)
    assert sum(parameter.numel() for parameter in net.parameters()) == PARAMETERS[name]


@pytest.mark.parametrize("name", ["conv", "s-conv"])
def test_convolutions_make_it_invariant(name):
    net, x = LayerwiseNet(name, 1, 10, width=2).double(), torch.rand(3, 1, 32, 32, dtype=torch.float64)
    for shift in ((1, 0), (16, 16), (3, 7)):
        torch.testing.assert_close(net(x.roll(shift, (2, 3))), net(x))


@pytest.mark.parametrize("name", ["fc+conv", "f-fc", "s-fc+s-conv"])
def test_twins(name):
    net, x = LayerwiseNet(name, 1, 10, width=1).double(), torch.rand(2, 1, 32, 32, dtype=torch.float64)
    torch.testing.assert_close(plain_twin(net)(x), net(x))
    assert exact_twin(net)(x).shape == (2, 10)
    assert [degree.site for degree in degrees(net)] == [f"layer:maps.{2 * k}" for k in range(8)]
    assert 0.05 < net(x).std() < 5


def test_errors_name_the_remedy():
    with pytest.raises(ValueError, match="layer: got 'dense'"):
        LayerwiseNet("dense", 1, 10)
    with pytest.raises(ValueError, match="size: got 28"):
        LayerwiseNet("fc", 1, 10, size=28)
