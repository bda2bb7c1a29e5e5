"""Answer: the law of poses that survives the controls, and the cues that carried the rest.

The readers of the plain law are asked about examples under each control alone: those without which they know less than
half are what may carry it, and so is an offset. The one whose control hides least is taken away first, then all that
may carry it; controls that change little are left out, as all together may hide the objects. Each time one reader is
trained, with half of the steps, and where it finds a wider law all readers are, to the end: that is the law of the
objects, once it is one that no camera makes. Such a plain law, a range that is surely uniform, or of several modes, or
that is read well, has its centre controlled alone: the cue of a camera is one pose, or as many as the lattice has, with
errors. A flat law is no answer where edges still have a direction: a control has hidden the objects then, and the plain
law stands, open to above. Before all that, objects that stand alone are centred each by itself where the plain law may
be one pose. Legend of axes: `N` examples, `G` offsets.
"""

from __future__ import annotations

import logging
import math
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.actions import Image, Volume
from learnsym.measure.pose.centre import is_off_centre
from learnsym.measure.pose.choice import WEAK
from learnsym.measure.pose.nuisances.control import Control, controlled, controls_of
from learnsym.measure.pose.nuisances.edges import prefer_a_direction
from learnsym.measure.pose.nuisances.place import centred_each, named_places, stand_alone
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
SURVIVES = 0.5
"""Share of what is known of poses that must be left without a cue, so that it carries little."""


def with_saliency(law: PosePosterior, study: Study, x: Tensor, readers: list[Reader]) -> PosePosterior:
    """The law, and where in the images the first reader sees the poses that moves of the plane change."""
    if not isinstance(study.axis.symmetry.on_input, Image) or law.is_flat:
        return law
    unseen = x[(study.fold(len(x)) == 0).to(x.device)]
    return replace(law, saliency=saliency_of(study.axis, unseen, readers[0], study.network))


def without_cues(plain: PosePosterior, study: Study, x: Tensor, readers: list[Reader]) -> PosePosterior:
    """The law of the objects: the plain one, or that without the cues where it is surely wider.

    Args:
        plain: the law that the readers find in the examples as they are.
        study: what found it.
        x: the examples.
        readers: of the plain law.
    """
    if plain.is_flat:
        return plain
    alone = without_places(plain, study, x, readers)
    if alone is not None:
        return alone
    left = _carriers(plain, study, x, readers)
    found, carriers = plain, list(left)
    for cues in [carriers[:1], carriers][: len(carriers)]:
        law = _wider_law(plain, study, controlled(x, cues, study.seed), readers, cues)
        if law is None or not is_wider(law, found):
            continue
        named = "; or ".join(cue.named(x) for cue in sorted(cues, key=lambda each: left[each]))
        found = replace(law, cue=named, with_cue=plain.half_width, saliency=plain.saliency)
        if law.is_flat or stands(law):
            break
    if found.is_flat and has_direction(study, x):
        return replace(plain, cue=found.cue, with_cue=plain.half_width, is_least=True)
    return found


def without_places(plain: PosePosterior, study: Study, x: Tensor, readers: list[Reader]) -> PosePosterior | None:
    """The range of objects that stand alone, each brought to the middle, where their places made it look narrow."""
    action = study.axis.symmetry.on_input
    if not (isinstance(action, Image | Volume) and study.axis.closed and has_one_pose(plain) and stand_alone(x)):
        return None
    places = Control(lambda x, random: centred_each(action, x, random), named_places, is_centre=True)
    law = _wider_law(plain, study, places(x, study.seed), readers, [places])
    if law is None or law.is_flat or has_one_pose(law):
        return None
    return replace(law, cue=places.named(x), with_cue=plain.half_width, saliency=plain.saliency)


def has_one_pose(law: PosePosterior) -> bool:
    """Whether the law, or the narrower of its two ranges, may be one pose."""
    return law.order == 1 and (law.fitted[1] <= 0 or law.form == "two ranges")


def has_direction(study: Study, x: Tensor) -> bool:
    """Whether objects of images prefer a direction that no camera gives them, without all that one may add."""
    action = study.axis.symmetry.on_input
    if not isinstance(action, Image) or not study.axis.closed:
        return False
    return prefer_a_direction(controlled(x, controls_of(action, closed=True), study.seed))


def _carriers(plain: PosePosterior, study: Study, x: Tensor, readers: list[Reader]) -> dict[Control, float]:
    """What may carry the law, that whose control hides least first, with what is known without it; the offset alone of
    a law that stands.
    """
    controls = controls_of(study.axis.symmetry.on_input, study.axis.closed)
    controls = [control for control in controls if control.is_centre or not stands(plain)]
    left = {control: known(study.posterior(control(x, study.seed), readers)) for control in controls}
    return {control: value for control, value in left.items() if _may_carry(control, value, plain, study, x)}


def _may_carry(control: Control, left: float, plain: PosePosterior, study: Study, x: Tensor) -> bool:
    """Whether little is known without the cue; of an offset, whether there is one."""
    if not control.is_centre:
        return left < SURVIVES * known(plain.posterior)
    return x.dim() == 3 or is_off_centre(study.axis.symmetry.on_input, study.axis.elements(torch.ones(())), x)


def _wider_law(
    plain: PosePosterior, study: Study, hidden: Tensor, readers: list[Reader], cues: list[Control]
) -> PosePosterior | None:
    """The law without the cues, if a first look and then all readers find it wider."""
    if all(cue.is_centre for cue in cues) and study.finds_again(plain, hidden, readers):
        return None
    logger.info("poses are not read again without cues of the camera: training one reader more, with half of the steps")
    if not is_wider(without_remainder(plain, study, study.first_look(hidden), hidden), plain):
        return None
    law = without_remainder(plain, study, study.law(hidden, study.trained(hidden)), hidden)
    if is_hidden(law, plain):
        return None
    return law if is_wider(law, plain) and law.can_learn else None


def is_hidden(law: PosePosterior, plain: PosePosterior) -> bool:
    """Whether poses of a flat law are told apart still, by more than is left of a cue: the control hides objects."""
    return law.is_flat and law.fit.told_apart and law.fit.evidence > LEFT * plain.fit.evidence


def stands(law: PosePosterior) -> bool:
    """Whether the law is none that a camera makes."""
    # one pose of a camera that is read well in some examples and badly in others looks like two ranges
    return law.form != "two ranges" and (is_of_objects(law) or is_read_well(law))


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
    """Whether the estimate of either law is beyond the interval of the other; a flat law is wider than a hint, too.

    Of two ranges, the narrower one may be that of a cue: one range that is surely wider than it takes their place.
    """
    if other.form == "two ranges" and law.form != "two ranges":
        return law.fitted[1] > other.inner[1]
    beyond = law.half_width > other.fitted[2] and law.fitted[1] > other.half_width
    return beyond or (law.is_flat and is_hint(other))


def is_hint(law: PosePosterior) -> bool:
    """Whether the law is hardly seen, and its interval holds the full range and most others."""
    whole = law.axis.window / law.axis.generator.per_unit
    _, low, high = law.fitted
    return not law.is_flat and law.fit.evidence < WEAK and low < whole / 2 and high >= whole


def known(posterior: Float[Tensor, "N G"]) -> float:
    """What is known of poses: the mean log density at the right one, in nats above chance.

    Example:
        >>> known(torch.full((2, 144), 1 / 144))
        0.0
    """
    right = posterior[:, posterior.shape[1] // 2].clamp(min=1e-6)
    return round(float((right * posterior.shape[1]).log().mean()), 6)


def without_remainder(plain: PosePosterior, study: Study, law: PosePosterior, hidden: Tensor) -> PosePosterior:
    """The law, or a flat one where next to nothing is known of poses any more."""
    if law.is_flat or known(law.posterior) > LEFT * known(plain.posterior):
        return law
    fits = {form: replace(fit, told_apart=False) for form, fit in law.choice.fits.items()}
    flat = replace(law, order=1, choice=replace(law.choice, fits=fits, others=()))
    return replace(flat, control=study.control(hidden))
