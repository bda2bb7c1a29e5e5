"""Augmented: any network made as invariant or equivariant as the data ask for, by averaging over transformed inputs.

Legend of axes: `S` group samples (copies), `B` batch, `n` matrix size, `Q` uniform numbers an element needs.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from learnsym.actions import Action
from learnsym.augment.averages import Average, mean_outputs
from learnsym.augment.first_batches import FirstBatches
from learnsym.augment.transform import averaged, move
from learnsym.degrees import Degree
from learnsym.distributions import (
    GroupDistribution,
    LearnableDistribution,
    full_precision,
    learnable,
    midpoints,
    uniform_noise,
)
from learnsym.parts import Whole, examples
from learnsym.symmetry import Symmetry, SymmetryLike, as_symmetry


class Augmented(nn.Module):
    """A network averaged over transformed copies of its input, by elements of a distribution that is learned with it.

        f(x) = average over g ~ mu of  g^{-1} · net(g · x)

    In training, `copies` random elements per example; in evaluation, `test_copies` fixed quasi-random elements, the
    same for all examples, so that outputs are deterministic and do not depend on other examples of the batch.

    Of structured inputs and outputs the symmetry says which part moves and which one is the output, see `Symmetry.at`;
    the output alone is returned, since an average of the other parts would mean nothing.

    Reference: Benton, Finzi, Izmailov, Wilson, "Learning invariances in neural networks" (2020), arXiv 2010.11882.

    Args:
        net: any module from a batch `(B, ...)` to a batch `(B, ...)`, or from structures to structures of them.
        symmetry: how group elements move inputs and outputs; or its name, or a list of several, see `as_symmetry`.
        distribution: over the same group, learnable or `Fixed`; by default `distributions.learnable(symmetry.group)`,
            a box that starts at 0.3 of the caps.
        copies: transformed copies per example in training.
        test_copies: transformed copies per example in evaluation; may be set later.
        average: from stacked outputs `(S, B, ...)` to `(B, ...)`; the mean of the outputs fits every loss of logits or
            numbers. See `augment.averages` for means of probabilities of classes.

    Raises:
        ValueError: when a number of copies is below 1 or the distribution is over another group.

    Example:
        >>> net = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> model = ls.augment.Augmented(net, "rotation2d")
        >>> model(torch.rand(5, 1, 8, 8)).shape
        torch.Size([5, 10])
    """

    answers_for = ("distribution",)
    test_uniforms: Tensor

    def __init__(
        self,
        net: nn.Module,
        symmetry: SymmetryLike,
        distribution: LearnableDistribution | None = None,
        *,
        copies: int = 1,
        test_copies: int = 8,
        average: Average = mean_outputs,
    ) -> None:
        super().__init__()
        symmetry = as_symmetry(symmetry)
        distribution = learnable(symmetry.group) if distribution is None else distribution
        _check_match(symmetry, distribution)
        self.net = net
        self.symmetry = symmetry
        self.distribution = distribution
        self.copies = checked_count("copies", copies)
        self.average = average
        self.first_batches = FirstBatches(symmetry)
        # a function of its shape, hence not part of the state
        points = midpoints(checked_count("test_copies", test_copies), distribution.uniforms)
        self.register_buffer("test_uniforms", points, persistent=False)

    @property
    def draws_need_score(self) -> bool:
        """Whether training draws elements or components that carry no gradient; see `GroupDistribution.score`."""
        return any(getattr(module, "straight_through", True) is False for module in self.distribution.modules())

    @property
    def test_copies(self) -> int:
        """Transformed copies per example in evaluation."""
        return len(self.test_uniforms)

    @test_copies.setter
    def test_copies(self, count: int) -> None:
        points = midpoints(checked_count("test_copies", count), self.distribution.uniforms)
        self.test_uniforms = points.to(self.test_uniforms)

    def forward(self, x: Whole) -> Tensor:
        return self.outputs(x, self.elements(x))

    def outputs(self, x: Whole, g: Float[Tensor, "S B n n"]) -> Tensor:
        """The outputs for given elements, `average over s of g[s]^{-1} · net(g[s] · x)`."""
        return averaged(self.net, self.symmetry, g, x, self.average)

    def law(self, x: Whole) -> GroupDistribution:
        """The distribution for a batch, which may depend on the tensor that moves."""
        return self.distribution(self.symmetry.moving(x))

    def elements(self, x: Whole) -> Float[Tensor, "S B n n"]:
        """The group elements for a batch: random in training, fixed in evaluation; one per copy and example."""
        self.first_batches.check(x)
        moving, count = self.symmetry.moving(x), examples(x)
        with full_precision(moving.device):
            distribution = self.distribution(moving)
            like = distribution.reference
            if self.training:
                u = uniform_noise((self.copies, count, distribution.uniforms), like, batch_axis=1)
                return distribution.from_uniform(u)
            u = self.test_uniforms.to(like)
            if distribution.batch_shape:
                return distribution.from_uniform(u.unsqueeze(1))
            return distribution.from_uniform(u).unsqueeze(1).expand(-1, count, -1, -1)

    def together(
        self, x: Whole, y: Whole, on_target: Action, g: Float[Tensor, "S B n n"] | None = None
    ) -> tuple[Whole, Whole]:
        """Inputs and targets moved by the same elements: `(g · x, g · y)` of `S * B` examples each.

        Args:
            x: inputs `(B, ...)`.
            y: targets `(B, ...)` that `on_target` moves, such as label maps.
            on_target: how elements move the targets, such as `actions.LabelMap(fill=11)`.
            g: the elements; those of `elements(x)` by default.
        """
        on_target.check(self.symmetry.group)
        on_target.check_data(self.symmetry.group, y)
        g = self.elements(x) if g is None else g
        return move(self.symmetry.on_input, g, x), move(on_target, g, y)

    def degrees(self, site: str) -> list[Degree]:
        """What the distribution has learned, in reporting units."""
        return self.distribution.degrees(site)

    def symmetry_parameters(self) -> list[nn.Parameter]:
        """Those of the distribution."""
        return self.distribution.symmetry_parameters()

    def terms(self) -> tuple[str, ...]:
        """Those of the distribution."""
        return self.distribution.terms()

    def plain(self) -> nn.Module:
        """The network alone."""
        return self.net


def _check_match(symmetry: Symmetry, distribution: LearnableDistribution) -> None:
    if distribution.group != symmetry.group:
        raise ValueError(
            f"distribution: is over {distribution.group.name}, the symmetry's group is {symmetry.group.name}, another "
            "one; make the distribution from `symmetry.group`"
        )


def checked_count(name: str, count: int) -> int:
    """The count, or ValueError below 1."""
    if not isinstance(count, int) or count < 1:
        raise ValueError(f"{name}: got {count}, must be an integer >= 1; one copy is the smallest number")
    return count
