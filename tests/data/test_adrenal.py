"""Volumes are averaged to the size that is asked for."""

import os

import pytest
import torch

from learnsym.data import DataConfig, Dataset, load
from learnsym.data.adrenal import ADRENAL, averaged


def test_averages_cover_the_volume():
    data = Dataset(torch.rand(2, 1, 8, 8, 8), torch.tensor([0, 1]), "noise", classes=2)
    small = averaged(data, 4)
    assert small.in_shape == (1, 4, 4, 4)
    torch.testing.assert_close(small.x.mean((2, 3, 4)), data.x.mean((2, 3, 4)))
    assert averaged(data, None) is data
    with pytest.raises(ValueError, match=r"data.size: got 9, must be at most 8"):
        averaged(data, 9)


@pytest.mark.skipif(not os.environ.get("LEARNSYM_DATA"), reason="set LEARNSYM_DATA")
def test_official_splits():
    if not ADRENAL.present:
        pytest.skip("adrenal is not in LEARNSYM_DATA")
    data = load("adrenal", "train", DataConfig(size=9))
    assert data.in_shape == (1, 9, 9, 9) and len(data) == 1188
    assert int(data.y.sum()) == 259
