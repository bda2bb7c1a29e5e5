"""Group convolutions on the pixel lattice, by gathering weights."""
