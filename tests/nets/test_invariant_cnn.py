"""Laws of the invariant classifier: invariance of the whole network, its plain twin, pruning."""

import pytest
import torch

import learnsym as ls
from learnsym import equivariant as eq
from learnsym.nets import InvariantCNN

C, D = ls.groups.Cyclic, ls.groups.Dihedral
INTEGRANDS = {
    "pool": None,
    "monomials": lambda t: eq.Monomials(t, count=4),
    "sums": lambda t: eq.WeightedSums(t, 8),
    "mlp": lambda t: eq.PointwiseMLP(t, 8),
}


def make(group, integrand):
    net = InvariantCNN(group, 2, 3, fields=3, integrand=INTEGRANDS[integrand], depth=3, pools=2).double()
    x = torch.rand(4, 2, 16, 16, dtype=torch.float64)
    net.train()(x)  # running statistics of the normalisation
    return net, x


@pytest.mark.parametrize("integrand", INTEGRANDS)
@pytest.mark.parametrize("group", [C(1), C(4), D(1), D(2), D(4), C(8), D(8)], ids=str)
def test_invariant_whole(group, integrand):
    net, x = make(group, integrand)
    for mode in (True, False):
        y = net.train(mode)(x)
        for g in group.components:
            if bool(D(4).contains(g)):
                moved = ls.actions.warp(x, g.expand(4, 2, 2).contiguous())
                assert float((net(moved) - y).detach().abs().max()) <= 1e-10


@pytest.mark.parametrize("integrand", INTEGRANDS)
def test_plain_twin_and_gradients(integrand):
    net, x = make(D(4), integrand)
    torch.nn.functional.cross_entropy(net(x), torch.tensor([0, 1, 2, 0])).backward()
    assert all(float(p.grad.abs().sum()) > 0 for p in net.parameters())
    plain = ls.relax.plain_twin(net.eval())
    torch.testing.assert_close(plain(x), net(x), atol=1e-9, rtol=1e-9)


def test_pruned_keeps_the_monomials_with_the_largest_weights():
    net, x = make(C(4), "monomials")
    net.eval().head.weight.data.unflatten(1, (3, 4))[:, :, [0, 2]] = 0
    few = net.pruned(2)
    assert few.invariants.integrand.count == 2
    torch.testing.assert_close(few(x), net(x), atol=1e-9, rtol=1e-9)
    with pytest.raises(ValueError, match="count"):
        net.pruned(5)
