"""Discovery: generators of the symmetry of a trained network, from its gradients."""
