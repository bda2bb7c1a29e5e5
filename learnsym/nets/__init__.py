"""Networks for the experiments: plain torch modules."""

from learnsym.nets.cnn import CNN

__all__ = ["CNN"]
