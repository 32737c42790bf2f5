"""`lina_calphad.dilute` stands for `lina_calphad.phase.dilute`, and stays."""

from lina_calphad.old_paths import stand_for

stand_for(__name__, "lina_calphad.phase.dilute", deprecated=False)
