"""Another name of `lina_calphad.data.assessments`, until nothing asks for it here."""

from lina_calphad.data.assessments import *  # noqa: F403
