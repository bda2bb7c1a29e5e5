"""Networks for the experiments: plain torch modules."""

from learnsym.nets.cifar import CIFARNet
from learnsym.nets.cnn import CNN
from learnsym.nets.config import NetConfig, build
from learnsym.nets.group_resnet import GroupResNet, group_resnet18, group_resnet44
from learnsym.nets.invariant_cnn import InvariantCNN
from learnsym.nets.mario import MarioCNN
from learnsym.nets.mlp import MLP
from learnsym.nets.normalised import Normalised
from learnsym.nets.over_scales import OverScales
from learnsym.nets.p4_cnn import P4CNN
from learnsym.nets.segmentation import SegmentationCNN
from learnsym.nets.timm_models import timm_model

__all__ = [
    "CNN",
    "MLP",
    "P4CNN",
    "CIFARNet",
    "GroupResNet",
    "InvariantCNN",
    "MarioCNN",
    "NetConfig",
    "Normalised",
    "OverScales",
    "SegmentationCNN",
    "build",
    "group_resnet18",
    "group_resnet44",
    "timm_model",
]
