"""Values of sites are summed in one pass over them, however many there are."""

from __future__ import annotations

import torch

from learnsym.measure.lie.attribution import _by_site


class Name(str):
    """A name that counts how often it is compared with another."""

    compared = 0

    def __eq__(self, other):
        Name.compared += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def _parts(count: int) -> list[tuple[list[str], torch.Tensor]]:
    """Two batches, in which every second site is reached twice."""
    sites: list[str] = [Name(f"layer {k // 2 if k % 4 < 2 else k}") for k in range(count)]
    generator = torch.Generator().manual_seed(0)
    return [(sites, torch.rand(count, batch, generator=generator, dtype=torch.float64)) for batch in (3, 2)]


def test_sums_are_those_of_each_site():
    parts = _parts(24)
    found = _by_site(parts)
    assert list(found) == list(dict.fromkeys(parts[0][0]))
    for name, values in found.items():
        slow = [rows[[k for k, site in enumerate(sites) if site == name]].sum(0) for sites, rows in parts]
        torch.testing.assert_close(values, torch.cat(slow))


def test_a_site_that_is_reached_in_one_batch_alone_has_zeros_in_the_others():
    found = _by_site([(["a"], torch.ones(1, 2)), (["b", "b"], torch.ones(2, 1))])
    assert {name: values.tolist() for name, values in found.items()} == {"a": [1.0, 1.0, 0.0], "b": [0.0, 0.0, 2.0]}


def test_comparisons_grow_as_the_number_of_sites():
    counts = []
    for count in (100, 800):
        parts = _parts(count)
        Name.compared = 0
        _by_site(parts)
        counts.append(Name.compared)
    assert counts[1] < 10 * max(counts[0], 100)
