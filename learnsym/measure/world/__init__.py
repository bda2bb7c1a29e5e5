"""How good a world model is, and how symmetric its latent states are."""

from learnsym.measure.world.invariance import distance_invariance_error, latent_equivariance_error
from learnsym.measure.world.retrieval import Retrieval, ranks, retrieval, retrieved

__all__ = ["Retrieval", "distance_invariance_error", "latent_equivariance_error", "ranks", "retrieval", "retrieved"]
