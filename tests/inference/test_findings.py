"""Verdicts follow from what was measured, by rules that can be stated."""

import pytest
import torch

from learnsym.inference import candidates_of, findings_of
from learnsym.inference.advice import advice, snippet, summary, width_of
from learnsym.inference.closures import closure_of_element
from learnsym.inference.verdicts import advantage_interval, of_closure, of_harms, of_law, of_space

IMAGES = {c.name: c for c in candidates_of(torch.rand(2, 3, 8, 8))}
LAW = {
    "estimate": 31.0, "low": 28.0, "high": 34.0, "is_flat": False, "is_open": False, "is_cut": False, "order": 1,
    "form": "uniform", "modes": [0.0],
    "can_learn": True, "told_apart": True, "is_rejected": False, "bound": 40.0, "noise": 10.0,
    "window": 180.0, "resolution": 4.0,
}  # fmt: skip


def law(**changes):
    return of_law(IMAGES["rotation"], {**LAW, **changes})


def test_a_range_with_its_interval():
    assert law().words == "up to 31° [28, 34]"


def test_a_range_that_is_no_wider_than_the_natural_spread_is_absent():
    found = law(estimate=0.0, low=0.0, high=24.0)
    assert (found.status, found.words) == ("absent", "absent, below 24°")


def test_a_range_that_may_be_the_natural_spread_or_more_cannot_be_told():
    assert law(estimate=19.0, low=0.0, high=42.0).words == "cannot be told, below 42°"


def test_a_range_of_about_a_pixel_is_that_of_the_lattice():
    assert law(estimate=5.0, low=3.0, high=7.0).words == "absent, below 7°"


def test_several_poses_are_not_absent_however_narrow_each_is():
    found = law(order=4, estimate=5.0, low=0.0, high=7.0)
    assert (found.status, found.words[:22]) == ("up to", "by multiples of 90°, a")


def test_a_flat_law_is_full_only_where_poses_can_be_learned():
    assert law(is_flat=True, told_apart=False).status == "full"
    assert law(is_flat=True, can_learn=False).status == "cannot be told"


def test_several_poses_and_normal_laws_are_said():
    found = law(form="several modes", modes=[-60.0, 60.0], estimate=20.0, low=17.0, high=23.0)
    assert found.words == "around poses at -60, 60, each by up to 23°"
    assert "less often far from it" in law(form="normal").reason


def test_a_law_within_the_noise_is_absent_unless_it_may_be_wide():
    assert law(low=0.0, estimate=12.0, high=34.0).words == "absent, below 34°"
    assert law(low=0.0, estimate=12.0, high=60.0).status == "cannot be told"


def closure(accuracy, p, pairs=2000, can_learn=True):
    test = {"accuracy": accuracy, "p": p, "pairs": pairs, "can_learn": can_learn}
    return of_closure(IMAGES["mirror_left_right"], test, 0.99)


def test_an_element_is_not_full_for_a_network_that_tells_no_move():
    assert closure(0.5, 0.5).status == "full" and closure(0.5, 0.5, can_learn=False).status == "cannot be told"


def test_an_element_is_absent_when_told_apart_full_when_it_cannot_be_much_and_else_not_known():
    assert closure(0.8, 1e-9).status == "absent"
    assert closure(0.51, 0.3).status == "full"
    assert closure(0.51, 0.3, pairs=60).status == "cannot be told"


@pytest.mark.parametrize("pairs", [50, 500, 5000])
def test_intervals_of_advantage_hold_the_estimate_and_shrink(pairs):
    low, estimate, high = advantage_interval({"accuracy": 0.7, "pairs": pairs}, 0.9)
    assert 0 <= low < estimate < high <= 1
    assert high - low < 4 / pairs**0.5


def harms(*curve, name="rotation"):
    return of_harms(IMAGES[name], curve, 0.2, 0.99)


def test_labels_tolerate_widths_up_to_the_first_harm():
    found = harms((15.0, 0.0, 0.004), (30.0, 0.002, 0.004), (60.0, 0.2, 0.004), (90.0, 0.3, 0.004))
    assert found.words == "up to 30° [30, 60]"


def test_labels_that_tolerate_all_that_tolerate_none_and_noise():
    assert harms((90.0, 0.0, 0.001), (180.0, 0.0, 0.001)).status == "full"
    assert harms((15.0, 0.1, 0.004), (30.0, 0.2, 0.004)).words == "absent, below 15°"
    assert harms((15.0, 0.01, 0.1), (30.0, 0.02, 0.1)).status == "cannot be told"
    assert harms((15.0, 0.01, 0.1), (30.0, 0.4, 0.05)).words == "cannot be told, below 30°"
    assert harms((1.0, 0.3, 0.01), name="mirror_left_right").words == "absent, labels suffer"


def test_labels_forbid_what_the_data_show():
    pair = {"distribution": law(), "task": harms((15.0, 0.1, 0.004), (30.0, 0.2, 0.004))}
    assert width_of(pair) == 0.0
    assert summary(list(pair.values())) == "nothing was found to augment by; do not turn"


@pytest.mark.parametrize(
    ("end", "says"),
    [
        (34.0, "nothing follows on whether to make quarter turns"),
        (100.0, "you may make quarter turns: the data show it"),
    ],
)
def test_turns_that_end_before_an_element_leave_nothing_to_say_of_it(end, says):
    quarter = of_closure(IMAGES["quarter_turn"], {"accuracy": 0.5, "p": 0.5, "pairs": 2000, "can_learn": True}, 0.99)
    untold = harms((1.0, 0.01, 0.1), name="quarter_turn")
    assert advice([law(high=end), quarter, untold])["quarter_turn"] == says


def test_the_snippet_runs_and_moves_as_far_as_was_found():
    shown = {"net": torch.nn.Identity()}
    exec(snippet([law()]), shown)
    half_width = shown["model"].distribution().half_width
    assert float(half_width[2]) == pytest.approx(28 * torch.pi / 180, rel=1e-3)
    exec(snippet([]), shown)
    assert shown["model"] is shown["net"]


def test_what_could_not_be_measured_says_why():
    results = {name: {"reason": "it rained"} for name in IMAGES}
    found = findings_of(list(IMAGES.values()), results, [], level=0.9, no_labels="there are no labels")
    assert {f.reason for f in found if f.notion == "distribution"} == {"it rained"}
    assert {f.reason for f in found if f.notion == "task"} == {"there are no labels"}


CLOUDS = {c.name: c for c in candidates_of(torch.randn(2, 5, 3))}
SPACE = {"estimate": 2.0, "low": 0.0, "high": 6.0, "is_flat": False}
FULL, NARROW = {"is_flat": True, "can_learn": True}, {"is_flat": False, "low": 0.0, "can_learn": True}


def in_space(x, y, z, **changes):
    results = {"rotation_x": x, "rotation_y": y, "rotation_z": z}
    return of_space(CLOUDS["rotation"], {**SPACE, **changes}, results)


def test_turns_about_two_axes_generate_all_rotations_of_space():
    assert in_space(FULL, FULL, FULL, high=80.0).status == "full"
    assert in_space(NARROW, NARROW, FULL).words == "absent, not about all axes"
    assert in_space(NARROW, NARROW, NARROW).words == "absent, below 6°"


def test_poses_in_space_that_are_read_coarsely_cannot_be_told():
    assert of_space(CLOUDS["rotation"], {**SPACE, "high": 80.0}, {}).words == "cannot be told, below 80°"
    assert of_space(CLOUDS["rotation"], {**SPACE, "is_flat": True}, {}).status == "cannot be told"


def test_mirrors_of_clouds_in_all_poses_are_not_full_because_nothing_tells_them_apart():
    test = {"accuracy": 0.51, "p": 0.3, "pairs": 2000, "can_learn": True}
    turned = {f"rotation_{axis}": {**LAW, **FULL, "told_apart": False} for axis in "xyz"}
    standing = {**turned, "rotation_x": LAW}
    for results, status in ((turned, "cannot be told"), (standing, "full")):
        found = findings_of([CLOUDS["mirror_z"]], {**results, "mirror_z": test}, [], level=0.9)
        assert found[0].status == status


def test_a_barely_trained_network_does_not_make_an_element_full():
    x = torch.randn(1, 1, 8, 8) + 0.3 * torch.randn(800, 1, 8, 8)  # all drawn alike, and no mirror image of it
    mirror = IMAGES["mirror_left_right"]
    assert not closure_of_element(x, mirror, steps=1, seed=0)["can_learn"]
    assert closure_of_element(x, mirror, steps=60, seed=0)["p"] < 0.01
    alike = x + x.flip(-1)
    assert closure_of_element(alike, mirror, steps=1, seed=0)["can_learn"]
