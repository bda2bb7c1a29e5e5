"""Laws of bilevel training: who follows which examples, and what is left as it was."""

import copy

import jaxtyping
import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.augment import Augmented, Plain, equivariant
from learnsym.objectives import Augerino, Bilevel, CoMoved, Segmentation, cross_entropy
from learnsym.objectives.choosers import registry

CLASSES, WEIGHT = 3, 0.3


def examples(count, labels=None):
    y = torch.arange(count) % CLASSES if labels is None else torch.full((count,), labels)
    return torch.rand(count, 1, 12, 12, generator=torch.Generator().manual_seed(count)), y


def augmented(norm="none"):
    torch.manual_seed(1)
    net = ls.nets.CNN(1, CLASSES, width=4, size=12, depth=2, norm=norm)
    return Augmented(net, ls.symmetry_by_name("affine2d"))


def gradients(model, batch, chosen_by, **options):
    """Gradients of the network and of the distribution, with the same random numbers each time."""
    model = copy.deepcopy(model).train()
    torch.manual_seed(0)
    Bilevel(Augerino(cross_entropy, weight=WEIGHT), chosen_by, batch_size=5, **options)(model, batch).total.backward()
    return [torch.cat([p.grad.flatten() for p in part.parameters()]) for part in (model.net, model.distribution)]


def test_weights_follow_the_batch_and_widths_the_held_out_examples():
    model = augmented()
    net, distribution = gradients(model, examples(6), examples(9))
    other_net, same_distribution = gradients(model, examples(6, labels=1), examples(9))
    same_net, other_distribution = gradients(model, examples(6), examples(9, labels=1))
    assert torch.equal(net, same_net)
    assert torch.equal(distribution, same_distribution)
    assert not torch.allclose(net, other_net)
    assert not torch.allclose(distribution, other_distribution)


def test_gradient_of_the_weights_is_that_of_the_objective():
    model, batch = augmented(), examples(6)
    net, _ = gradients(model, batch, examples(9))
    torch.manual_seed(0)
    Augerino(cross_entropy)(model, batch).total.backward()
    torch.testing.assert_close(net, torch.cat([p.grad.flatten() for p in model.net.parameters()]))


def test_gradient_of_the_widths_is_that_of_the_averaged_held_out_loss():
    """Of one held-out example, so that the batch is known, with many copies against the plain estimate."""
    model, (x, y) = augmented(), examples(1)
    _, distribution = gradients(model, examples(6), (x, y), copies=3000)
    model.copies = 3000
    x, y = x.expand(5, -1, -1, -1), y.expand(5)
    Augerino(cross_entropy, weight=WEIGHT)(model, (x, y)).total.backward()
    expected = torch.cat([p.grad.flatten() for p in model.distribution.parameters()])
    torch.testing.assert_close(distribution, expected, rtol=0.05, atol=0.02 * expected.abs().max().item())


def test_what_it_changes_is_put_back():
    model = augmented("batch")
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    norms[0].eval()
    next(model.parameters()).requires_grad_(False)
    modes = [module.training for module in model.modules()]
    asked = [p.requires_grad for p in model.parameters()]
    Bilevel(Augerino(cross_entropy), examples(9), copies=3)(model, examples(6))
    assert modes == [module.training for module in model.modules()]
    assert asked == [p.requires_grad for p in model.parameters()]
    assert model.copies == 1
    assert norms[1].num_batches_tracked == 1  # the held-out pass leaves the statistics alone


def test_in_evaluation_it_is_the_objective_itself():
    loss = Bilevel(Augerino(cross_entropy), examples(9))(augmented().eval(), examples(6))
    assert sorted(loss.parts) == ["regulariser", "task"]


def test_a_model_with_nothing_to_choose_is_refused():
    with pytest.raises(ValueError, match="model: Plain has no symmetry parameters that held-out examples could choose"):
        Bilevel(Augerino(cross_entropy), examples(9))(Plain(augmented().net), examples(6))


def test_label_maps_move_along():
    maps = torch.rand(4, 1, 8, 8), torch.randint(CLASSES, (4, 8, 8))
    symmetry = equivariant(ls.symmetry_by_name("rotation2d"))
    model = Augmented(nn.Conv2d(1, CLASSES, 3, padding=1), symmetry)
    objective = Bilevel(CoMoved(Segmentation(ignore=CLASSES), ls.actions.LabelMap(fill=CLASSES)), maps)
    objective(model, maps).total.backward()
    assert all(p.grad.abs().sum() > 0 for p in model.parameters())


def test_bad_input_is_named(monkeypatch):
    # the type checker would be first to refuse what is no member of a Literal
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    objective = Augerino(cross_entropy)
    with pytest.raises(ValueError, match="batch_size: got 0"):
        Bilevel(objective, examples(9), batch_size=0)
    with pytest.raises(ValueError, match="copies: got 0"):
        Bilevel(objective, examples(9), copies=0)
    with pytest.raises(ValueError, match=r"held_out: got inputs of .*uint8, must be floating"):
        Bilevel(objective, (torch.zeros(4, 1, 8, 8, dtype=torch.uint8), torch.arange(4)))
    for name in ("batch", "copies"):
        with pytest.raises(ValueError, match=f"chooser.{name}: got 0, must be a whole number"):
            registry["validation"](**{name: 0})
    with pytest.raises(ValueError, match="held_out: got None"):
        registry["validation"]().over(objective, None)(augmented(), examples(6))


def test_widths_stay_where_training_alone_would_close_them():
    """A network that can learn nothing keeps its start under validation and loses it under the training loss."""
    torch.manual_seed(0)
    x, y = examples(64)
    noise = x, y[torch.randperm(64)]
    fresh = torch.rand(512, 1, 12, 12), torch.randint(CLASSES, (512,))
    ends = []
    for objective in (Augerino(cross_entropy, weight=0.0), Bilevel(Augerino(cross_entropy, weight=0.0), fresh)):
        torch.manual_seed(0)
        model = Augmented(
            nn.Sequential(nn.Flatten(), nn.Linear(144, 64), nn.ReLU(), nn.Linear(64, 3)),
            ls.symmetry_by_name("rotation2d"),
        )
        optimiser = torch.optim.Adam(model.parameters(), lr=0.02)
        for _ in range(150):
            optimiser.zero_grad()
            objective(model, noise).total.backward()
            optimiser.step()
        ends.append(ls.degrees(model)[0].estimate)
    assert ends[0] < 0.5 * ends[1], ends
