"""The watchdog alone: for every course of sound, silence and excuses the ladder is climbed in time and in order."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.audio.format import silence
from ivr.audio.tones import accept_beep, comfort_noise, hold_loop, tone, waiting_beeps
from ivr.call.events import Lull
from ivr.dead_air import DeadAir, audible
from ivr.watched import filler

TICK = 0.1
VOICE = tone((210, 420), 1.0, -20)
FILLER, KEYS, HUMAN = Lull.FILLER, Lull.KEYS, Lull.HUMAN


def watch() -> DeadAir:
    """One that has begun."""
    made = DeadAir()
    made.begin()
    return made


def run(
    made: DeadAir, seconds: float, *, fill: bool = True, tick: float = TICK, **excuse: bool
) -> list[tuple[float, Lull]]:
    """What becomes due, and when; a filler is played as the session does."""
    due: list[tuple[float, Lull]] = []
    for step in range(1, round(seconds / tick) + 1):
        for lull in made.pass_time(tick, **excuse):
            due.append((round(step * tick, 3), lull))
            if lull is FILLER and fill:
                made.play(-1, filler(None), ours=False)
    return due


def test_nothing_is_due_before_media_flows() -> None:
    assert DeadAir().pass_time(60.0) == ()


def test_the_ladder_in_time_and_order() -> None:
    due = run(watch(), 12.0)
    assert [(at, lull) for at, lull in due if lull is not FILLER] == [(6.0, KEYS), (12.0, HUMAN)]
    assert due[0] == (2.0, FILLER)


def test_without_an_end_a_human_is_called_for_again_and_again() -> None:
    assert [at for at, lull in run(watch(), 37.0) if lull is HUMAN] == [12.0, 24.0, 36.0]


def test_fillers_are_heard_so_often_that_no_silence_is_long() -> None:
    made = watch()
    run(made, 60.0)
    assert made.longest <= 2.0 + TICK


def test_a_late_event_loop_is_told_by_the_wall_clock() -> None:
    assert watch().pass_time(13.0) == (FILLER, HUMAN)


def test_a_sentence_ends_silence_and_stall() -> None:
    made = watch()
    run(made, 5.5)
    made.play(1, VOICE)
    assert [lull for _, lull in run(made, 6.5)] == [FILLER]
    assert made.stall < 6.0


def test_silence_hiss_and_clicks_are_no_sentence() -> None:
    for sound in (silence(20.0), comfort_noise(20.0), tone((440,), 0.02, -20) + silence(20.0)):
        made = watch()
        made.play(1, sound)
        assert [lull for _, lull in run(made, 12.1) if lull is not FILLER] == [KEYS, HUMAN]


def test_all_that_we_play_on_purpose_can_be_heard() -> None:
    for sound in (accept_beep(), waiting_beeps(), hold_loop(), VOICE):
        assert sum(audible(sound)) * 0.02 >= 0.1
    assert not any(audible(comfort_noise(1.0)))
    assert audible(b"") == ()


def test_a_filler_of_the_machine_s_own_ends_no_stall() -> None:
    made = watch()
    made.fills(3)
    made.play(3, VOICE)
    assert [(at, lull) for at, lull in run(made, 6.0) if lull is KEYS] == [(6.0, KEYS)]


def test_a_filler_that_the_line_ended_ends_no_stall() -> None:
    made = watch()
    made.play(1, VOICE)
    run(made, 1.0)
    made.fills(2)
    made.play(2, VOICE)
    made.ended(2)
    run(made, 0.5)
    assert made.stall >= 0.5


def test_an_answer_is_waited_for_only_where_the_question_could_be_heard() -> None:
    heard, unheard = watch(), watch()
    heard.play(1, VOICE)
    unheard.play(1, silence(1.0))
    for one in (heard, unheard):
        run(one, 1.0)
        one.ended(1)
    assert run(heard, 9.0, answering=True) == []
    assert run(unheard, 9.0, answering=True) != []


def test_a_short_sentence_between_two_ticks_counts() -> None:
    made = watch()
    run(made, 1.5)
    made.play(1, accept_beep())
    made.ended(1)
    made.pass_time(0.3)
    assert made.silence < 0.3
    assert run(made, 5.0, answering=True) == []


def test_what_is_held_is_silent_and_what_the_line_has_not_sent_was_not_heard() -> None:
    made = watch()
    made.play(1, VOICE * 9)
    run(made, 1.0)
    made.hold(True)
    assert [at for at, _ in run(made, 2.0, fill=False)] == [2.0]
    made.hold(False)
    stuck = [lull for _ in range(21) for lull in made.pass_time(TICK, left=8.0)]
    assert stuck[0] is FILLER


def test_speech_excuses_while_it_lasts_and_the_ears_keep_up() -> None:
    made = watch()
    made.voice(True)
    assert run(made, 20.0) == []
    made.voice(False)
    assert run(made, 2.0)[0] == (2.0, FILLER)
    made = watch()
    made.voice(True)
    late = [lull for _ in range(30) for lull in made.pass_time(TICK, ears_behind=3.0)]
    assert FILLER in late


def test_endless_speech_is_noise() -> None:
    made = watch()
    made.voice(True)
    assert HUMAN in [lull for _, lull in run(made, 50.0)]


def test_two_people_who_are_joined_may_be_silent() -> None:
    made = watch()
    made.join(True)
    assert run(made, 60.0) == []
    made.join(False)
    assert run(made, 2.0) == [(2.0, FILLER)]


def test_the_words_of_a_filler_are_believed_only_if_they_sound() -> None:
    assert filler(None) == filler(silence(1.0)) == waiting_beeps()
    assert filler(VOICE).startswith(VOICE)


ACTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["pass", "answer", "type", "voice", "quiet", "say", "mute", "fill", "stop", "hold", "go on", "join", "part"]
        ),
        st.floats(min_value=0.02, max_value=4.0),
    ),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(ACTS)
def test_after_any_course_of_things_the_ladder_is_climbed_from_the_last_of_them(acts: list[tuple[str, float]]) -> None:
    """Whatever went before: from the moment at which nothing comes any more, a sound within two seconds and a tick, and
    each level above it no later than its time."""
    made = watch()
    for play, (act, seconds) in enumerate(acts, 1):
        do(made, act, play)
        made.pass_time(seconds, answering=act == "answer", typing=act == "type")
    made.stop()
    made.voice(False)
    made.join(False)
    due = run(made, 24.2)
    first = {lull: next(at for at, one in due if one is lull) for lull in (FILLER, HUMAN)}
    assert first[FILLER] <= 2.0 + TICK
    assert first[HUMAN] <= 12.0 + TICK
    climbed = [lull for _, lull in due if lull is not FILLER]
    assert climbed.count(HUMAN) <= 3
    assert KEYS not in climbed[climbed.index(HUMAN) + 1 :]


def do(made: DeadAir, act: str, play: int) -> None:
    """One thing that happens."""
    match act:
        case "voice" | "quiet":
            made.voice(act == "voice")
        case "say":
            made.play(play, VOICE)
        case "mute":
            made.play(play, silence(3.0))
        case "fill":
            made.play(-1, VOICE, ours=False)
        case "stop":
            made.stop()
        case "hold" | "go on":
            made.hold(act == "hold")
        case "join" | "part":
            made.join(act == "join")
