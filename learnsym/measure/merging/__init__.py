"""Layer-wise equivariance by merging a network with its transformed copy."""

from learnsym.measure.merging.merge import MergeBarrier, merge_barrier, merge_barrier_between

__all__ = ["MergeBarrier", "merge_barrier", "merge_barrier_between"]
