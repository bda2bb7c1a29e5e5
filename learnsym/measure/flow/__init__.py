"""Flow matching over a group: a law of elements whose support is the symmetry of unlabelled data."""
