"""Ratios against the plain twin, a peer or the slow reference twin, both sides timed in one run."""
