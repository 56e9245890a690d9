"""A patient and a doctor who are bound on the running hotline."""

from tests.hotline.softphone import Softphone
from tests.hotline.softphone_media import tone

PATIENT, DOCTOR = "+12025550142", "+12025550143"
X, Y = "+12025550101", "+12025550102"
"""The virtual numbers that they dial."""


def both_talk(one: Softphone, other: Softphone) -> None:
    """Each hears the other."""
    one.say(tone(700, 2))
    other.await_tone(700)
    other.say(tone(1000, 2))
    one.await_tone(1000)
