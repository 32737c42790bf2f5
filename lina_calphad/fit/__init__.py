"""Refits of assessments with ESPEI, and their error bars."""
