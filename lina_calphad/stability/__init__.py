"""Stability of solution phases of any number of components and sublattices."""
