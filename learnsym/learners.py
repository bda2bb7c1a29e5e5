"""The protocol of whatever learns symmetry, and the walks that find such modules in a model."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, cast

from learnsym.degrees import Degree

if TYPE_CHECKING:
    from torch import nn

INNER = ("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")
"""Names of the module inside of what `torch.compile`, FSDP and activation checkpointing make."""


class Learner(Protocol):
    """A module that learns symmetry: it says how much, with which parameters, and what holds it to its symmetry.

    Only `degrees` is needed of a module of your own. A class attribute `answers_for` names the children whose degrees
    are among its own; all other children are asked for themselves.
    """

    answers_for: tuple[str, ...]

    def degrees(self, site: str) -> list[Degree]:
        """What was learned, at a site that the walk names: `input`, `layer:<module path>` or `loss`."""
        ...

    def symmetry_parameters(self) -> list[nn.Parameter]:
        """The parameters that say how much symmetry holds: what a chooser acts on."""
        ...

    def terms(self) -> tuple[str, ...]:
        """Kinds of terms that hold it to its symmetry, by their names in `objectives.terms`; an objective adds them."""
        ...


def learners(module: nn.Module, root: str = "input") -> Iterator[tuple[str, Any]]:
    """Every module with a method `degrees`, each once, with its site: a learner and what lies inside it.

    Args:
        module: any module.
        root: site of the module itself; a learner inside of it has the site `layer:<path>`.
    """
    seen: set[int] = set()
    waiting: list[tuple[str, nn.Module]] = [("", module)]
    while waiting:
        path, part = waiting.pop()
        part = unwrapped(part)
        if id(part) in seen:
            continue
        seen.add(id(part))
        # asked of the class: a module that lacks an attribute takes long to say so
        answered = ()
        if _has(part, "degrees"):
            yield f"layer:{path}" if path else root, part
            answered = getattr(type(part), "answers_for", ())
        children = [(name, child) for name, child in part.named_children() if name not in answered]
        waiting += [(f"{path}.{name}" if path else name, child) for name, child in reversed(children)]


def degrees(module: nn.Module | Learner, root: str = "input") -> list[Degree]:
    """All degrees in a model: walks the module tree and asks each module that has a method `degrees(site)`.

    A module directly in charge of inputs gives the site `input`; a learner inside a network gives `layer:<path>`. What
    lies inside of a learner is asked too, except for the children that it names in `answers_for`.

    Args:
        module: any module; wrappers such as `DataParallel` and `torch.compile` are looked through. Or what has degrees
            and is no module, such as `posterior.DegreePosterior`.
        root: site of the module itself.

    Example:
        >>> fields = ls.equivariant.FieldType.trivial(ls.groups.Cyclic(4), 1)
        >>> net = nn.Sequential(ls.relax.ProbabilisticSteerableConv(fields, fields, 3, padding=1))
        >>> model = ls.augment.Augmented(net, ls.symmetry_by_name("rotation2d"))
        >>> [degree.site for degree in ls.degrees(model)]
        ['input', 'layer:net.0']
    """
    if not _has(module, "named_children"):
        return cast("Learner", module).degrees(root)
    return [degree for site, learner in learners(cast("nn.Module", module), root) for degree in learner.degrees(site)]


def symmetry_parameters(module: nn.Module) -> list[nn.Parameter]:
    """The parameters of all learners in a model that say how much symmetry holds, each once."""
    chosen = [learner for _, learner in learners(module) if _has(learner, "symmetry_parameters")]
    answers = [learner.symmetry_parameters() for learner in chosen]
    return list({id(p): p for answer in answers for p in answer}.values())


def needed_terms(module: nn.Module) -> dict[str, str]:
    """Kinds of terms that the learners in a model need, each with the site of the first learner that needs it."""
    needed: dict[str, str] = {}
    for site, learner in learners(module):
        for kind in learner.terms() if _has(learner, "terms") else ():
            needed.setdefault(kind, site)
    return needed


def unwrapped(module: nn.Module) -> nn.Module:
    """The module inside of data parallelism, `AveragedModel`, `torch.compile`, FSDP and activation checkpointing."""
    while (name := _inner(module)) is not None:
        module = module.get_submodule(name)
    return module


@cache
def _wrappers() -> tuple[type[nn.Module], ...]:
    """Modules that are the one they hold, as far as symmetry goes; `import learnsym` does not wait for torch."""
    from torch import nn
    from torch.nn.parallel import DistributedDataParallel
    from torch.optim.swa_utils import AveragedModel

    return nn.DataParallel, DistributedDataParallel, AveragedModel


def _inner(module: nn.Module) -> str | None:
    if isinstance(module, _wrappers()):
        return "module"
    return next((name for name in INNER if name in module._modules), None)


def _has(module: object, method: str) -> bool:
    return callable(getattr(type(module), method, None))


def over_elements(module: nn.Module) -> set[int]:
    """Identities of the parameters that modules with the mark `over_elements` own: laws of group elements."""
    return {id(p) for m in module.modules() if getattr(m, "over_elements", False) for p in m.parameters()}
