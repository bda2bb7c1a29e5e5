"""Point symmetries of differential equations that data obey: prolonged, and bounded by an equivalence test."""
