"""The conversation as a caller lives through it: greeting, questions, barge-in, silence, misunderstanding, keys."""

from dataclasses import dataclass, replace

import pytest

from asr_models.scripted import ScriptedRecogniser
from dialogs.port import Prompt, Turn
from dialogs.scripted import ScriptedDialogue
from ivr.audio.format import silence, whole_frames
from ivr.call.state import State
from tests.calls.parts import ADVISED, COMPLAINT, HOW_OLD, INTERVIEW
from tests.calls.people import NEVER, TAKES, Act, after, calm, during, hangs_up, presses, says, speech, talking
from tests.calls.runner import Held, hold
from tests.calls.world import World

RASH = says("i have a rash")


def talk(held: Held) -> ScriptedDialogue:
    assert isinstance(held.world.talk, ScriptedDialogue)
    return held.world.talk


def received(held: Held) -> list[tuple[str, str]]:
    return talk(held).received


def test_greeting_then_question_then_advice() -> None:
    held = hold(World(acts=(RASH, says("forty"), says("no"))))
    assert held.over
    assert held.said == [
        *("call.greeting", "ask.complaint", "ask.age", "ask.fever"),
        *("result.routine", "safety_net.general", "call.goodbye"),
    ]
    assert received(held) == [
        ("start", "en"),
        ("hear", "i have a rash"),
        ("hear", "forty"),
        ("hear", "no"),
        ("end", ""),
    ]
    assert held.outcome == "advised"
    assert held.shown == ()


def test_the_first_question_follows_the_greeting_without_a_pause() -> None:
    held = hold(World(acts=(hangs_up(during(State.LISTENING)),)))
    first = next(number for number, frame in enumerate(held.caller.frames) if frame.heard)
    assert first <= 2
    assert held.dead_air(State.GREETING, State.ASKING) <= 0.1


def test_an_impatient_caller_is_understood_over_the_greeting() -> None:
    held = hold(World(acts=(says("i have a rash", talking()), hangs_up(during(State.LISTENING)))))
    assert ("hear", "i have a rash") in received(held)
    assert held.said == ["call.greeting", "ask.age"]


def test_barge_in_stops_an_interruptible_question() -> None:
    long = Turn(say=(Prompt(key="ask.complaint"), Prompt(key="safety_net.rash")), question=COMPLAINT.question)
    held = hold(
        World(
            talk=ScriptedDialogue((long, HOW_OLD)),
            acts=(says("rash", during(State.ASKING, 0.5)), hangs_up()),
        )
    )
    frames = held.caller.frames
    start = next(number for number, frame in enumerate(frames) if frame.speaking)
    quiet = next(number for number in range(start, len(frames)) if not frames[number].heard)
    assert (quiet - start) * 0.02 <= 0.6
    assert received(held)[1] == ("hear", "rash")


def test_what_must_be_heard_is_not_stopped_and_the_answer_is_kept() -> None:
    must = Turn(say=(Prompt(key="safety_net.rash", interruptible=False),), question=COMPLAINT.question)
    held = hold(
        World(
            talk=ScriptedDialogue((must, HOW_OLD)),
            acts=(says("rash", during(State.ASKING, 0.5)), hangs_up()),
        )
    )
    assert held.kinds.count("SayEnded") >= 2
    asking = [frame.heard for frame in held.caller.frames if frame.state is State.ASKING]
    assert all(asking[:-2])
    assert received(held)[1] == ("hear", "rash")


def test_a_cough_over_a_question_holds_it_and_it_goes_on() -> None:
    cough = Act(noise="hm", when=during(State.ASKING, 0.3))
    held = hold(World(acts=(cough, RASH, hangs_up())))
    assert held.said[:3] == ["call.greeting", "ask.complaint", "ask.age"]
    assert received(held)[1] == ("hear", "i have a rash")
    assert any(not frame.heard for frame in held.caller.frames if frame.state is State.ASKING)


def test_mumbling_over_a_question_makes_it_be_said_again() -> None:
    mumble = Act(noise="mumble mumble mumble mumble", when=during(State.ASKING, 0.3))
    held = hold(World(acts=(mumble, RASH, hangs_up())))
    assert held.said[:4] == ["call.greeting", "ask.complaint", "call.no_match", "ask.complaint"]


def test_a_silent_caller_hears_it_again_then_keys_then_a_human() -> None:
    held = hold(World(acts=(hangs_up(during(State.BRIDGED, 1)),)))
    assert held.said[:7] == [
        *("call.greeting", "ask.complaint", "call.no_input", "ask.complaint"),
        *("call.keys_instead", "menu.first", "call.no_input"),
    ]
    assert "call.human_coming" in held.said
    assert held.bridged


def test_a_caller_who_is_never_understood_gets_keys_then_a_human() -> None:
    mumble = tuple(Act(noise="mumble mumble mumble mumble") for _ in range(12))
    held = hold(World(acts=(*mumble, hangs_up(during(State.BRIDGED, 1)))), seconds=300)
    assert "call.no_match" in held.said
    said = held.said
    assert said.index("call.no_match") < said.index("call.keys_instead") < said.index("call.human_coming")


def test_answers_that_the_dialogue_cannot_use_lead_to_the_keys() -> None:
    what = Turn(say=(Prompt(key="ask.complaint_again"),), question=COMPLAINT.question, understood=False)
    acts = (says("purple banana"), says("green banana"), says("blue banana"), hangs_up(during(State.BRIDGED, 1)))
    held = hold(World(talk=ScriptedDialogue((COMPLAINT, what)), acts=acts))
    assert held.said[2:6] == ["call.no_match", "ask.complaint_again", "call.keys_instead", "menu.first"]
    assert held.bridged


def test_a_number_that_is_not_understood_may_be_typed() -> None:
    missed = replace(HOW_OLD, understood=False)
    acts = (RASH, says("purple banana"), presses("42"), hangs_up(during(State.LISTENING, 4)))
    held = hold(World(talk=ScriptedDialogue((COMPLAINT, HOW_OLD, missed, *INTERVIEW[2:])), acts=acts))
    assert held.said[2:7] == ["ask.age", "call.no_match", "call.or_keys", "ask.age", "ask.fever"]
    assert ("hear", "42") in received(held)


def test_keys_are_numbers_where_a_number_is_asked() -> None:
    held = hold(World(acts=(RASH, presses("42"), hangs_up(during(State.LISTENING, 3)))))
    assert ("hear", "42") in received(held)


def test_a_number_sign_ends_a_number_at_once() -> None:
    held = hold(World(acts=(RASH, presses("7#"), hangs_up(after(0.5)))))
    assert ("hear", "7") in received(held)


def test_ten_is_a_number_and_not_a_person() -> None:
    held = hold(World(acts=(RASH, presses("10#"), hangs_up(after(1.0)))))
    assert ("hear", "10") in received(held)
    assert "FindAgent" not in held.kinds
    assert held.shown == ()


def test_keys_in_the_greeting_open_the_keypad_menu() -> None:
    held = hold(World(acts=(presses("5", talking()), presses("3"), presses("1"), presses("2"))))
    assert held.said[1:3] == ["call.keys_instead", "menu.first"]
    assert held.said[-1] == "call.goodbye"
    assert held.outcome == "advised"


@pytest.mark.parametrize("repeat", ["repeat that please", "say that again"])
def test_repeat_says_the_question_again(repeat: str) -> None:
    held = hold(World(acts=(RASH, says(repeat), says("forty"), hangs_up())))
    assert held.said[2:5] == ["ask.age", "ask.age", "ask.fever"]
    assert ("hear", repeat) not in received(held)


@pytest.mark.parametrize("wish", [says("agent"), says("help"), says("i want to talk to a person"), presses("0")])
@pytest.mark.parametrize("state", [State.GREETING, State.ASKING, State.LISTENING])
def test_a_person_can_be_had_while_the_dialogue_leads(wish: Act, state: State) -> None:
    act = Act(words=wish.words, keys=wish.keys, when=during(state, 0.2))
    held = hold(World(acts=(act, hangs_up(during(State.BRIDGED, 1)))))
    assert held.bridged
    assert held.outcome == "bridged"
    assert held.briefed[0].startswith("Hotline call. The caller asks for a person. Press one to take the call")


@pytest.mark.parametrize("wish", [says("agent"), presses("0")])
@pytest.mark.parametrize("state", [State.PARTED, State.OFFERING, State.CLOSING])
def test_a_person_can_be_had_at_the_end_of_a_call(wish: Act, state: State) -> None:
    act = Act(words=wish.words, keys=wish.keys, when=during(state, 0.2))
    first, nurses = {
        State.PARTED: ((presses("0"),), (TAKES_LONG, TAKES)),
        State.OFFERING: ((presses("0"),), (NEVER, TAKES)),
        State.CLOSING: ((RASH,), (TAKES,)),
    }[state]
    talk = ScriptedDialogue((COMPLAINT, ADVISED))
    world = World(talk=talk, nurses={"nurse": nurses}, acts=(*first, act, hangs_up(during(State.BRIDGED, 1))))
    held = hold(world)
    assert held.world.rung.count("nurse") == (1 if state is State.CLOSING else 2)
    assert held.bridged


TAKES_LONG = type(TAKES)(stays=11.0)


def test_a_yes_over_the_end_of_the_question_is_an_answer() -> None:
    held = hold(World(acts=(RASH, says("forty"), says("no", talking(0.3)), hangs_up(during(State.CLOSING, 1)))))
    assert received(held)[-2] == ("hear", "no")


def test_a_caller_who_goes_on_speaking_while_the_dialogue_thinks_is_not_lost() -> None:
    held = hold(
        World(talk=ScriptedDialogue(INTERVIEW), acts=(RASH, says("for three days", calm(0.0)), hangs_up(after(9))))
    )
    assert ("hear", "i have a rash") in received(held)
    assert held.over


LONG = Turn(say=(Prompt(key="safety_net.rash"), Prompt(key="ask.complaint")), question=COMPLAINT.question)


@pytest.mark.parametrize("words", ["yeah", "mm hmm", "okay", "uh huh"])
def test_a_sign_of_listening_holds_a_long_prompt_and_it_goes_on_to_its_end(words: str) -> None:
    acts = (says(words, during(State.ASKING, 0.4)), RASH, hangs_up())
    held = hold(World(talk=ScriptedDialogue((LONG, HOW_OLD)), acts=acts))
    assert held.said[:4] == ["call.greeting", "safety_net.rash", "ask.complaint", "ask.age"]
    assert received(held)[1] == ("hear", "i have a rash")
    assert "TurnTaken" not in held.kinds
    assert held.dead_air(State.ASKING) < 1.2


def test_words_in_the_middle_of_a_long_prompt_stop_it() -> None:
    acts = (says("i have a rash on my arm", during(State.ASKING, 0.4)), hangs_up())
    held = hold(World(talk=ScriptedDialogue((LONG, HOW_OLD)), acts=acts))
    frames = held.caller.frames
    start = next(number for number, frame in enumerate(frames) if frame.speaking)
    quiet = next(number for number in range(start, len(frames)) if not frames[number].heard)
    assert (quiet - start) * 0.02 <= 0.3
    assert "TurnTaken" in held.kinds
    assert received(held)[1] == ("hear", "i have a rash on my arm")


def test_a_no_in_the_middle_of_advice_counts() -> None:
    held = hold(World(talk=ScriptedDialogue((LONG, HOW_OLD)), acts=(says("no", during(State.ASKING, 0.4)), hangs_up())))
    assert received(held)[1] == ("hear", "no")


def test_a_danger_over_a_prompt_is_raised_while_it_is_held() -> None:
    acts = (says("chest pain", during(State.ASKING, 0.4)), hangs_up(during(State.BRIDGED, 0.5)))
    held = hold(World(talk=ScriptedDialogue((LONG, HOW_OLD)), acts=acts))
    assert "RedFlagRaised" in held.kinds
    assert held.bridged


def test_a_sign_of_listening_over_what_must_be_heard_is_no_answer() -> None:
    must = Turn(say=(Prompt(key="safety_net.rash", interruptible=False),), question=COMPLAINT.question)
    acts = (says("okay", during(State.ASKING, 0.3)), RASH, hangs_up())
    held = hold(World(talk=ScriptedDialogue((must, HOW_OLD)), acts=acts))
    assert received(held)[1] == ("hear", "i have a rash")


def spoken(*pieces: str, pause: float) -> bytes:
    return silence(pause).join(speech(piece) for piece in pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slowly(Act):
    """Speaks in pieces, with a pause between them."""

    pieces: tuple[str, ...] = ()

    @property
    def audio(self) -> bytes:
        """All pieces."""
        return whole_frames(spoken(*self.pieces, pause=1.45))


def test_a_slow_speaker_arrives_whole_after_one_pause_was_seen() -> None:
    """The first sentence may be cut at its pause of 1.45 s: then both halves are one answer. The second is not cut."""
    first = Slowly(words="my head hurts", pieces=("my head hurts", "since yesterday"))
    rest = Slowly(words="and it is bad", pieces=("it is very bad", "in the morning"))
    assert COMPLAINT.question is not None
    more = [Turn(say=HOW_OLD.say, question=replace(COMPLAINT.question, id=name)) for name in ("more", "else")]
    open_ = ScriptedDialogue((COMPLAINT, *more, ADVISED))
    held = hold(World(talk=open_, acts=(first, rest, hangs_up(during(State.CLOSING, 0.5))), recogniser=Ears(4)))
    heard = [words for kind, words in received(held) if kind == "hear"]
    assert heard[:2] == ["words", "words words"]
    assert held.kinds.count("Heard") == 3
    last = [str(entry.data["continues"]) for entry in held.entries if entry.kind == "Heard"]
    assert last == ["False", "True", "False"]


class Ears(ScriptedRecogniser):
    """Hears the same words in every utterance."""

    def __init__(self, count: int) -> None:
        super().__init__(["words"] * count)
