"""timm:NAME: a model of timm, with random or published weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from learnsym.nets.normalised import Normalised
from learnsym.nets.sources.source import Source, Wanted
from learnsym.nets.timm_models import published, timm_model

PREFIX = "timm:"


@dataclass(frozen=True, kw_only=True)
class TimmModel(Source):
    """A model of timm behind the normalisation of its published weights, so that it takes images in [0, 1]."""

    name: str
    pretrained: bool = False

    @classmethod
    def of(cls, word: str, argument: str) -> TimmModel | None:
        """The source that a word names; None where it names another kind."""
        return cls(argument=argument, name=word.removeprefix(PREFIX)) if word.startswith(PREFIX) else None

    @property
    def word(self) -> str:
        return PREFIX + self.name

    def network(self, wanted: Wanted) -> nn.Module:
        self.check_width(wanted.width)
        settings = published(self.name)
        net = timm_model(self.name, pretrained=self.pretrained, **self._options(wanted, settings))
        mean, std = settings.get("mean") or (0.0,) * 3, settings.get("std") or (1.0,) * 3
        channels = wanted.in_channels or len(mean)
        return Normalised(net, _for_channels(mean, channels), _for_channels(std, channels))

    def _options(self, wanted: Wanted, settings: dict[str, Any]) -> dict[str, Any]:
        """Where the data differ from what the model was published for."""
        options: dict[str, Any] = {}
        if wanted.classes is not None:
            options["num_classes"] = wanted.classes
        if wanted.in_shape is None or len(wanted.in_shape) != 3:
            return options
        channels, *sides = wanted.in_shape
        usual = settings.get("input_size") or (3, 224, 224)
        if channels != usual[0]:
            options["in_chans"] = channels
        if settings.get("fixed_input_size") and sides != list(usual[1:]):
            options["img_size"] = tuple(sides)
        return options


def _for_channels(values: tuple[float, ...], channels: int) -> list[float]:
    """One number a channel; their mean where there are other channels than red, green and blue."""
    return list(values) if channels == len(values) else [sum(values) / len(values)] * channels
