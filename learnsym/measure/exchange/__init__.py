"""Which positions of sets and graphs are exchangeable."""
