"""The slow, obvious twin of the simulators: one trajectory at a time, all ordered pairs, one step after the other."""

import numpy as np


def march(x, v, pull, steps, dt=1e-3):
    """Positions and velocities `(N, 3)` after each of `steps` steps of `v += dt a`, `x += dt v`."""
    x, v = x.copy(), v.copy()
    found = []
    for _ in range(steps):
        v += dt * pull(x, v)
        x += dt * v
        found.append((x.copy(), v.copy()))
    return found


def charged(q, limit=100.0, softening=1e-6, field=None):
    """Accelerations of charges `(N,)`, each component of the force within ±limit; None for no limit."""

    def pull(x, v):
        difference = x[:, None] - x[None]
        cube = ((difference**2).sum(-1) + softening) ** 1.5
        np.fill_diagonal(cube, 1.0)
        force = (np.outer(q, q)[..., None] * difference / cube[..., None]).sum(1)
        if field is not None:
            force = force + field(x, v)
        return force if limit is None else np.clip(force, -limit, limit)

    return pull


def gravity(m):
    """Accelerations of masses `(N,)`."""

    def pull(x, v):
        a = np.zeros_like(x)
        for i in range(len(m)):
            for j in range(len(m)):
                if i != j:
                    a[i] += m[j] * (x[j] - x[i]) / np.linalg.norm(x[j] - x[i]) ** 3
        return a

    return pull


def springs(hooks, constant=0.1):
    """Accelerations of bodies of which those with a hook `(N,)` pull at each other."""

    def pull(x, v):
        return sum(constant * (hooks * hooks[j])[:, None] * (x[j] - x) for j in range(len(x)))

    return pull
