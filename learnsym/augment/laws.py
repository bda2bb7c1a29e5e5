"""Fixed laws between none and all of a group: the hypotheses about how much of a symmetry holds."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from learnsym.distributions import Fixed, LearnableBox, LearnableDistribution, LieBox, learnable
from learnsym.groups import Generator, Group

RANGES = (1 / 12, 1 / 6, 1 / 3, 1 / 2, 2 / 3, 1.0)
"""Half-widths of one generator as fractions of its cap: 15, 30, 60, 90, 120 and 180 degrees of a rotation."""
TURNS = (0.0, 1 / 12, 1 / 6, 1 / 3, 1 / 2, 1.0)
"""Those of a rotation beside other generators, which are all a little open."""
NARROW = 0.1
"""Half-width of these others, as a fraction of their caps."""
ALL = 1 - 1e-6
"""Full symmetry as a fraction of the caps, which learnable laws do not reach."""
SURE = 30.0
"""Logit of the identity component against all others where no other is drawn."""


def laws(group: Group) -> list[LearnableDistribution]:
    """Fixed laws over a group, from narrow to full; the identity alone is not among them.

    Of one generator, a range of half-widths. Of several, a range of those of the rotation with all others a little
    open, from which networks gain whatever the rotation, and the whole rotation by itself, for data that ask for
    nothing else. Of a finite group or several components, also how often an element of another component is drawn:
    never or as often as the identity.

    Example:
        >>> [round(law.degrees("input")[0].estimate) for law in ls.augment.laws(ls.groups.SO2())]
        [15, 30, 60, 90, 120, 180]
        >>> len(ls.augment.laws(ls.symmetry_by_name("affine2d").group))
        7
    """
    if group.dim and isinstance(learnable(group), LearnableBox):
        return [Fixed(LieBox(group, torch.tensor(widths))) for widths in _boxes(group.generators)]
    if not group.dim:
        order = len(learnable(group)().widths()) + 1
        return [Fixed(learnable(group, share * (order - 1) / order)()) for share in (0.5, ALL)]
    return [_of_components(group, init, mixed) for init in (1 / 12, 1 / 6, 1 / 3, ALL) for mixed in (False, True)]


def different(laws: Sequence[LearnableDistribution]) -> list[LearnableDistribution]:
    """The laws that open something, each once."""
    names = [named(law) for law in laws]
    return [law for i, law in enumerate(laws) if names[i] and names[i] not in names[:i]]


def named(law: LearnableDistribution) -> str:
    """What a law opens, and how far, in words; empty when nothing."""
    opened = [degree for degree in law.degrees("input") if degree.estimate > 1e-6]
    return ", ".join(f"{degree.generator} {degree.estimate:.3g}" for degree in opened)


def _boxes(generators: tuple[Generator, ...]) -> list[list[float]]:
    """Half-widths per generator, in coordinates of the algebra."""
    caps = [generator.cap if generator.cap < float("inf") else 1.0 for generator in generators]
    if len(caps) == 1:
        return [[share * caps[0]] for share in RANGES]
    turns = [generator.unit == "degree" for generator in generators]

    def box(turn: float, rest: float) -> list[float]:
        return [cap * (turn if turned else rest) for cap, turned in zip(caps, turns, strict=True)]

    if not any(turns) or all(turns):
        return [box(share, share) for share in RANGES]
    return [box(1.0, 0.0), *(box(share, NARROW) for share in TURNS)]


def _of_components(group: Group, init: float, mixed: bool) -> LearnableDistribution:
    """Boxes of one width on the identity component, and either only that component or all alike."""
    law = learnable(group, init)
    with torch.no_grad():
        for name, parameter in law.named_parameters():
            if name.rpartition(".")[2] == "logits":
                parameter.zero_()
                parameter.view(-1)[0] = 0.0 if mixed else SURE
    return Fixed(law())
