"""Measures with finite group elements: error curves, agreement of predictions, orbits, layers."""
