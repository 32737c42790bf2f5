"""Data: assessments, databases, elastic data, supercell energies, ESPEI datasets."""
