"""Learned parts of a group."""
