"""The local equivariance error: the Lie derivative of a network, and which layers it comes from."""
