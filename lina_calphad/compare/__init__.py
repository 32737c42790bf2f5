"""Assessments side by side: tables and figures."""
