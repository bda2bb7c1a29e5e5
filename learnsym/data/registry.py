"""The data sets that can be loaded by name; add a `Source` here or at run time."""

from __future__ import annotations

from learnsym._places import check_known
from learnsym.data.adrenal import ADRENAL
from learnsym.data.bumps import BLOBS
from learnsym.data.camvid import CAMVID
from learnsym.data.cifar import CIFAR10, CIFAR10_JPEG
from learnsym.data.digits import DIGITS
from learnsym.data.double_digits import DOUBLE_DIGITS
from learnsym.data.dynamics import SOURCES as DYNAMICS
from learnsym.data.figures import TWO_FIGURES
from learnsym.data.idx import FASHION_MNIST, MNIST
from learnsym.data.molecules import SOURCES as MOLECULES
from learnsym.data.motion import SOURCES as MOTION
from learnsym.data.processes import SOURCES as PROCESSES
from learnsym.data.rigid_bodies import SOURCES as RIGID_BODIES
from learnsym.data.source import Source
from learnsym.data.spherical import SPHERICAL
from learnsym.data.worlds import SOURCES as WORLDS

registry: dict[str, Source] = {
    source.name: source
    for source in (
        *(DIGITS, MNIST, FASHION_MNIST, CIFAR10, CIFAR10_JPEG, CAMVID, TWO_FIGURES, BLOBS, ADRENAL),
        *DOUBLE_DIGITS,
        *SPHERICAL,
        *DYNAMICS,
        *MOTION,
        *MOLECULES,
        *RIGID_BODIES,
        *PROCESSES,
        *WORLDS,
    )
}


def source_by_name(name: str) -> Source:
    """The source called `name`.

    Raises:
        ValueError: when there is none; lists the names.
    """
    check_known(name, registry)
    return registry[name]
