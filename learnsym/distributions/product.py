"""Independent distributions on the factors of a product group.

Legend of axes: `*S` sample shape (`*#S`: broadcasts), `*B` batch shape, `n` matrix size, `Q` uniform numbers an
element needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from learnsym import groups
from learnsym.degrees import Degree
from learnsym.distributions._distribution import GroupDistribution, LearnableDistribution
from learnsym.groups import Group


class ProductDistribution(GroupDistribution):
    """Independent distributions on the factors of a product group; elements are block-diagonal.

    Densities, entropies and divergences to Haar add up.

    Args:
        distributions: one per factor; batch shapes broadcast.

    Example:
        >>> box = ls.distributions.LieBox(ls.groups.SO2(), torch.tensor([0.5]))
        >>> flip = ls.distributions.GroupCategorical(ls.groups.Dihedral(1), torch.zeros(2))
        >>> ls.distributions.ProductDistribution(box, flip).rsample().shape
        torch.Size([4, 4])
    """

    def __init__(self, *distributions: GroupDistribution, group: Group | None = None) -> None:
        group = product_group(distributions) if group is None else group
        shape = torch.broadcast_shapes(*[d.batch_shape for d in distributions])
        self.distributions = tuple(d if d.batch_shape == shape else d.expand(shape) for d in distributions)
        super().__init__(group, shape)

    @property
    def uniforms(self) -> int:
        return sum(d.uniforms for d in self.distributions)

    def from_uniform(self, u: Float[Tensor, "*#S Q"]) -> Float[Tensor, "*#S n n"]:
        parts = u.split([d.uniforms for d in self.distributions], -1)
        return block_diagonal([d.from_uniform(part) for d, part in zip(self.distributions, parts, strict=True)])

    def rsample(self, sample_shape: torch.Size | tuple[int, ...] = ()) -> Float[Tensor, "*#S n n"]:
        """Block-diagonal matrices of independent draws."""
        return block_diagonal([d.rsample(sample_shape) for d in self.distributions])

    def tensors(self) -> dict[str, Tensor]:
        return {f"{i}.{key}": t for i, d in enumerate(self.distributions) for key, t in d.tensors().items()}

    def replace(self, tensors: Mapping[str, Tensor]) -> ProductDistribution:
        parts = [
            d.replace({key: tensors[f"{i}.{key}"] for key in d.tensors()}) for i, d in enumerate(self.distributions)
        ]
        return ProductDistribution(*parts, group=self.group)

    def log_prob(self, value: Float[Tensor, "*#S n n"]) -> Float[Tensor, "*#S"]:
        """The sum over factors."""
        parts = split_blocks(value, [d.group.n for d in self.distributions])
        return torch.stack([d.log_prob(part) for d, part in zip(self.distributions, parts, strict=True)]).sum(0)

    def score(self, value: Float[Tensor, "*#S n n"]) -> Float[Tensor, "*#S"] | None:
        """The sum over the factors that have one."""
        parts = split_blocks(value, [d.group.n for d in self.distributions])
        scores = [d.score(part) for d, part in zip(self.distributions, parts, strict=True)]
        defined = [score for score in scores if score is not None]
        return torch.stack(defined).sum(0) if defined else None

    def entropy(self) -> Float[Tensor, "*B"]:
        """The sum over factors."""
        return torch.stack([d.entropy() for d in self.distributions]).sum(0)

    def kl_to_haar(self) -> Float[Tensor, "*B"]:
        """The sum over factors."""
        return torch.stack([d.kl_to_haar() for d in self.distributions]).sum(0)

    def widths(self) -> Float[Tensor, "*B P"]:
        """Those of the factors, one after the other."""
        return torch.cat([d.widths() for d in self.distributions], -1)

    def degrees(self, site: str, method: str) -> list[Degree]:
        return [degree for d in self.distributions for degree in d.degrees(site, method)]


class LearnableProduct(LearnableDistribution):
    """Learnable distributions on the factors of a product group, independent of each other.

    Args:
        distributions: one module per factor, learnable or `Fixed`.

    Example:
        >>> box = ls.distributions.LearnableBox(ls.groups.SO2())
        >>> flip = ls.distributions.LearnableCategorical(ls.groups.Dihedral(1))
        >>> [degree.unit for degree in ls.distributions.LearnableProduct(box, flip).degrees("input")]
        ['degree', 'probability']
    """

    answers_for = ("parts",)

    def __init__(self, *distributions: LearnableDistribution) -> None:
        super().__init__()
        self.group = product_group(distributions)
        self.parts = nn.ModuleList(distributions)

    def forward(self, x: Tensor | None = None) -> ProductDistribution:
        return ProductDistribution(*[part(x) for part in self.parts], group=self.group)

    def deficit(self, x: Tensor | None = None) -> Tensor:
        """The mean over factors."""
        return torch.stack([part.deficit(x) for part in self.factors()]).mean(0)

    def factors(self) -> list[LearnableDistribution]:
        """The modules, one per factor."""
        return [part for part in self.parts if isinstance(part, LearnableDistribution)]

    def degrees(self, site: str) -> list[Degree]:
        return [degree for part in self.factors() for degree in part.degrees(site)]


def product_group(distributions: Sequence[GroupDistribution] | Sequence[LearnableDistribution]) -> Group:
    """The product of the groups of some distributions."""
    return groups.Product(*[d.group for d in distributions if isinstance(d.group, groups.MatrixGroup)])


def factors(group: Group) -> tuple[Group, ...]:
    """The factors of a product group in the order of their blocks; none for any other group."""
    return getattr(group, "factors", ())


def blocks(group: Group, g: Float[Tensor, "*#S n n"]) -> list[Tensor]:
    """The diagonal blocks of elements of a product group."""
    return split_blocks(g, [factor.n for factor in factors(group)])


def split_blocks(g: Float[Tensor, "*#S n n"], sizes: Sequence[int]) -> list[Tensor]:
    """The diagonal blocks of the given sizes."""
    return [g[..., end - size : end, end - size : end] for end, size in zip(accumulate(sizes), sizes, strict=True)]


def block_diagonal(parts: Sequence[Tensor]) -> Tensor:
    """Batched block-diagonal matrices."""
    total, start, padded = sum(part.shape[-1] for part in parts), 0, []
    for part in parts:
        end = start + part.shape[-1]
        padded.append(F.pad(part, (start, total - end, start, total - end)))
        start = end
    return torch.stack(padded).sum(0)
