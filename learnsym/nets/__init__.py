"""Networks for the experiments: plain torch modules."""

from learnsym.nets import cost as cost
from learnsym.nets import points as points
from learnsym.nets import processes as processes
from learnsym.nets import sources as sources
from learnsym.nets import world as world
from learnsym.nets.autoencoders import ConvAutoencoder, GConvAutoencoder
from learnsym.nets.cifar import CIFARNet
from learnsym.nets.cnn import CNN
from learnsym.nets.config import NetConfig, build, build_points, build_steerable, exact_points
from learnsym.nets.group_autoencoder import GroupAutoencoder, Latent
from learnsym.nets.group_cnn import GroupCNN
from learnsym.nets.group_resnet import GroupResNet, group_resnet18, group_resnet44
from learnsym.nets.invariant_cnn import InvariantCNN
from learnsym.nets.layerwise import LAYERWISE, LayerwiseNet
from learnsym.nets.mario import MarioCNN
from learnsym.nets.matching import matched_width, parameter_count
from learnsym.nets.mlp import MLP
from learnsym.nets.normalised import Normalised
from learnsym.nets.over_scales import OverScales
from learnsym.nets.p4_cnn import P4CNN
from learnsym.nets.regular_encoder import OrbitClassifier, RegularEncoder, RegularResNet
from learnsym.nets.resnet3d import ResNet3d
from learnsym.nets.segmentation import SegmentationCNN
from learnsym.nets.spherical import SphericalCNN, SphericalUNet, usual_band_limits
from learnsym.nets.steerable_cnn import SteerableCNN
from learnsym.nets.timm_models import timm_model
from learnsym.nets.wide_resnet import SteerableWideResNet

__all__ = [
    "CNN",
    "LAYERWISE",
    "MLP",
    "P4CNN",
    "CIFARNet",
    "ConvAutoencoder",
    "GConvAutoencoder",
    "GroupAutoencoder",
    "GroupCNN",
    "GroupResNet",
    "InvariantCNN",
    "Latent",
    "LayerwiseNet",
    "MarioCNN",
    "NetConfig",
    "Normalised",
    "OrbitClassifier",
    "OverScales",
    "RegularEncoder",
    "RegularResNet",
    "ResNet3d",
    "SegmentationCNN",
    "SphericalCNN",
    "SphericalUNet",
    "SteerableCNN",
    "SteerableWideResNet",
    "build",
    "build_points",
    "build_steerable",
    "exact_points",
    "group_resnet18",
    "group_resnet44",
    "matched_width",
    "parameter_count",
    "timm_model",
    "usual_band_limits",
]
