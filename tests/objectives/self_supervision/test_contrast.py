"""Laws of contrast modulo a group: identities of similarities to 1e-10, limits, a learned law of poses."""

import copy
import math
import pickle

import pytest
import torch
import torch.nn.functional as F

import learnsym as ls
from learnsym.equivariant import FieldType
from learnsym.objectives import InvariantContrast, LearnedPoses, RandomViews, pose_scores
from learnsym.objectives.self_supervision import SIMILARITIES, equivariant_perceptron, log_mean_exp
from tests.reference.pose_similarity import slow_scores

GROUPS = [ls.groups.Cyclic(4), ls.groups.Cyclic(5), ls.groups.Dihedral(4), ls.groups.Dihedral(3)]
TIGHT = {"rtol": 1e-10, "atol": 1e-10}


def features(group, count=3):
    shape = count, 2 * len(group.components)
    return (F.normalize(torch.randn(shape, dtype=torch.float64), dim=1) for _ in range(2))


def moved(group, g, z):
    return FieldType.regular(group, 2).mix(g, z)


@pytest.mark.parametrize("group", GROUPS)
def test_scores_are_those_of_the_matrices(group):
    z, w = features(group)
    torch.testing.assert_close(pose_scores(group, z, w), slow_scores(group, z, w), **TIGHT)


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("name", ["mean", "max", "lse"])
def test_similarities_do_not_change_when_views_are_moved_apart(group, name):
    z, w = features(group)
    g, h = (group.haar(3, dtype=torch.float64) for _ in range(2))
    before = SIMILARITIES[name](pose_scores(group, z, w), 0.1)
    after = SIMILARITIES[name](pose_scores(group, moved(group, g, z), moved(group, h, w)), 0.1)
    torch.testing.assert_close(after, before, **TIGHT)


@pytest.mark.parametrize("group", GROUPS)
def test_the_plain_similarity_changes(group):
    z, w = features(group)
    g = group.components[1].expand(3, 2, 2)
    after = SIMILARITIES["plain"](pose_scores(group, moved(group, g, z), w), 0.1)
    assert not torch.allclose(after, z @ w.mT)
    torch.testing.assert_close(SIMILARITIES["plain"](pose_scores(group, z, w), 0.1), z @ w.mT, **TIGHT)


@pytest.mark.parametrize("group", GROUPS)
def test_the_mean_over_the_group_is_the_product_of_means(group):
    z, w = features(group)
    means = [v.unflatten(1, (2, -1)).mean(2, keepdim=True).expand(-1, -1, len(group.components)) for v in (z, w)]
    ours = SIMILARITIES["mean"](pose_scores(group, z, w), 0.1)
    torch.testing.assert_close(ours, means[0].flatten(1) @ means[1].flatten(1).mT, **TIGHT)


@pytest.mark.parametrize("group", GROUPS)
def test_limits_of_the_pose_temperature(group):
    scores = pose_scores(group, *features(group))
    order = len(group.components)
    cold, hot = log_mean_exp(scores, 1e-12), log_mean_exp(scores, 1e7)
    torch.testing.assert_close(cold, scores.amax(-1), **TIGHT)
    torch.testing.assert_close(hot, scores.mean(-1), rtol=1e-6, atol=1e-6)
    # and what lies between: max - τ log |G| <= s_lse <= max, mean <= s_lse
    between = log_mean_exp(scores, 0.3)
    assert bool((between <= scores.amax(-1)).all() and (between >= scores.mean(-1)).all())
    assert bool((between >= scores.amax(-1) - 0.3 * math.log(order)).all())


@pytest.mark.parametrize("group", GROUPS)
def test_a_law_at_the_identity_is_plain_and_a_uniform_one_is_lse(group):
    scores = pose_scores(group, *features(group))
    poses = LearnedPoses(group, 0.2).double()
    torch.testing.assert_close(poses(scores), log_mean_exp(scores, 0.2), rtol=1e-6, atol=1e-6)
    with torch.no_grad():
        poses.law.logits.zero_()
    torch.testing.assert_close(poses(scores), log_mean_exp(scores, 0.2), **TIGHT)
    with torch.no_grad():
        poses.law.logits[1:] = -1e4
    torch.testing.assert_close(poses(scores), scores[..., 0], **TIGHT)
    assert poses.degrees("loss")[0].estimate == pytest.approx(0, abs=1e-6)


def test_degrees_say_how_far_the_law_is_from_uniform():
    group = ls.groups.Cyclic(4)
    uniform, near = LearnedPoses(group), LearnedPoses(group, init=0.01)
    assert uniform.degrees("loss")[0].estimate == pytest.approx(1, abs=1e-6)
    assert near.degrees("loss")[0].estimate < 0.06
    assert [degree.generator for degree in near.degrees("loss")[1:]] == [f"rotation by {k}" for k in (90, 180, 270)]
    assert {degree.notion for degree in near.degrees("loss")} == {"distribution"}


def contrast(group, similarity, turned=True, fields=2):
    encoder = ls.nets.RegularEncoder(group, 1, fields=fields, depth=2, pools=1)
    between = FieldType.regular(group, 4)
    views = RandomViews(group=group if turned else None)
    objective = InvariantContrast(group, equivariant_perceptron(encoder.out_type, between, 4), views, similarity)
    return ls.nets.OrbitClassifier(encoder, classes=2), objective


@pytest.mark.parametrize("similarity", ["mean", "max", "lse", "plain"])
def test_the_loss_is_that_of_views_moved_apart_unless_the_similarity_is_plain(similarity):
    group = ls.groups.Cyclic(4)
    net, objective = contrast(group, similarity)
    net.double(), objective.double()
    x = torch.rand(6, 1, 16, 16, dtype=torch.float64)
    g, h = (group.haar(6, dtype=torch.float64) for _ in range(2))
    act = ls.actions.Image()
    before = objective.similarities(objective.projected(net, x), objective.projected(net, x.flip(0)))
    after = objective.similarities(objective.projected(net, act(g, x)), objective.projected(net, act(h, x.flip(0))))
    assert torch.allclose(after, before, **TIGHT) == (similarity != "plain")


def test_info_nce_of_equal_similarities_is_log_of_the_batch():
    torch.testing.assert_close(ls.objectives.info_nce(torch.zeros(5, 5)), torch.tensor(math.log(5)))


@pytest.mark.slow
def test_a_law_of_poses_follows_the_views():
    """Views of one pose make the identity likely, turned ones make all poses likely."""
    group = ls.groups.Cyclic(4)
    digits = ls.data.load("digits", config=ls.data.DataConfig(size=16, train=64))
    found = {}
    for turned in (False, True):
        torch.manual_seed(0)
        net, objective = contrast(group, LearnedPoses(group, init=0.5), turned, fields=4)
        batches = ls.data.Batches(digits, 32)
        optimiser = ls.training.OptimiserConfig(lr=3e-3, symmetry_lr=0.1)
        ls.training.fit(ls.nets.OrbitClassifier(net.encoder, 10), objective, batches, steps=40, optimiser=optimiser)
        found[turned] = ls.degrees(objective, root="loss")[0].estimate
    assert found[True] > found[False] + 0.2


def test_objectives_are_copied_pickled_and_restored():
    net, objective = contrast(ls.groups.Dihedral(4), LearnedPoses(ls.groups.Dihedral(4)))
    batch = torch.rand(4, 1, 16, 16), torch.tensor([0, 1, 0, 1])
    twin = pickle.loads(pickle.dumps(copy.deepcopy(objective)))
    twin.load_state_dict(objective.state_dict())
    found = []
    for each in (objective, twin):
        torch.manual_seed(3)
        found.append(each(net, batch).total)
    assert torch.equal(*found)
    found[0].backward()
    assert all(p.grad is not None for p in objective.parameters())


@pytest.mark.parametrize(
    ("make", "start"),
    [
        (lambda: contrast(ls.groups.Cyclic(4), "best"), "similarity: got 'best'"),
        (lambda: LearnedPoses(ls.groups.Cyclic(1)), "group: got C_1"),
        (lambda: LearnedPoses(ls.groups.Cyclic(4), temperature=0.0), "temperature: got 0.0"),
        (lambda: LearnedPoses(ls.groups.Cyclic(4), init=1.5), "init: got 1.5"),
        (lambda: log_mean_exp(torch.rand(2, 4), 0.0), "temperature: got 0.0"),
        (lambda: RandomViews(shift=-1.0), "shift: got -1.0"),
        (lambda: RandomViews(erased=1.0), "erased: got 1.0"),
        (lambda: pose_scores(ls.groups.Cyclic(4), torch.rand(2, 6), torch.rand(2, 6)), "z, w: got 6 and 6"),
    ],
)
def test_bad_input_is_one_sentence(make, start):
    with pytest.raises(ValueError, match=f"^{start}") as error:
        make()
    assert "\n" not in str(error.value)
