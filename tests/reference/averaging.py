"""The slow twin of `Augmented` and `OrbitAveraged`: one example and one element at a time."""

import torch


def averaged(net, symmetry, elements, x, average):
    """`elements` `(S, B, n, n)`; the same result as the batched code."""
    outputs = []
    for copy in elements:
        rows = []
        for g, example in zip(copy, x, strict=True):
            moved = symmetry.on_input(g[None], example[None])
            rows.append(symmetry.on_output(symmetry.group.inverse(g[None]), net(moved)))
        outputs.append(torch.cat(rows))
    return average(torch.stack(outputs))
