"""Tasks: a function that is known at some locations, the context, and asked for at others, the targets.

Legend of axes: `B` tasks, `N` context points, `T` targets, `P = N + T` locations, `d` dimension of space, `C` values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Shaped
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from learnsym.parts import Whole, described, parts_of

LOCATIONS, VALUES, MASK = "locations", "values", "mask"
"""Keys of a batch of tasks."""
Inputs = Whole
"""A batch of tasks: a dict, or another structure with these parts."""
Point = tuple[Float[Tensor, "_ d"], Float[Tensor, "_ C"]]
"""Locations of one task with the values there."""


class Tasks(NamedTuple):
    """A batch of tasks of different sizes: what stands where the mask is False, or 0, changes nothing.

    As a dict, `inputs()`, it is what networks and data sets take: `locations (B, P, d)` holds the `N` context points
    first and then the targets, so that a symmetry moves both by moving one tensor; `values (B, N, C)` and
    `mask (B, N)` belong to the context. No context at all is a task, too: what is predicted then is the prior.

    Args:
        context_x: locations of the context, `(B, N, d)`.
        context_y: values there, `(B, N, C)`.
        mask: which context points there are, `(B, N)`.
        target_x: locations that are asked for, `(B, T, d)`.

    Example:
        >>> from learnsym.tasks import Tasks
        >>> context = [(torch.rand(2, 1), torch.rand(2, 1)), (torch.rand(5, 1), torch.rand(5, 1))]
        >>> x = Tasks.padded(context, [torch.rand(3, 1), torch.rand(4, 1)]).inputs()
        >>> {key: tuple(tensor.shape) for key, tensor in x.items()}
        {'locations': (2, 9, 1), 'values': (2, 5, 1), 'mask': (2, 5)}
        >>> Tasks.of(x).mask.sum(1)
        tensor([2, 5])
    """

    context_x: Shaped[Tensor, "B N d"]
    context_y: Shaped[Tensor, "B N C"]
    mask: Shaped[Tensor, "B N"]
    target_x: Shaped[Tensor, "B T d"]

    @staticmethod
    def of(x: Inputs) -> Tasks:
        """The parts of a batch of tasks.

        Raises:
            ValueError: for what is no batch of tasks.
        """
        parts = parts_of(x)
        if missing := [key for key in (LOCATIONS, VALUES, MASK) if key not in parts]:
            raise ValueError(
                f"x: got {described(x)}, which lacks {', '.join(missing)}; make it with tasks.Tasks(...).inputs()"
            )
        locations, values, mask = (parts[key] for key in (LOCATIONS, VALUES, MASK))
        if locations.ndim != 3 or values.ndim != 3 or mask.shape != values.shape[:2]:
            shapes = ", ".join(f"{key} {tuple(parts[key].shape)}" for key in (LOCATIONS, VALUES, MASK))
            raise ValueError(f"x: got {shapes}, must be (B, N + T, d), (B, N, C) and (B, N); give each its axes")
        count = values.shape[1]
        if count >= locations.shape[1]:
            raise ValueError(
                f"x: got {locations.shape[1]} locations for {count} values, must be more, the context first and then "
                "at least one target; append the targets to the locations"
            )
        return Tasks(locations[:, :count], values, mask, locations[:, count:])

    @staticmethod
    def padded(context: Sequence[Point], target_x: Sequence[Float[Tensor, "_ d"]]) -> Tasks:
        """Tasks one by one, padded: contexts with zeros, and targets with their own first location.

        Raises:
            ValueError: for no tasks, a task without targets, or locations and values that do not fit.
        """
        if not context or len(context) != len(target_x):
            raise ValueError(f"context: got {len(context)} for {len(target_x)} tasks, must be one of each, at least 1")
        for number, ((x, y), targets) in enumerate(zip(context, target_x, strict=True)):
            if len(x) != len(y) or len(targets) == 0:
                raise ValueError(
                    f"context: task {number} has {len(x)} locations with {len(y)} values and {len(targets)} targets; "
                    "give one value a location, and at least one target"
                )
        sizes = torch.tensor([len(x) for x, _ in context])
        mask = torch.arange(int(sizes.max())) < sizes[:, None]
        most = max(map(len, target_x))
        targets = [torch.cat([t, t[:1].expand(most - len(t), -1)]) for t in target_x]
        xs, ys = (pad_sequence([pair[i] for pair in context], batch_first=True) for i in (0, 1))
        return Tasks(xs, ys, mask.to(xs.device), torch.stack(targets))

    def inputs(self) -> Inputs:
        """As the dict that networks and data sets take."""
        return {LOCATIONS: torch.cat([self.context_x, self.target_x], 1), VALUES: self.context_y, MASK: self.mask}

    def weights(self) -> Float[Tensor, "B N"]:
        """The mask as numbers."""
        return self.mask.to(self.context_x.dtype)

    def centre(self) -> Float[Tensor, "B 1 d"]:
        """The mean location of the context, of the targets where there is none: it moves as the locations do."""
        present = self.mask.bool().unsqueeze(-1)
        total = torch.where(present, self.context_x, 0).sum(1, keepdim=True)
        count = present.sum(1, keepdim=True)
        return torch.where(count > 0, total / count.clamp(min=1), self.target_x.mean(1, keepdim=True))


def padded_targets(target_y: Sequence[Float[Tensor, "_ C"]]) -> Float[Tensor, "B T K"]:
    """Targets of different numbers as one tensor: `C` values of each, then whether each is there, 1 or 0.

    It is what `objectives.GaussianLikelihood` compares predictions `(B, T, 2 C)` with.

    Example:
        >>> padded_targets([torch.ones(2, 1), 5 * torch.ones(1, 1)])[1]
        tensor([[5., 1.],
                [0., 0.]])
    """
    with_presence = [torch.cat([y, torch.ones_like(y)], -1) for y in target_y]
    return pad_sequence(with_presence, batch_first=True)
