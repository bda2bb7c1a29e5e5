"""Attention to a context: each weight by its definition, pair by pair."""

from __future__ import annotations

import pytest
import torch

from learnsym.nets.processes.attention import ContextAttention

B, Q, N, H, D = 2, 3, 4, 2, 3


def _taken(net: ContextAttention, queries, context, mask, differences):
    """Every pair by itself."""
    found = torch.zeros(B, Q, H * D, dtype=torch.double)
    q, k, v = net.query(queries), net.key(context), net.value(context)
    for b in range(B):
        for i in range(Q):
            present = [n for n in range(N) if mask[b, n]]
            scores = {}
            for n in present:
                dots = (q[b, i] * k[b, n]).reshape(H, D).sum(1) / D**0.5
                pair = torch.cat([dots, differences[b, :, i, n]])
                scores[n] = (net.scores(pair) if net.scores is not None else dots).exp()
            whole = 1 + sum(scores.values())
            for n in present:
                found[b, i] += (scores[n] / whole).repeat_interleave(D) * v[b, n]
    return net.out(found)


@pytest.mark.parametrize("dim", [0, 1, 2])
def test_attention_is_its_definition(dim):
    torch.manual_seed(0)
    net = ContextAttention(H * D, H, dim).double()
    queries, context = torch.randn(B, Q, H * D, dtype=torch.double), torch.randn(B, N, H * D, dtype=torch.double)
    mask = torch.tensor([[1.0, 0, 1, 1], [0, 0, 0, 0]], dtype=torch.double)
    differences = torch.randn(B, dim, Q, N, dtype=torch.double)
    expected = _taken(net, queries, context, mask, differences)
    torch.testing.assert_close(net(queries, context, mask, differences), expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(expected[1], net.out.bias.expand(Q, -1))


def test_what_is_not_there_may_be_anything():
    torch.manual_seed(0)
    net = ContextAttention(H * D, H, 1).double()
    queries, context = torch.randn(B, Q, H * D, dtype=torch.double), torch.randn(B, N, H * D, dtype=torch.double)
    mask, differences = torch.ones(B, N, dtype=torch.double), torch.randn(B, 1, Q, N, dtype=torch.double)
    mask[0, 1] = 0
    before = net(queries, context, mask, differences)
    differences[0, :, :, 1] = float("nan")
    assert torch.equal(net(queries, context, mask, differences), before)
