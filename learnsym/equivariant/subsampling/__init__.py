"""Group equivariant subsampling: which pixels, turns and flips are kept is read from the features."""
