"""A training step with learned affine augmentation against the plain step: 3x32x32, batch 128, one copy.

Forward, backward and Adam update of all parameters, the learned widths and the regulariser included; with several
copies against as many plain steps. Another way, `slow`, is the obvious one: `matrix_exp` of the algebra, `linalg.inv`,
`affine_grid`, `grid_sample`. Networks are named by the floating-point operations of one forward pass of the batch (a
multiplication with an addition is two).

The widths are learned through the moved images, so that the first layer needs the gradient with respect to its input,
which the plain step leaves out: on a CPU that is half of what the augmentation costs, whatever the warp does, so that
there is a row against a plain step with that gradient, too. All steps keep the memory that they free, as `training.fit`
does.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.timing import clock_of, for_each, interleaved, operations, ratio
from learnsym._freed_memory import freed_memory_is_kept
from learnsym.augment import Augmented, Plain
from learnsym.nets import CNN
from learnsym.objectives import Augerino, cross_entropy
from learnsym.symmetry import symmetry_by_name

BATCH, SIZE, CLASSES, COPIES = 128, 32, 10, 4
TARGETS = {16: 1.10, 32: 1.06, 64: 1.04}
"""For each width of the network, one copy."""
TARGET_COPIES = 1.05


class Slow(nn.Module):
    """The slow twin of a learned affine augmentation with one copy."""

    def __init__(self, model: Augmented) -> None:
        super().__init__()
        self.net = model.net
        self.distribution = model.distribution
        self.register_buffer("algebra", model.symmetry.group.algebra.float())

    def forward(self, x: Tensor) -> Tensor:
        a = self.distribution().half_width * (2 * torch.rand(len(x), 6, device=x.device) - 1)
        g = torch.linalg.matrix_exp((a[:, :, None, None] * self.algebra).sum(1))
        # y points up in the library and down in the image
        up = torch.tensor([1.0, -1.0, 1.0], device=x.device)
        theta = (up[:, None] * torch.linalg.inv(g) * up)[:, :2]
        grid = F.affine_grid(theta, list(x.shape), align_corners=False)
        return self.net(F.grid_sample(x, grid, align_corners=False)).log_softmax(-1)


def run(device: str, repeats: int) -> list[dict[str, Any]]:
    """One row per width of the network and opponent."""
    return [row for width in TARGETS for row in _rows(width, device, repeats)]


def _rows(width: int, device: str, repeats: int) -> list[dict[str, Any]]:
    net = CNN(3, CLASSES, width=width, size=SIZE)
    plain = Plain(copy.deepcopy(net)).to(device)
    learned = Augmented(copy.deepcopy(net), symmetry_by_name("affine2d")).to(device)
    several = Augmented(copy.deepcopy(net), symmetry_by_name("affine2d"), copies=COPIES).to(device)
    slow = Slow(copy.deepcopy(learned)).to(device)
    x, y = torch.rand(BATCH, 3, SIZE, SIZE, device=device), torch.randint(CLASSES, (BATCH,), device=device)
    models = {"plain": plain, "learned": learned, "copies": several, "slow": slow}
    steps = {k: _step(model, x, y) for k, model in models.items()}
    steps["gradient"] = _step(copy.deepcopy(plain), x.clone().requires_grad_(), y)
    with freed_memory_is_kept():  # as in training
        times = interleaved(steps, repeats=repeats, device=device, clock=clock_of(device))
    more = operations(steps["gradient"]) / operations(steps["plain"])
    note = {"note": for_each(more, ratio(times, "gradient", "plain"))}
    times["plain steps"] = COPIES * times["plain"]
    with torch.no_grad():
        size = f"{operations(lambda: plain(x)) / 1e9:.2g} GFLOP forward"
    return [
        _row(f"learned affine / plain, {size}", times, ("learned", "plain"), TARGETS[width]),
        _row(f"{COPIES} copies / {COPIES} plain steps, {size}", times, ("copies", "plain steps"), TARGET_COPIES),
        _row(f"learned affine / slow, {size}", times, ("learned", "slow"), None),
        _row(f"learned affine / plain with the gradient of its images, {size}", times, ("learned", "gradient"), None),
        _row(f"plain with the gradient of its images / plain, {size}", times, ("gradient", "plain"), None) | note,
    ]


def _row(name: str, times: dict[str, float], sides: tuple[str, str], target: float | None) -> dict[str, Any]:
    chosen = {side: times[side] for side in sides}
    return {"name": name, "ratio": ratio(times, *sides), "target": target, "times": chosen}


def _step(model: nn.Module, x: Tensor, y: Tensor) -> Callable[[], object]:
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-4)
    objective = Augerino(cross_entropy)

    def step() -> None:
        optimiser.zero_grad()
        objective(model, (x, y)).total.backward()
        optimiser.step()

    return step
