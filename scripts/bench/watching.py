"""What watching costs: processor time that a turn of a call spends in its observers.

`python -m scripts.bench.watching`
"""

import statistics
import time

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from dialogs.port import Heard
from ivr.call import commands as do
from ivr.call import events as ev
from ivr.call.state import Call, State
from ivr.watch.board import Board
from ivr.watch.metrics import Metrics
from ivr.watch.moments import Tell
from ivr.watch.observer import Observer
from ivr.watch.spans import Spans, export, provider
from ivr.watch.watcher import Listened, Played, Step, Watcher

TURNS = 4000
ROUNDS = 5
CALL = "bcdfghjkmnpqrs"


class Sink(SpanExporter):
    """A receiver that is quick."""

    def export(self, spans: object) -> SpanExportResult:
        """As in the interface."""
        return SpanExportResult.SUCCESS


def turn(watcher: Watcher, number: int) -> None:
    """What one turn of a conversation tells: four steps and two facts."""
    asking, thinking = Call(state=State.LISTENING), Call(state=State.THINKING, says=number)
    ask, say = do.AskDialogue(ask=number, engine=do.Engine.TALK), do.Say(say=number, prompts=())
    steps = (
        Step(before=asking, event=ev.SpeechStarted(), after=asking, commands=()),
        Step(before=asking, event=ev.Heard(words=Heard(text="yes")), after=thinking, commands=(ask,)),
        Step(before=thinking, event=ev.DialogueFailed(ask=number), after=asking, commands=(say,)),
        Step(before=asking, event=ev.SayEnded(say=number), after=asking, commands=()),
    )
    watcher.step(CALL, steps[0])
    watcher.fact(CALL, Listened(silence=0.5, delay=0.02, lost=0))
    watcher.step(CALL, steps[1])
    watcher.step(CALL, steps[2])
    watcher.fact(CALL, Played(say=number, lead=0.01))
    watcher.step(CALL, steps[3])


def microseconds(listeners: list[Tell]) -> float:
    """Median time of a turn over several rounds."""
    rounds = []
    for _ in range(ROUNDS):
        watcher = Observer(listeners)
        watcher.begun(CALL)
        began = time.thread_time()
        for number in range(1, TURNS + 1):
            turn(watcher, number)
        rounds.append((time.thread_time() - began) / TURNS * 1e6)
        watcher.ended(CALL)
    return statistics.median(rounds)


def main() -> None:
    """Print the table."""
    metrics, board = Metrics(), Board()
    made = provider("bench", "0")
    export(made, Sink())
    spans = Spans(made.get_tracer("bench"), 0.0)
    bare = microseconds([])
    print(f"a turn (4 steps, 2 facts), nobody listens:       {bare:6.1f} µs")
    print(f"with figures and live table:                     {microseconds([metrics.tell, board.tell]):6.1f} µs")
    everything = microseconds([metrics.tell, board.tell, spans.tell])
    print(f"with spans as well:                              {everything:6.1f} µs")
    began = time.thread_time()
    size = sum(len(metrics.text()) for _ in range(50)) // 50
    scrape = (time.thread_time() - began) / 50 * 1e3
    print(f"one scrape, {size / 1000:.0f} kB:                               {scrape:6.1f} ms")
    made.shutdown()


if __name__ == "__main__":
    main()
