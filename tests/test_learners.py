"""Laws of the walk that finds what learns symmetry: each learner once, through wrappers, with the terms it needs."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper
from torch.distributed.fsdp import FullyShardedDataParallel
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel

import learnsym as ls
from learnsym.augment import Augmented
from learnsym.equivariant import EquivariantLinear, FieldType
from learnsym.learners import learners, needed_terms, symmetry_parameters, unwrapped
from learnsym.objectives import Augerino, Bilevel, Probabilistic, WithPrior, cross_entropy
from learnsym.relax import ProbabilisticSteerableConv, ResidualPathway

GROUP = ls.groups.Cyclic(4)


def augmented(net):
    return Augmented(net, ls.symmetry_by_name("rotation2d"))


def probabilistic():
    """A learned distribution of inputs around a layer with a learned likelihood."""
    conv = ProbabilisticSteerableConv(FieldType.trivial(GROUP, 1), FieldType.trivial(GROUP, 3), 3, padding=1)
    return augmented(nn.Sequential(conv, nn.AdaptiveAvgPool2d(1), nn.Flatten()))


def with_pathway():
    """A learned distribution of inputs around a layer with a residual pathway."""
    fields = FieldType.regular(GROUP, 4)
    return augmented(nn.Sequential(nn.Flatten(), ResidualPathway(EquivariantLinear(fields, fields))))


def batch(count=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 1, 4, 4, generator=generator), torch.arange(count) % 3


WRAPPERS = {
    "DataParallel": nn.DataParallel,
    "AveragedModel": AveragedModel,
    "compile": lambda model: torch.compile(model, backend="eager"),
    "two of them": lambda model: nn.DataParallel(torch.compile(model, backend="eager")),
    "average of compiled": lambda model: AveragedModel(torch.compile(model, backend="eager")),
    "checkpoint": checkpoint_wrapper,
    "inside": lambda model: with_inner(model, lambda net: torch.compile(net, backend="eager")),
    "layer inside": lambda model: with_inner(model, lambda net: nn.Sequential(checkpoint_wrapper(net[0]), *net[1:])),
    "in place": lambda model: with_inner(model, lambda net: compiled_in_place(net)),
}


def with_inner(model, wrap):
    """The same learner around a wrapped network."""
    model.net = wrap(model.net)
    return model


def compiled_in_place(net):
    net.compile(backend="eager")
    return net


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_wrappers_are_looked_through(wrapper):
    model = probabilistic()
    alone = ls.degrees(model)
    wrapped = WRAPPERS[wrapper](model)
    found = ls.degrees(wrapped)
    assert found == alone
    assert [degree.site for degree in found] == ["input", "layer:net.0"]
    assert len(symmetry_parameters(wrapped)) == len(symmetry_parameters(model))
    assert isinstance(unwrapped(wrapped), Augmented)


@pytest.fixture
def process_group(tmp_path):
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize("wrap", [DistributedDataParallel, FullyShardedDataParallel])
def test_wrappers_of_processes_are_looked_through(process_group, wrap):
    model = probabilistic()
    sites = [degree.site for degree in ls.degrees(model)]
    options = {"device_id": torch.device("cpu")} if wrap is FullyShardedDataParallel else {}
    assert [degree.site for degree in ls.degrees(wrap(model, **options))] == sites == ["input", "layer:net.0"]


def test_a_learner_at_two_paths_is_named_once():
    fields = FieldType.trivial(GROUP, 1)
    conv = ProbabilisticSteerableConv(fields, fields, 3, padding=1)
    model = nn.Sequential(conv, nn.ReLU(), nn.Sequential(conv))
    assert [site for site, _ in learners(model)] == ["layer:0"]
    assert [degree.site for degree in ls.degrees(model)] == ["layer:0"]


def test_what_lies_inside_of_a_learner_is_named_too():
    model = probabilistic()
    assert [degree.site for degree in ls.degrees(model)] == ["input", "layer:net.0"]
    assert needed_terms(model) == {"reward": "input", "alignment": "layer:net.0", "divergence": "layer:net.0"}
    owned = {id(p) for p in (*model.distribution.parameters(), *model.net[0].likelihoods.parameters())}
    assert {id(p) for p in symmetry_parameters(model)} == owned


def test_a_module_of_your_own_needs_degrees_alone():
    class Own(nn.Linear):
        def degrees(self, site):
            own = {"group": "own", "generator": "all", "unit": "1", "notion": "task", "method": "own"}
            return [ls.Degree(site=site, estimate=0.5, **own)]

    model = nn.Sequential(Own(2, 2))
    assert [degree.site for degree in ls.degrees(model)] == ["layer:0"]
    assert symmetry_parameters(model) == [] and needed_terms(model) == {}


def test_every_objective_has_the_terms_that_all_learners_need():
    model = probabilistic()
    augerino, layers = Augerino(cross_entropy), Probabilistic(cross_entropy)
    assert {"regulariser", "align", "kl_previous", "kl_uniform"} <= set(augerino(model, batch()).parts)
    assert {"regulariser", "align", "kl_previous", "kl_uniform", "prior"} <= set(layers(model, batch()).parts)
    for objective in (augerino, layers):
        model.zero_grad()
        objective(model, batch()).total.backward()
        assert all(p.grad is not None and bool(p.grad.any()) for p in model.distribution.parameters())


def test_held_out_examples_alone_choose_likelihoods_and_widths():
    def gradients(trained, held_out):
        torch.manual_seed(0)
        model = probabilistic()
        torch.manual_seed(0)
        Bilevel(Probabilistic(cross_entropy), held_out, batch_size=5)(model, trained).total.backward()
        chosen = {id(p) for p in symmetry_parameters(model)}
        grads = [(id(p) in chosen, p.grad) for p in model.parameters()]
        return [torch.cat([grad.flatten() for own, grad in grads if own is which]) for which in (True, False)]

    relabelled = lambda examples: (examples[0], 0 * examples[1])  # noqa: E731
    chosen, trained = gradients(batch(), batch(9, 1))
    same, other_trained = gradients(relabelled(batch()), batch(9, 1))
    other, same_trained = gradients(batch(), relabelled(batch(9, 1)))
    assert torch.equal(chosen, same) and not torch.allclose(chosen, other)
    assert torch.equal(trained, same_trained) and not torch.allclose(trained, other_trained)


def test_a_term_without_a_usual_weight_is_asked_for():
    with pytest.raises(ValueError, match=r"layer:net\.1.* is held by a prior.*WithPrior") as error:
        Augerino(cross_entropy)(with_pathway(), batch())
    assert "\n" not in str(error.value)
    assert {"prior", "regulariser"} <= set(WithPrior(cross_entropy, examples=6)(with_pathway(), batch()).parts)


def test_remul_names_the_site_that_it_is_asked_for():
    candidate = ls.objectives.Candidate(symmetry=ls.symmetry_by_name("rotation2d"))
    weights = ls.objectives.DualAscent(["SO(2)"], 0.1)
    objective = ls.objectives.Remul(cross_entropy, candidate, weights)
    assert [degree.site for degree in objective.degrees("elsewhere")] == ["elsewhere"]
    assert [degree.site for degree in ls.degrees(objective, root="loss")] == ["loss"]


def test_distributions_over_another_group_of_the_same_name_are_refused():
    turn, shear = torch.tensor([[[0.0, -1.0], [1.0, 0.0]]]), torch.tensor([[[0.0, 1.0], [0.0, 0.0]]])
    groups = [ls.groups.CustomGroup(algebra, names=["a"]) for algebra in (turn, shear)]
    assert groups[0].name == groups[1].name
    symmetry = ls.Symmetry(groups[0], ls.actions.Invariant(), ls.actions.Invariant())
    law = ls.distributions.LearnableNormal(groups[1], 0.1)
    with pytest.raises(ValueError, match=r"distribution: is over .* another one; make the distribution from"):
        Augmented(nn.Flatten(), symmetry, law)
