"""How far a data set breaks a symmetry: in the law of its examples, and in what their orientation tells of targets."""
