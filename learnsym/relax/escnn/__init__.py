"""Convolutions of escnn with a learned degree of equivariance."""
