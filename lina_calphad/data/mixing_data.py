"""Another name of what `lina_calphad.data.datasets` has, until nothing asks for it here."""

from lina_calphad.data.datasets import difference_of, mixing_data

__all__ = ["difference_of", "mixing_data"]
