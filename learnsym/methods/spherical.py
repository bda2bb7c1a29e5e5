"""Pictures of the sphere: rotations built in, augmented, learned, or left to the data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from torch import nn

from learnsym._settings import Copies, In, NotNegative, Share, check_settings
from learnsym.actions import SphereLabels
from learnsym.augment import Augmented, Hypotheses, Plain, equivariant, laws
from learnsym.augment.laws import different
from learnsym.data import Signature
from learnsym.distributions import learnable
from learnsym.methods._images import image_net, on_targets, regularised
from learnsym.methods._method import Method, Setup, learns
from learnsym.nets import NetConfig, SphericalCNN, SphericalUNet, matched_width, parameter_count
from learnsym.nets.spherical import usual_band_limits
from learnsym.objectives import LossConfig, MovedExamples, Objective, regularisers
from learnsym.objectives.choosers import Chooser, Selection
from learnsym.objectives.terms import Reward
from learnsym.symmetry import Symmetry


@dataclass(frozen=True, kw_only=True)
class Spherical(Method):
    """Networks on pictures of the sphere: `plain`, one for images of the plane; `fixed`, that network trained on
    uniformly turned examples; `exact`, a spherical network with about as many parameters; `learned`, the plain network
    averaged over turned inputs, by a range of rotations that is learned.
    """

    name: Literal["spherical"] = "spherical"
    symmetry: Literal["sphere", "sphere_vertical"] = "sphere"
    """Rotations of the learned and the fixed twin: all of them, or turns about the vertical; pages measure it, too."""
    output: Literal["invariant", "equivariant"] = "invariant"
    """Whether outputs stay (classes, numbers) or move with the inputs (classes of pixels)."""
    init: Share = 0.3
    """Learned: half-widths at the start as a fraction of the caps, 180 degrees."""
    regulariser: Literal["norm", "squared_norm", "sparse_norm", "entropy"] = "sparse_norm"
    """Learned: reward for wide ranges, as of augerino."""
    weight: NotNegative = 0.03
    """Learned: weight of the reward."""
    copies: Copies = 1
    """Learned and fixed: turned copies of each example in training."""
    test_copies: Copies = 8
    """Learned: turned copies in evaluation."""
    levels: Annotated[int, In("[1, 8]")] = 2
    """Exact: levels of falling band limit; of pictures of 40 pixels 10, 6, 4."""
    azimuthal: Annotated[int, In("[1, 512]")] | None = None
    """Exact: azimuthal band limit of features on SO(3), which saves time; None for all orders."""
    oversampling: Annotated[float, In("[1, 16]")] = 1.5
    """Exact: of the grid on which activations are computed; a ReLU errs by 20 % with 1, by 3.6 % with 1.5."""

    title = "equivariance or augmentation for pictures of the sphere: spherical networks, ranges of rotations"
    place = "data"
    papers = (("Gerken et al. 2022", "2202.03990"), ("Cohen et al. 2018", "1801.10130"))
    nets = ("cnn", "segmentation", "mlp")
    twins = ("learned", "plain", "fixed", "exact")
    choosers = ("training", "validation", "selection")
    losses = ("cross_entropy", "mse", "segmentation")

    def __post_init__(self) -> None:
        check_settings(self, "method.")

    def check(self, net: NetConfig, loss: LossConfig, twins: Sequence[str], chooser: Chooser) -> None:
        super().check(net, loss, twins, chooser)
        if (self.output == "equivariant") != (loss.name == "segmentation"):
            raise ValueError(
                f"method.output: got {self.output!r} with the loss {loss.name}, must be equivariant with the loss "
                "segmentation, whose targets move with the pictures, and invariant with others"
            )
        if net.weights is not None and "exact" in twins:
            raise ValueError(
                f"net.weights: got {net.weights} with the twin exact, which is another network; leave it out, or leave "
                "out this twin"
            )

    def unused(self, chooser: Chooser) -> tuple[str, ...]:
        return ("init", "regulariser", "weight") if chooser.name == "selection" else ()

    def model(self, setup: Setup) -> nn.Module:
        twins: dict[str, Callable[[], nn.Module]] = {
            "learned": lambda: self._learned(image_net(self.name, setup), setup),
            "plain": lambda: Plain(image_net(self.name, setup)),
            "fixed": lambda: Plain(image_net(self.name, setup)),
            "exact": lambda: self._exact(setup),
        }
        return twins[setup.twin]()

    def objective(self, setup: Setup, model: nn.Module) -> Objective:
        if learns(setup.twin):
            return regularised(setup, Reward(regularisers[self.regulariser], self.weight))
        if setup.twin == "fixed":
            return MovedExamples(setup.loss.function(), self._of_targets(setup.data), self.copies)
        return on_targets(setup.loss, on_sphere=True)

    def tested(self, data: Signature) -> Symmetry:
        symmetry = data.symmetry(self.symmetry)
        return equivariant(symmetry) if self.output == "equivariant" else symmetry

    def _of_targets(self, data: Signature) -> Symmetry:
        """As `tested`, with label maps as outputs."""
        symmetry = data.symmetry(self.symmetry)
        return symmetry if self.output == "invariant" else Symmetry(symmetry.group, symmetry.on_input, SphereLabels())

    def _learned(self, net: nn.Module, setup: Setup) -> nn.Module:
        symmetry = self.tested(setup.data)
        copies: dict[str, Any] = {"copies": self.copies, "test_copies": self.test_copies}
        if isinstance(setup.chooser, Selection):
            return Hypotheses(net, symmetry, different(laws(symmetry.group)), **copies)
        return Augmented(net, symmetry, learnable(symmetry.group, self.init), **copies)

    def _exact(self, setup: Setup) -> nn.Module:
        """The spherical network with about as many parameters as the plain one."""
        channels, *sides = setup.data.in_shape
        size = (sides[0], sides[-1])
        kind = SphericalUNet if self.output == "equivariant" else SphericalCNN
        limits = usual_band_limits(*size, levels=self.levels)

        def exact(width: int) -> nn.Module:
            options: dict[str, Any] = {"azimuthal": self.azimuthal, "oversampling": self.oversampling}
            return kind(channels, setup.data.classes, size, width, limits, **options)

        return exact(matched_width(exact, parameter_count(image_net(self.name, setup)), largest=128))
