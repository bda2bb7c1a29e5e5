"""Answer: the law of poses that survives the controls, and the cue that carried the rest.

The readers of the plain law are asked about examples without an offset, which hides least, and then without any cue.
Where they find the law again, it stands. Else one reader is trained on such examples, with half of the steps. Only
where the law is wider there are readers trained to the end: that is the law of the objects. The control under which the
readers of the plain law know least names the cue, if the law is wider under it alone, too: all together may hide the
objects themselves. So all together are not tried on a range that is surely uniform, or of several modes, nor on one
that is read well: the cue of a camera is one pose, or as many as the lattice has, with errors. Legend of axes: `N`
examples, `G` offsets.
"""

from __future__ import annotations

import logging
import math
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.actions import Image
from learnsym.measure.pose.centre import is_off_centre
from learnsym.measure.pose.choice import WEAK
from learnsym.measure.pose.nuisances.control import Control, controlled, controls_of
from learnsym.measure.pose.nuisances.saliency import saliency_of
from learnsym.measure.pose.posterior import PosePosterior
from learnsym.measure.pose.reader import Reader
from learnsym.measure.pose.study import Study

logger = logging.getLogger(__name__)

READ_WELL, MISREAD = 0.5, 0.25
"""Share of what a law can tell of poses, in nats, from which it is read well; and share of examples that are not."""
NARROW = 25.0
"""Half-width, in degrees of the window, up to which a law may be that of a cue that is read with errors."""
LEFT = 0.08
"""Share of what a network knew of poses, in nats, up to which the rest after the controls is a remainder of the cue."""


def with_saliency(law: PosePosterior, study: Study, x: Tensor, readers: list[Reader]) -> PosePosterior:
    """The law, and where in the images the first reader sees the poses that moves of the plane change."""
    if not isinstance(study.axis.symmetry.on_input, Image) or law.is_flat:
        return law
    unseen = x[(study.fold(len(x)) == 0).to(x.device)]
    return replace(law, saliency=saliency_of(study.axis, unseen, readers[0], study.network))


def without_cues(plain: PosePosterior, study: Study, x: Tensor, readers: list[Reader]) -> PosePosterior:
    """The law of the objects: the plain one, or that after the controls where it is surely wider.

    Args:
        plain: the law that the readers find in the examples as they are.
        study: what found it.
        x: the examples.
        readers: of the plain law.
    """
    if plain.is_flat:
        return plain
    stands = is_of_objects(plain) or is_read_well(plain)
    for controls in _sets(study, x, alone=stands):
        law = _wider_law(plain, study, controlled(x, controls, study.seed), readers)
        if law is None:
            continue
        carrier = _carrier(study, x, readers, controls)
        if len(controls) == 1 or _is_wider_soon(plain, study, carrier(x, study.seed)):
            return replace(law, cue=carrier.named(x), with_cue=plain.half_width, saliency=plain.saliency)
    return plain


def _sets(study: Study, x: Tensor, alone: bool) -> list[list[Control]]:
    """The centre alone where it is a little off the middle, then all controls unless it is to be `alone`."""
    action, closed = study.axis.symmetry.on_input, study.axis.closed
    controls = controls_of(action, closed)
    is_off = x.dim() == 3 or is_off_centre(action, study.axis.elements(torch.ones(())), x)
    centre = [control for control in controls if control.is_centre] if is_off else []
    return [each for each in (centre, controls if closed and not alone else []) if each]


def _wider_law(plain: PosePosterior, study: Study, hidden: Tensor, readers: list[Reader]) -> PosePosterior | None:
    if study.finds_again(plain, hidden, readers):
        return None
    logger.info("poses are not read again without cues of the camera: training one reader more, with half of the steps")
    if not _is_wider_soon(plain, study, hidden):
        return None
    law = _without_remainder(plain, study, study.law(hidden, study.trained(hidden)), hidden)
    return law if is_wider(law, plain) and law.can_learn else None


def _is_wider_soon(plain: PosePosterior, study: Study, hidden: Tensor) -> bool:
    return is_wider(_without_remainder(plain, study, study.first_look(hidden), hidden), plain)


def is_of_objects(law: PosePosterior) -> bool:
    """Whether the shape of the law is none that one pose of a camera has when it is read with errors."""
    is_shape = law.form != "normal" and law.choice.is_sure and law.fit.evidence > WEAK
    return is_shape and law.order == 1 and law.fitted[1] > NARROW * law.unit and not law.is_rejected


def is_read_well(law: PosePosterior) -> bool:
    """Whether the law is a range, and about as much is known of poses as it allows."""
    estimate, low, _ = law.fitted
    if law.order > 1 or low <= NARROW * law.unit or law.is_rejected or law.fit.flipped + law.fit.outliers > MISREAD:
        return False
    whole = law.axis.window / law.axis.generator.per_unit
    return known(law.posterior) > READ_WELL * math.log(whole / min(estimate, 0.99 * whole))


def is_wider(law: PosePosterior, other: PosePosterior) -> bool:
    """Whether the estimate is beyond the interval of the other law."""
    return law.half_width > other.fitted[2]


def known(posterior: Float[Tensor, "N G"]) -> float:
    """What is known of poses: the mean log density at the right one, in nats above chance.

    Example:
        >>> known(torch.full((2, 144), 1 / 144))
        0.0
    """
    right = posterior[:, posterior.shape[1] // 2].clamp(min=1e-6)
    return round(float((right * posterior.shape[1]).log().mean()), 6)


def _without_remainder(plain: PosePosterior, study: Study, law: PosePosterior, hidden: Tensor) -> PosePosterior:
    """The law, or a flat one where next to nothing is known of poses any more."""
    if law.is_flat or known(law.posterior) > LEFT * known(plain.posterior):
        return law
    fits = {form: replace(fit, told_apart=False) for form, fit in law.choice.fits.items()}
    flat = replace(law, order=1, choice=replace(law.choice, fits=fits))
    return replace(flat, control=study.control(hidden))


def _carrier(study: Study, x: Tensor, readers: list[Reader], controls: list[Control]) -> Control:
    left = [known(study.posterior(control(x, study.seed), readers)) for control in controls]
    return controls[left.index(min(left))]
