"""Beside the data, memory does not grow with the number of examples; what is computed at a time changes no result."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym._batches import MOST, NeedsMore, batch_size_within, rows_within
from learnsym._memory import gibibytes, written
from learnsym.actions import _checks
from tests.memory_of import BYTES, WORKS

FEW, MANY, MEMORY = 1000, 3000, 0.25
MOST_GROWTH = {"measured": 1.0, "posed": 1.0, "closed": 3.0, "evident": 0.5}
"""Bytes for each further example, over those of an example: of poses a copy as the readers take it, and its posterior;
of a closure test both sides, and what moves them."""


@pytest.mark.slow
@pytest.mark.parametrize("work", WORKS)
def test_memory_grows_by_no_more_than_the_data(work):
    few, many = (_grown(work, count) for count in (FEW, MANY))
    assert few < MEMORY * 2**30
    assert (many - few) / (MANY - FEW) < MOST_GROWTH[work] * BYTES


def _grown(work, count):
    command = [sys.executable, "-m", "tests.memory_of", work, str(count), str(MEMORY)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _images(count=60, side=14):
    return torch.rand(count, 1, side, side, generator=torch.Generator().manual_seed(0))


def _least(measure):
    """The limit in GiB that an error names as enough."""
    with pytest.raises(NeedsMore, match=r"^memory: got 1K, and a batch of \d+ examples takes \d+M; give ") as caught:
        measure(2**-20)
    return gibibytes(str(caught.value).split()[-3])


POSED = {"rotation2d": "rotation", "affine2d": "translation_x"}


@pytest.mark.parametrize("symmetry", POSED)
def test_poses_are_the_same_within_any_limit(symmetry):
    x = torch.nn.functional.pad(_images(300), (3, 3, 3, 3))

    def law(memory):
        options = {"steps": 2, "bootstrap": 5, "memory": memory}
        return ls.measure.pose_posterior(x, symmetry, POSED[symmetry], **options)

    tight, wide = law(_least(law)), law(4.0)
    torch.testing.assert_close(tight.posterior, wide.posterior)
    assert tight.half_width == pytest.approx(wide.half_width, rel=1e-4)


def test_closures_are_the_same_within_any_limit():
    x, mirror = _images(600), torch.tensor([[-1.0, 0.0], [0.0, 1.0]])

    def test(memory):
        return ls.measure.closure_test(x, "orthogonal2d", mirror, steps=2, memory=memory)

    tight, wide = test(_least(test)), test(4.0)
    assert tight.p_value == pytest.approx(wide.p_value, rel=1e-4)
    assert tight.accuracy == pytest.approx(wide.accuracy, abs=1 / len(x))


def test_laws_over_rotations_of_space_are_the_same_within_any_limit():
    x = torch.randn(20, 6, 3, generator=torch.Generator().manual_seed(0))

    def law(memory):
        return ls.measure.space_pose_posterior(x, "so3", steps=1, bootstrap=5, memory=memory)

    torch.testing.assert_close(law(_least(law)).angle, law(4.0).angle)


@pytest.mark.parametrize("rows", [1, 7, 64])
def test_errors_are_the_same_for_any_batch(rows):
    net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 144, 4)).double()
    x = _images().double()
    found = ls.measure.equivariance_error(net, x, "rotation2d", samples=2, batch_size=rows)
    whole = ls.measure.equivariance_error(net, x, "rotation2d", samples=2, batch_size=60)
    torch.testing.assert_close(found.per_sample, whole.per_sample)


def test_sizes_of_batches_follow_from_the_limit():
    net, x = nn.Linear(8, 8), torch.rand(5, 8)
    # of each example 8 numbers in and 8 out, of 4 bytes, and eight of both
    assert batch_size_within(net, x, 16 * 512 / 2**30) == 16
    assert batch_size_within(net, x, 1.0) == MOST
    with pytest.raises(ValueError, match=r"^memory: got 1K, and one example takes 1M; give 1M or more$"):
        rows_within(2**20, 2**-20, 64)


def test_a_limit_of_several_processes_is_told_as_it_was_given():
    error = NeedsMore("one example takes 3M", 3 * 2**20, 2**20).of(4)
    assert str(error) == "memory: got 4M for 4 processes, and one example takes 3M; give 12M or more"


@pytest.mark.parametrize(("text", "amount"), [("512M", 0.5), ("4G", 4.0), ("4GiB", 4.0), ("1.5 g", 1.5), ("3", 3.0)])
def test_amounts_are_read_as_they_are_typed(text, amount):
    assert gibibytes(text) == amount
    assert gibibytes(written(int(amount * 2**30))) >= amount


def test_values_that_are_not_finite_are_found_in_any_part(monkeypatch):
    monkeypatch.setattr(_checks, "AT_ONCE", 10)
    x = torch.rand(9, 4)
    ls.actions.check_finite(x)
    x[7, 2] = torch.nan
    with pytest.raises(ValueError, match=r"^x: 1 of 36 values are NaN or infinite, first in example 7;"):
        ls.actions.check_finite(x)
    ls.actions.check_finite(torch.zeros(0, 3))
    ls.actions.check_finite(torch.ones(()))
