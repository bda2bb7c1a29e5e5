"""Implicit hypergradients: the Neumann series is a polynomial in the Hessian, and the gradient that of the solution."""

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.objectives import Bilevel, ImplicitBilevel, Regularised, Supervised, mse
from learnsym.objectives.choosers import ImplicitHeldOutLoss, neumann_solve
from learnsym.objectives.terms import Sharing
from learnsym.relax.sharing import Assignment, SharedLinear, SharedWeight


def quadratic(size=4):
    root = torch.randn(size, size, dtype=torch.float64)
    H = root @ root.mT / size + 0.2 * torch.eye(size, dtype=torch.float64)
    w = torch.randn(size, dtype=torch.float64, requires_grad=True)
    gradient = torch.autograd.grad(0.5 * w @ H @ w, w, create_graph=True)
    return H, w, gradient


@pytest.mark.parametrize("order", [0, 1, 7])
def test_the_series_is_its_polynomial_with_the_step_in_front(order):
    H, w, gradient = quadratic()
    v, step = torch.randn(4, dtype=torch.float64), 0.1
    expected = step * sum(torch.linalg.matrix_power(torch.eye(4) - step * H, j) @ v for j in range(order + 1))
    torch.testing.assert_close(neumann_solve(gradient, [w], [v], order, step)[0], expected)


def test_the_series_goes_to_the_inverse():
    H, w, gradient = quadratic()
    v = torch.randn(4, dtype=torch.float64)
    step = 1 / float(torch.linalg.eigvalsh(H).max())
    torch.testing.assert_close(neumann_solve(gradient, [w], [v], 3000, step)[0], torch.linalg.solve(H, v))


class Ridge(nn.Module):
    """A linear model with a learned penalty on its weights, which the held-out loss does not see."""

    def __init__(self, size):
        super().__init__()
        self.w, self.log_rate = nn.Parameter(torch.randn(size)), nn.Parameter(torch.tensor(-1.0))

    def forward(self, x):
        return x @ self.w

    def degrees(self, site):
        return []

    def symmetry_parameters(self):
        return [self.log_rate]


class Penalised:
    """The squared error; in training with the penalty."""

    def __call__(self, model, batch):
        loss = Supervised(mse)(model, batch)
        if model.training:
            penalty = model.log_rate.exp() * model.w.square().sum()
            return type(loss)(loss.total + penalty, loss.parts)
        return loss


def solution(x, y, log_rate):
    count, size = x.shape
    eye = torch.eye(size, dtype=x.dtype)
    return torch.linalg.solve(x.mT @ x / count + log_rate.exp() * eye, x.mT @ y / count)


def test_the_hypergradient_is_the_derivative_of_the_held_out_loss_of_the_solution():
    torch.set_default_dtype(torch.float64)
    try:
        x, y, held_x, held_y = torch.randn(20, 3), torch.randn(20), torch.randn(1, 3), torch.randn(1)
        model = Ridge(3)
        log_rate = model.log_rate.detach().clone().requires_grad_()
        (held_x @ solution(x, y, log_rate) - held_y).square().mean().backward()
        with torch.no_grad():
            model.w.copy_(solution(x, y, model.log_rate))
        objective = ImplicitBilevel(Penalised(), (held_x, held_y), batch_size=1, order=400, step=0.3)
        objective(model, (x, y)).total.backward()
        assert float(model.log_rate.grad) == pytest.approx(float(log_rate.grad), rel=1e-6)
        assert float(model.w.grad.abs().max()) < 1e-12
        model.zero_grad()
        Bilevel(Penalised(), (held_x, held_y))(model, (x, y)).total.backward()
        # the first order sees nothing where the held-out loss does not depend on the parameter
        assert model.log_rate.grad is None or float(model.log_rate.grad) == 0
    finally:
        torch.set_default_dtype(torch.float32)


def test_both_levels_have_the_gradients_of_their_own():
    net, x, y = SharedLinear(3, 2), torch.randn(12, 3), torch.randn(12, 2)
    base = Regularised(Supervised(mse), [Sharing()])
    loss = ImplicitBilevel(base, (x, y), order=0, step=1e-12)(net, (x, y))
    loss.total.backward()
    of_psi = net.shared.psi.grad.clone()
    net.zero_grad()
    trained = base(net, (x, y))
    trained.total.backward()
    torch.testing.assert_close(of_psi, net.shared.psi.grad)
    assert sorted(loss.parts) == ["held_out", "sharing", "task"]


def test_evaluation_has_the_objective_itself():
    net, batch = SharedLinear(3, 2).eval(), (torch.randn(4, 3), torch.randn(4, 2))
    base = Regularised(Supervised(mse), [Sharing()])
    assert torch.equal(ImplicitBilevel(base, batch)(net, batch).total, base(net, batch).total)


def test_equal_weights_are_found_by_a_network_that_may_tell_positions_apart():
    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = SharedWeight(Assignment(3), (1,))

        def forward(self, x):
            return x @ self.weight()[:, 0]

    x = torch.randn(200, 3)
    y = x @ torch.tensor([2.0, -1.0, 2.0]) + 0.1 * torch.randn(200)
    net, base = Sum(), Regularised(Supervised(mse), [Sharing(0.05)])
    objective = ImplicitBilevel(base, (x[100:], y[100:]), batch_size=100, order=5, step=0.2)
    optimiser = ls.training.OptimiserConfig(lr=0.1, symmetry_lr=0.2)
    ls.training.fit(net, objective, [(x[:100], y[:100])], steps=80, optimiser=optimiser)
    assert net.weight.assignment.labels().tolist() == [0, 1, 0]


@pytest.mark.parametrize(("settings", "name"), [({"order": -1}, "order"), ({"step": 0.0}, "step")])
def test_bad_settings_are_one_sentence(settings, name):
    with pytest.raises(ValueError, match=rf"^{name}: got"):
        ImplicitBilevel(Supervised(mse), None, **settings)
    with pytest.raises(ValueError, match=rf"^chooser\.{name}: got"):
        ImplicitHeldOutLoss(**settings)


def test_what_is_missing_is_named():
    batch = torch.randn(4, 3), torch.randn(4, 2)
    with pytest.raises(ValueError, match=r"^model: Linear has no symmetry parameters"):
        ImplicitBilevel(Supervised(mse), batch)(nn.Linear(3, 2), batch)
    with pytest.raises(ValueError, match=r"^held_out: got None"):
        ImplicitHeldOutLoss().over(Regularised(Supervised(mse)), None)(SharedLinear(3, 2), batch)


def test_several_processes_are_refused(monkeypatch):
    monkeypatch.setattr("learnsym.objectives.choosers.implicit.processes", lambda: 2)
    with pytest.raises(ValueError, match="implicit in several processes"):
        ImplicitBilevel(Supervised(mse), (torch.rand(9, 3), torch.rand(9, 1)))
