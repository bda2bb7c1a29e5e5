"""The law of poses: reading poses with a network trained without labels, and fitting their law."""
