"""The slow twin of G(3,0,1): 16 components in any order, products from sorting the factors of basis blades.

Components are in the order of `BLADES`: four scalars, then x, y, z of four vectors. e0 squares to 0, others to 1.
"""

import itertools

import torch

PLANES = ((2, 3), (3, 1), (1, 2))
BLADES = (
    *((), (1, 2, 3), (0,), (0, 1, 2, 3)),
    *((i,) for i in (1, 2, 3)),
    *PLANES,
    *((0, i) for i in (1, 2, 3)),
    *((0, *plane) for plane in PLANES),
)


def sort(factors):
    """Sign and sorted factors of a product of basis vectors: neighbours out of order exchange places and signs."""
    factors, sign = list(factors), 1
    for _ in factors:
        for k in range(len(factors) - 1):
            if factors[k] > factors[k + 1]:
                factors[k], factors[k + 1], sign = factors[k + 1], factors[k], -sign
    return sign, factors


def reduce(factors):
    """Coefficient and factors after equal neighbours are replaced by their squares."""
    sign, factors = sort(factors)
    for k in range(len(factors) - 1):
        if factors[k] == factors[k + 1]:
            square = 0 if factors[k] == 0 else 1
            more, rest = reduce(factors[:k] + factors[k + 2 :])
            return sign * square * more, rest
    return sign, factors


def coefficient(factors):
    """Index among `BLADES` and coefficient of a product of basis vectors."""
    sign, factors = reduce(factors)
    for index, blade in enumerate(BLADES):
        order, found = sort(blade)
        if found == factors:
            return index, sign * order
    raise AssertionError(factors)


def table(exterior=False):
    """`z_k = table[i, j, k] x_i y_j`; the exterior product has no squares."""
    found = torch.zeros(16, 16, 16, dtype=torch.float64)
    for i, j in itertools.product(range(16), repeat=2):
        if not (exterior and set(BLADES[i]) & set(BLADES[j])):
            k, value = coefficient(BLADES[i] + BLADES[j])
            found[i, j, k] = value
    return found


PRODUCT, WEDGE = table(), table(exterior=True)


def product(x, y):
    return torch.einsum("...i,...j,ijk->...k", x, y, PRODUCT)


def wedge(x, y):
    return torch.einsum("...i,...j,ijk->...k", x, y, WEDGE)


def dual_matrix():
    """Blade `u_i` to the blade `d` with `u_i ∧ d = e0123`."""
    found = torch.zeros(16, 16, dtype=torch.float64)
    for i, j in itertools.product(range(16), repeat=2):
        found[j, i] = WEDGE[i, j, 3]
    return found


def dual(x):
    return x @ dual_matrix().T


def join(x, y):
    return wedge(dual(x), dual(y)) @ dual_matrix()


def sandwich(mirrors, x):
    """`u x u^-1` for a product `u` of mirrors `(normal, distance)`, planes `n·x = d`."""
    for normal, distance in mirrors:
        u = torch.zeros(16, dtype=torch.float64)
        u[4:7], u[2] = normal / normal.norm(), distance
        # u u = 1
        x = product(product(u, x), u)
    return x


def action(mirrors):
    """The matrix `(16, 16)` of `sandwich`."""
    return sandwich(mirrors, torch.eye(16, dtype=torch.float64)).T


def motion(mirrors):
    """What the mirrors do to points: matrix and shift, `x -> x - 2 (n·x - d) n` each."""
    matrix, shift = torch.eye(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    for normal, distance in mirrors:
        n = normal / normal.norm()
        mirror = torch.eye(3, dtype=torch.float64) - 2 * torch.outer(n, n)
        matrix, shift = mirror @ matrix, mirror @ shift + 2 * distance * n
    return matrix, shift


def components(scalars, vectors):
    """`(4, C, T)` and `(4, C, 3, T)` of the library to `(T, C, 16)`."""
    return torch.cat([scalars.permute(2, 1, 0), vectors.permute(3, 1, 0, 2).flatten(2)], 2)


def parts(x):
    """The inverse of `components`."""
    return x[..., :4].permute(2, 1, 0), x[..., 4:].unflatten(2, (4, 3)).permute(2, 1, 3, 0)
