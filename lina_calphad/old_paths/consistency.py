"""`lina_calphad.consistency` stands for `lina_calphad.check.identities`, for one release."""

from lina_calphad.old_paths import stand_for

stand_for(__name__, "lina_calphad.check.identities")
