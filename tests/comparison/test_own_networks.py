"""Networks and data of one's own in a comparison: what cannot be matched is said before any work."""

from __future__ import annotations

import numpy as np
import pytest

from learnsym.comparison import ComparisonConfig, networks

NETS = """
from torch import nn

def narrow(in_channels, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(64 * in_channels, classes))

def any_width(width, in_channels, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(64 * in_channels, width), nn.Linear(width, classes))
"""


@pytest.fixture
def own(tmp_path):
    """A comparison of twins of a factory on a file of images."""
    (tmp_path / "net.py").write_text(NETS)
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "own.npz", images=rng.random((60, 8, 8), dtype=np.float32), labels=np.arange(60) % 3)

    def comparison(factory, arms=("plain", "exact"), **values):
        base = {"data": {"name": str(tmp_path / "own.npz")}, "net": {"name": f"{tmp_path / 'net.py'}:{factory}"}}
        twins = {arm: {"twin": arm} for arm in arms}
        return ComparisonConfig(base=base, arms=twins, seeds=[0], **values)

    return comparison


def test_a_network_of_one_width_matches_its_twins_in_parameters(own):
    plain, exact = networks(own("narrow"))
    assert plain.parameters == exact.parameters == 64 * 3 + 3


def test_a_factory_with_a_width_has_sizes(own):
    found = networks(own("any_width", sizes=[4, 8]))
    assert [network.width for network in found] == [4, 4, 8, 8]


def test_flops_that_no_width_can_match_ask_for_no_match(own):
    with pytest.raises(ValueError, match=r"match: got flops.*arms\.exact.*takes no argument width; say match: none"):
        networks(own("narrow", match="flops"))
    assert len(networks(own("narrow", match="none"))) == 2


def test_sizes_of_a_network_of_one_width_are_refused(own):
    with pytest.raises(ValueError, match=r"net\.width: got 4 with .*whose factory has an argument width"):
        networks(own("narrow", sizes=[4]))
