"""Following the rows and columns of an image through a network: every torch function is a site."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch._C import DisableTorchFunction
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakIdKeyDictionary

from learnsym.measure.lie.forward_rules import ForwardRules
from learnsym.measure.lie.layout import Layout
from learnsym.measure.lie.rules import rule_of

logger = logging.getLogger(__name__)

Visit = Callable[[str, Tensor, Layout], Tensor]
"""Called with the name of a site, its result and the layout of the result; returns what the network goes on with."""


Declared = str | Callable[[torch.Size], Layout]
"""The layout of a module's output in the words of `Layout.parse`, or as a function of the output's shape."""


class LayoutTrace(TorchFunctionMode):
    """Runs a network and hands each result whose layout follows from the input's to `visit`.

    Functions are named by the module that calls them: a module without children by its path, functions in the `forward`
    of a container as `path · function`. A result whose layout does not follow is passed on as it is. A module whose
    result has the shape of its input is taken to keep the layout, and listed in `detected`.

    Args:
        model: its modules give the names.
        visit: see `Visit`.
        declared: layouts of the outputs of modules, by path, see `Declared`.
    """

    def __init__(self, model: object, visit: Visit, declared: Mapping[str, Declared]) -> None:
        super().__init__()
        self.visit = visit
        self.declared = declared
        self.detected: dict[str, str] = {}
        self.lost: set[str] = set()
        self.rules = ForwardRules()
        self._layouts: WeakIdKeyDictionary = WeakIdKeyDictionary()
        self._modules = dict(model.named_modules()) if isinstance(model, nn.Module) else {}
        self._open: list[str] = []
        self._handles: list[Any] = []
        unknown = sorted(set(declared) - set(self._modules))
        if unknown:
            raise ValueError(f"layouts: there is no module {unknown[0]!r}; see model.named_modules()")

    def __enter__(self) -> LayoutTrace:
        for path, module in self._modules.items():
            self._handles.append(module.register_forward_pre_hook(self._opening(path)))
            self._handles.append(module.register_forward_hook(self._closing(path), with_kwargs=True, always_call=True))
        super().__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._open.clear()

    def assign(self, t: Tensor, layout: Layout) -> Tensor:
        """The tensor, its layout known from now on."""
        self._layouts[t] = layout
        return t

    def __torch_function__(self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:  # noqa: ANN401
        """Any torch function that the network calls."""
        kwargs = {**(kwargs or {})}
        if kwargs.get("inplace"):
            kwargs["inplace"] = False
        out = self.rules.apply(func, args, kwargs)
        if not self._known(args, kwargs):
            return out
        name = _name(func)
        entry = rule_of(name)
        if entry is None:
            if isinstance(out, Tensor) and out.is_floating_point():
                self.lost.add(self._site(name))
            return out
        rule, rearranges = entry
        if isinstance(out, tuple | list):
            return self._several(rule, rearranges, name, out, args, kwargs)
        if not isinstance(out, Tensor) or not out.is_floating_point():
            return out
        layout = rule(self._layouts, out, args, kwargs)
        if layout is None or layout.shape != tuple(out.shape):
            self.lost.add(self._site(name))
            self._layouts.pop(out, None)
            return out
        overwrites = bool(args) and out is args[0]
        return self.assign(out, layout) if rearranges or overwrites else self._visited(self._site(name), out, layout)

    def _several(self, rule: Callable, rearranges: bool, name: str, out: Any, args: tuple, kwargs: dict) -> Any:  # noqa: ANN401
        """Parts of one tensor each have their layout; of other results the first is the one that counts."""
        parts = [t for t in out if isinstance(t, Tensor)]
        for t in parts if rearranges else parts[:1]:
            layout = rule(self._layouts, t, args, kwargs)
            if layout is not None and layout.shape == tuple(t.shape):
                self.assign(t, layout)
        if rearranges or not parts or parts[0] not in self._layouts or type(out) not in (tuple, list):
            return out
        return type(out)([self._visited(self._site(name), parts[0], self._layouts[parts[0]]), *out[1:]])

    def _visited(self, site: str, t: Tensor, layout: Layout) -> Tensor:
        with self.rules.unhindered():
            return self.assign(self.visit(site, t, layout), layout)

    def _known(self, args: tuple, kwargs: dict) -> bool:
        for value in (*args, *kwargs.values()):
            for item in value if isinstance(value, tuple | list) else (value,):
                if isinstance(item, Tensor) and item in self._layouts:
                    return True
        return False

    def _site(self, name: str) -> str:
        path = self._open[-1] if self._open else ""
        module = self._modules.get(path)
        is_leaf = module is not None and path and not any(True for _ in module.children())
        return path if is_leaf else f"{path or 'model'} · {name.strip('_')}"

    def _opening(self, path: str) -> Callable:
        def hook(module: nn.Module, args: tuple) -> None:
            self._open.append(path)

        return hook

    def _closing(self, path: str) -> Callable:
        def hook(module: nn.Module, args: tuple, kwargs: dict, out: Any) -> Tensor | None:  # noqa: ANN401
            self._open.pop()
            if not isinstance(out, Tensor) or not out.is_floating_point():
                return None
            with DisableTorchFunction():
                layout = self._at_boundary(path, out, args)
                return None if layout is None else self._visited(path, out, layout)

        return hook

    def _at_boundary(self, path: str, out: Tensor, args: tuple) -> Layout | None:
        """The layout that was declared; else, where none is known, the one of an input of the same shape."""
        if path in self.declared:
            declared = self.declared[path]
            return Layout.parse(declared, out.shape) if isinstance(declared, str) else declared(out.shape)
        if out in self._layouts or not args or not isinstance(args[0], Tensor) or args[0] not in self._layouts:
            return None
        layout: Layout = self._layouts[args[0]]
        if layout.shape != tuple(out.shape):
            return None
        self.detected[path] = layout.kinds
        return layout


def _name(func: Callable) -> str:
    """The name of a function, or of the property that a getter reads (`mT`)."""
    name = getattr(func, "__name__", str(func))
    return getattr(getattr(func, "__self__", None), "__name__", name) if name == "__get__" else name
