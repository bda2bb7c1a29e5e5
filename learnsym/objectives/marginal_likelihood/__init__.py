"""The marginal likelihood (evidence) of a network by Laplace's approximation, differentiable in what it is made of."""
