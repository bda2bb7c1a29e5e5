"""The objective of every method is one graph for the compiler, with the values and gradients of the eager one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from learnsym.methods import registry

ROOT = Path(__file__).resolve().parents[2]
BREAKS = {
    ("soft", "validation"): "which parameters follow held-out examples is said by requires_grad_, in the step",
}
"""Methods with choosers whose graph breaks, and at what."""
USUAL = "remul"
"""The one that is tried at every run of the tests; the others take five seconds each, and a process."""
COMPILED = """
import sys

import torch
from torch import nn
from torch._dynamo.exc import Unsupported

from learnsym.data import Batches
from learnsym.training import build
from tests.methods.conftest import tiny

found = []
for compiled in (False, True):
    model, objective, splits = build(tiny(*sys.argv[1:]))
    modules = nn.ModuleList([model.train(), *([objective.train()] if isinstance(objective, nn.Module) else [])])
    batches = Batches(splits.train, 8)
    objective(model, batches[0])  # looks at the first batch, and brings it to the device

    def forward(batch):
        return objective(model, batch).total

    step = torch.compile(forward, fullgraph=True, backend="eager") if compiled else forward
    torch.manual_seed(1)
    try:
        total = step(batches[1])
    except Unsupported:
        print("breaks")
        sys.exit()
    parameters = [p for p in modules.parameters() if p.requires_grad]
    found.append([total.detach(), *torch.autograd.grad(total, parameters, materialize_grads=True)])
for eager, compiled in zip(*found, strict=True):
    torch.testing.assert_close(compiled, eager, rtol=1e-4, atol=1e-6)
print("one graph")
"""


def pair(method):
    """A method with its first chooser under which it may be compiled: the networks of selection are called alone."""
    return method, next(chooser for chooser in registry[method].choosers if chooser != "selection")


@pytest.mark.parametrize("method", [m if m == USUAL else pytest.param(m, marks=pytest.mark.slow) for m in registry])
def test_the_graph_of_a_step_does_not_break(method):
    # in a process without the checks of shapes, which are no part of the graph
    own = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", COMPILED, *pair(method)]
    ended = subprocess.run(words, env=own, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-3000:]
    said = "breaks" if pair(method) in BREAKS else "one graph"
    assert ended.stdout.splitlines()[-1] == said, "correct the list of BREAKS"


def test_the_list_of_breaks_names_methods_as_they_are():
    assert set(BREAKS) <= {pair(method) for method in registry}
