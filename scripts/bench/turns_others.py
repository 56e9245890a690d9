"""Answers, signs of listening and interruptions that no setting of turn-taking was chosen by: figures are reported of
these. "|" stands where somebody who speaks slowly pauses."""

_OPEN = """
my left ear has been hurting badly | since the weekend
i keep throwing up | and i can't keep water down
there is a lump | under my arm | that is getting bigger
i have been coughing for two weeks now | and it is not getting better
my daughter fell off her bike | and her wrist is swollen
it burns | when i pass water
i feel tired all the time | and i have lost weight
the pain is in my lower back | it goes down my leg
um | i think | i have a fever
my eyes are red | and they itch
i took some pills | but they did not help
i slept badly last night | because of my tooth
i have a rash on my neck
"""
_YES_NO = """
yes
no
yeah
no i don't think so
a little
yes | but only at night
i am not sure
"""
_NUMBER = """
fifty one
twenty
i'm | thirty nine
he is | seventy | four
eighteen
"""
_DIGITS = """
four four one | two two | seven eight nine
six one two | five five five | zero one nine nine
three eight | five one
"""
_DURATION = """
four days
about | an hour
since | monday
for | two | months
a week or so
"""
OTHERS = (_OPEN, _YES_NO, _NUMBER, _DIGITS, _DURATION)
"""By kind of question, in the order of `turns_speech.QUESTIONS`."""

ASIDES = (
    "yes yes", "right right", "okay okay", "i see okay", "sure thing", "got it thanks", "uh huh okay", "yup",
    "oh right", "exactly",
)  # fmt: skip
"""Signs of listening."""
TURNS = (
    "no stop", "wait please", "i want to ask something", "my head hurts", "not me", "who are you", "help me", "eight",
    "that is not right", "what do you mean", "i said no", "call an ambulance", "slower please", "can i talk now",
)  # fmt: skip
"""Interruptions."""
