"""Networks for the experiments: plain torch modules."""

from learnsym.nets.cifar import CIFARNet
from learnsym.nets.cnn import CNN
from learnsym.nets.config import NetConfig, build
from learnsym.nets.mario import MarioCNN
from learnsym.nets.mlp import MLP
from learnsym.nets.normalised import Normalised
from learnsym.nets.segmentation import SegmentationCNN
from learnsym.nets.timm_models import timm_model

__all__ = ["CNN", "MLP", "CIFARNet", "MarioCNN", "NetConfig", "Normalised", "SegmentationCNN", "build", "timm_model"]
