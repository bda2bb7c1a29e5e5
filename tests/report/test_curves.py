"""Curves of training."""

from matplotlib.figure import Figure

from learnsym.report.figures.curves import width_curves
from learnsym.report.run.results import History

CAPS = {"rotation": 180.0}


def _markers(values: list[float]) -> set[str]:
    steps = list(range(len(values)))
    history = History(seed=0, steps={"half_width/rotation": steps}, values={"half_width/rotation": values})
    return {line.get_marker() for line in width_curves([history], CAPS, Figure().subplots()).lines}


def test_a_single_look_is_a_dot():
    assert _markers([30.0]) == {"o"} and "o" not in _markers([30.0, 40.0])
