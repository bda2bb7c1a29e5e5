"""What training does to the weights: compatibility, distances to equivariance, stability across it."""
