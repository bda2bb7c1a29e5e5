"""Nuisances: cues of a camera or a scan that tell a pose, and are no law of the objects; a file for each kind."""
