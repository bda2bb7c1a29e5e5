"""One tiny configuration of every method, and every pair of a method with a chooser."""

from __future__ import annotations

from typing import Any

from learnsym.methods import registry
from learnsym.objectives import choosers
from learnsym.training import RunConfig
from learnsym.training.config_file import config_of

DIGITS = {"name": "digits", "size": 8, "train": 24, "val": 16, "test": 16}
SPHERES = {"name": "spherical-digits", "size": 8, "train": 24, "val": 16, "test": 16}
PUSHES = {"name": "pushed-shapes", "train": 24, "val": 16, "test": 16}
BODIES = {"name": "nbody5-norm-clamp", "train": 24, "val": 16, "test": 16}
TASKS = {"name": "gibbs", "train": 24, "val": 16, "test": 16}
KINDS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "transformer": (BODIES, {"name": "mse"}),
    "convcnp": (TASKS, {"name": "gaussian"}),
    "world": (PUSHES, {"name": "contrastive"}),
}
"""Data and loss of networks that are not those of digits."""
NETS: dict[str, dict[str, Any]] = {
    "cnn": {"name": "cnn", "width": 4, "depth": 1},
    "steerable": {"name": "steerable", "width": 1},
    "group": {"name": "group", "width": 1},
    "layerwise": {"name": "layerwise", "width": 1},
    "invariant": {"name": "invariant", "width": 2, "depth": 2},
    "regular": {"name": "regular", "width": 2, "depth": 2},
    "regular_resnet": {"name": "regular_resnet", "width": 2, "depth": 2},
    "transformer": {"name": "transformer", "width": 8, "depth": 1},
    "convcnp": {"name": "convcnp", "width": 4, "depth": 1},
    "world": {"name": "world", "width": 1},
}
SETTINGS: dict[str, dict[str, Any]] = {
    "augerino": {"test_copies": 2},
    "instance_wise": {"symmetry": "rotation2d", "test_copies": 2},
    "remul": {"symmetries": ["so3", "so2_x"]},
    "partial_group": {"group": "C_4"},
    "spherical": {"levels": 1, "test_copies": 2},
    "streams": {"groups": ["none", "C_4"]},
    "neural_process": {"inputs": 2, "spacing": 0.25, "points": 52},
}
PAIRS = [(method, chooser) for method in registry for chooser in choosers.registry]
WORKING = [(method, chooser) for method, chooser in PAIRS if chooser in registry[method].choosers]
OTHERS = [pair for pair in PAIRS if pair not in WORKING]


def tiny(method: str, chooser: str = "training", **more: Any) -> RunConfig:
    """A configuration of a method that trains in a second."""
    net = NETS[next(name for name in NETS if name in registry[method].nets)]
    if "so3" in SETTINGS.get(method, {}).get("symmetries", []):
        net = NETS["transformer"]
    data, loss = KINDS.get(net["name"], (SPHERES if method == "spherical" else DIGITS, {}))
    values = {
        "data": data,
        "net": net,
        "loss": loss,
        "method": {"name": method, **SETTINGS.get(method, {})},
        "chooser": {"name": chooser},
        "train": {"steps": 3, "batch_size": 8, "threads": 1, "device": "cpu"},
        "analysis": {
            "workers": 1,
            "angle_step": 180,
            "task_extent": {"widths": []},
            "pose": {"generators": []},
            "bootstrap": 20,
        },
    }
    return config_of({**values, **more})
