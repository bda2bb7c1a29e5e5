"""The linear classifier of given features, with a ridge that held-out examples choose.

Legend of axes: `N` examples, `F` features, `C` classes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

RIDGES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
ITERATIONS = 100


class LinearClassifier(nn.Module):
    """A linear map of standardised features: `W (φ - mean) / std + b`.

    Args:
        phi: features, whose mean and standard deviation are taken.
        classes: number of outputs.
    """

    def __init__(self, phi: Float[Tensor, "N F"], classes: int) -> None:
        super().__init__()
        self.mean, self.std = phi.mean(0), phi.std(0) + 1e-6 * phi.std() + 1e-12
        self.linear = nn.Linear(phi.shape[1], classes, device=phi.device, dtype=phi.dtype)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, phi: Float[Tensor, "N F"]) -> Float[Tensor, "N C"]:
        """The class logits."""
        return self.linear((phi - self.mean) / self.std)


def fitted_classifier(
    phi: Float[Tensor, "N F"], y: Int[Tensor, "N"], classes: int, ridges: Sequence[float] = RIDGES
) -> tuple[LinearClassifier, float]:
    """The minimum of the cross-entropy with a ridge, and the ridge that was chosen.

        min_W  mean_n CE(W φ_n, y_n) + (ridge / 2) |W|²

    The ridge has the smallest loss on every fifth example when fitted to the others; the classifier is then fitted to
    all of them.

    Args:
        phi: features, in double precision.
        y: labels.
        classes: number of classes.
        ridges: penalties to choose from, above 0.
    """
    held = torch.arange(len(phi), device=phi.device) % 5 == 4
    losses = [_loss(_minimum(phi[~held], y[~held], classes, ridge), phi[held], y[held]) for ridge in ridges]
    ridge = ridges[min(range(len(ridges)), key=losses.__getitem__)]
    return _minimum(phi, y, classes, ridge), ridge


def _minimum(phi: Float[Tensor, "N F"], y: Int[Tensor, "N"], classes: int, ridge: float) -> LinearClassifier:
    """The minimum, which is one, by L-BFGS from zero."""
    classifier = LinearClassifier(phi, classes)
    weight = classifier.linear.weight
    optimiser = torch.optim.LBFGS(classifier.parameters(), max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        loss = F.cross_entropy(classifier(phi), y) + ridge / 2 * weight.square().sum()
        gradients = torch.autograd.grad(loss, list(classifier.parameters()))
        for parameter, gradient in zip(classifier.parameters(), gradients, strict=True):
            parameter.grad = gradient
        return loss.detach()

    with torch.enable_grad():
        optimiser.step(closure)  # pyright: ignore[reportArgumentType]  it returns a tensor
    return classifier.requires_grad_(False)


def _loss(classifier: nn.Module, phi: Tensor, y: Tensor) -> float:
    return float(F.cross_entropy(classifier(phi), y))
