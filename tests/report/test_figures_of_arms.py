"""Arms are told apart in figures, and axes have labels that are told apart."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from learnsym.report.figures.arms import SIGNS, arm_looks
from learnsym.report.figures.axes import log_axis
from learnsym.report.figures.comparison import ArmCurve, learning_curves, paired_differences
from learnsym.report.figures.style import TWIN_COLOURS
from learnsym.report.words import tick_labels

TWINS = ["plain", "fixed", "augmented", "exact", "learned"]


@pytest.mark.parametrize("count", [1, 2, 8, 9, 12, 40, 200])
@pytest.mark.parametrize("twins", [[], ["plain", "learned"], TWINS])
def test_n_arms_have_n_looks(count, twins):
    names = [*twins, *(f"arm {k}" for k in range(count))]
    looks = arm_looks(names)
    assert list(looks) == names
    assert len({(look.colour, look.dash, look.marker) for look in looks.values()}) == len(names)


@pytest.mark.parametrize("count", [9, 10])
def test_colours_come_before_dashes(count):
    looks = arm_looks(["plain", "exact", *(f"arm {k}" for k in range(count))])
    assert len({look.colour for look in looks.values()}) == count + 2
    assert looks["plain"].colour == TWIN_COLOURS["plain"]


def test_every_marker_has_a_sign():
    assert len(set(SIGNS.values())) == len(SIGNS)


@pytest.mark.parametrize("low", [1e-6, 0.0039, 0.5, 30.0])
@pytest.mark.parametrize("ratio", [1.0001, 1.01, 1.1, 2.0, 5.0, 100.0, 1e5])
def test_loss_axes_have_several_labels_that_are_true(low, ratio):
    ax = Figure().subplots()
    ax.plot([1, 2], [low, low * ratio])
    log_axis(ax)
    ticks, labels = ax.get_yticks(), [label.get_text() for label in ax.get_yticklabels()]
    assert len(labels) >= 2 and len(set(labels)) == len(labels)
    assert np.allclose(
        [float(label.replace("−", "-")) for label in labels], ticks, rtol=1e-12, atol=0.011 * np.diff(ticks).min()
    )


def test_labels_have_no_more_digits_than_needed():
    assert tick_labels([0.1, 0.2]) == ["0.1", "0.2"] and tick_labels([100.0, 1000.0]) == ["100", "1000"]


def curves(arms, x, width):
    return [
        ArmCurve(arm=arm, x=x, mean=[0.5] * len(x), low=[0.5 - w for w in width], high=[0.5 + w for w in width])
        for arm in arms
    ]


def test_bars_of_many_arms_lie_within_the_axes():
    arms = [f"arm {k}" for k in range(20)]
    ax = learning_curves(curves(arms, [100.0], [0.45]), arm_looks(arms), "test accuracy", Figure().subplots())
    lines = [line.get_xydata() for line in ax.get_lines()] + [
        path.vertices for bars in ax.collections for path in bars.get_paths()
    ]
    for points in lines:
        for value, (low, high) in zip(np.asarray(points).T, (ax.get_xlim(), ax.get_ylim()), strict=True):
            assert (low < value).all() and (value < high).all()


def test_bands_that_go_on_beyond_the_axis_are_marked():
    arms = ["plain", "exact", "learned"]
    noisy = curves(arms[1:], [100.0, 1000.0], [80.0, 0.1])
    ax = paired_differences(noisy, arm_looks(arms), "plain", "lead", Figure().subplots())
    marks = [line for line in ax.get_lines() if not line.get_clip_on() and len(line.get_xdata())]
    assert len(marks) == 4 and {float(x) for line in marks for x in line.get_xdata()} == {100.0}
