"""From vectors and scalars that networks predict to the outputs that were asked for.

Legend of axes: `B` clouds, `N` points, `V` predicted vectors, `S` predicted scalars, `F` output numbers.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from learnsym.actions import PointCloud, PointVectors


def vector_count(outputs: PointCloud | PointVectors) -> int:
    """How many vectors a network predicts per point: those of the output, and the displacement when it has positions.

    Example:
        >>> vector_count(ls.actions.PointCloud(vectors=1)), vector_count(ls.actions.PointVectors(vectors=1))
        (2, 1)
    """
    return outputs.vectors + isinstance(outputs, PointCloud)


def assemble(
    outputs: PointCloud | PointVectors,
    positions: Float[Tensor, "B N 3"],
    vectors: Float[Tensor, "B N V 3"],
    scalars: Float[Tensor, "B N S"],
) -> Float[Tensor, "B N F"]:
    """Outputs of each point; a predicted position is the position of the input plus the first vector.

    Args:
        outputs: types of the outputs.
        positions: positions of the input.
        vectors: `vector_count(outputs)` predicted vectors, which no translation moves.
        scalars: predicted scalars, which nothing moves.

    Returns:
        Numbers in the layout of `outputs`, in the dtype of the positions or wider.

    Example:
        >>> outputs = ls.actions.PointCloud()
        >>> positions, displacement, scalars = torch.ones(1, 2, 3), torch.ones(1, 2, 1, 3), torch.ones(1, 2, 0)
        >>> assemble(outputs, positions, displacement, scalars)[0, 0]
        tensor([2., 2., 2.])
    """
    vectors, scalars = vectors.to(positions.dtype), scalars.to(positions.dtype)
    if isinstance(outputs, PointVectors):
        return outputs.join(vectors, scalars)
    return outputs.join(positions + vectors[:, :, 0], vectors[:, :, 1:], scalars)


def check_types(inputs: PointCloud, outputs: PointCloud | PointVectors) -> None:
    """Networks of points live in space and predict something."""
    for name, types in (("inputs", inputs), ("outputs", outputs)):
        if types.dim != 3:
            raise ValueError(f"{name}: got dim={types.dim}, must be 3; networks of points live in space")
    if outputs.features == 0:
        raise ValueError(f"outputs: got {outputs}, must have at least one vector or scalar to predict")
