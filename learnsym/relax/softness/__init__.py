"""Soft equivariance: weights of any network held near their equivariant subspace by a dial."""
