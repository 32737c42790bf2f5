"""`lina_calphad.comparison` stands for `lina_calphad.compare.comparison`, for one release."""

from lina_calphad.old_paths import stand_for

stand_for(__name__, "lina_calphad.compare.comparison")
