"""Which values the parameters of a network may have, and which of them are equivariant."""
