"""`lina_calphad.kinetics` stands for `lina_calphad.phase.kinetics`, and stays."""

from lina_calphad.old_paths import stand_for

stand_for(__name__, "lina_calphad.phase.kinetics", deprecated=False)
