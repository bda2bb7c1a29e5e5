"""Curves of training."""

from types import SimpleNamespace

from matplotlib.figure import Figure

from learnsym.report.figures.curves import loss_curves, width_curves
from learnsym.report.run.results import History

CAPS = {"rotation": 180.0}


def _markers(values: list[float]) -> set[str]:
    steps = list(range(len(values)))
    history = History(seed=0, steps={"half_width/rotation": steps}, values={"half_width/rotation": values})
    return {line.get_marker() for line in width_curves([history], CAPS, Figure().subplots()).lines}


def test_a_single_look_is_a_dot():
    assert _markers([30.0]) == {"o"} and "o" not in _markers([30.0, 40.0])


def test_the_axis_of_losses_has_the_unit_alone():
    history = History(seed=0, steps={"val/task": [1, 2]}, values={"val/task": [1.0, 0.5]})
    twin = SimpleNamespace(name="plain", histories=[history], score="negative log-likelihood, nats a target")
    assert loss_curves([twin], Figure().subplots()).get_ylabel() == "validation loss (nats a target)"
