"""Several phases, exactly: whole diagrams of two components, their invariants and bands."""
