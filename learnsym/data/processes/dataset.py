"""A data set whose examples are tasks.

Legend of axes: `B` tasks, `T` targets, `C` values, `K = 2 C`.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from learnsym.actions import PointCloud, PointVectors
from learnsym.data.dataset import Dataset
from learnsym.tasks import LOCATIONS, Tasks


def task_dataset(tasks: Tasks, targets: Float[Tensor, "B T K"], name: str = "tasks", variant: str = "") -> Dataset:
    """Tasks and what is to be predicted of them as a data set: to symmetries they are clouds of locations.

    A group of the space of locations moves contexts and targets together, and leaves all values as they are.

    Args:
        tasks: locations and contexts.
        targets: `C` values of each target, then whether each is there, see `tasks.padded_targets`.
        name: of the data.
        variant: how they differ from others of that name.

    Raises:
        ValueError: when targets do not fit the tasks.

    Example:
        >>> x = ls.tasks.Tasks(torch.rand(2, 3, 1), torch.rand(2, 3, 1), torch.ones(2, 3), torch.rand(2, 5, 1))
        >>> data = ls.data.processes.task_dataset(x, ls.tasks.padded_targets([torch.rand(5, 1)] * 2))
        >>> len(data), data.in_shape, data.signature.symmetry("translation1d").group
        (2, (8, 1), translation1d)
    """
    values, dim = tasks.context_y.shape[-1], tasks.target_x.shape[-1]
    wanted = (*tasks.target_x.shape[:2], 2 * values)
    if targets.shape != wanted:
        raise ValueError(
            f"targets: got shape {tuple(targets.shape)}, must be {wanted}: values and whether they are there; make "
            "them with tasks.padded_targets"
        )
    on_output = PointVectors(vectors=0, scalars=2 * values, dim=dim)
    clouds = {"on_input": PointCloud(dim=dim), "on_output": on_output}
    return Dataset(tasks.inputs(), targets, name, variant=variant, moves=LOCATIONS, **clouds)
