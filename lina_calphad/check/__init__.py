"""Slips in a TDB file, and identities that every Gibbs energy obeys."""
