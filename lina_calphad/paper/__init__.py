"""The paper reproduced: its figures, its numbers, and what lies beyond them."""
