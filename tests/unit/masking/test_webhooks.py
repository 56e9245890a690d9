"""Events reach hooks: signed, in order, again and again; over a real web server, on both databases."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from masking.leaks import LeakOracle
from masking.outbox import AT_ONCE_OF_ONE, LEASE, PAUSES, WARN_AFTER, Outbox, Result
from masking.port import Happened, HookUse, MaskingRefused, Wrong
from masking.signing import SignatureRefused, Verifier
from tests.postgres import Postgres
from tests.unit.masking.hook_rig import Rig, bodies, rig, told
from tests.unit.masking.receiver import receiver

STARTED, ANSWERED, ENDED = Happened.CALL_STARTED, Happened.CALL_ANSWERED, Happened.CALL_ENDED
SIGNATURE = "triageline-signature"


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres) -> Iterator[Rig]:
    with rig(request.param, tmp_path, postgres) as opened:
        yield opened


@pytest.fixture
def lone(tmp_path: Path, postgres: Postgres) -> Iterator[Rig]:
    with rig("sqlite", tmp_path, postgres) as opened:
        yield opened


def refused(work: object) -> Wrong:
    with pytest.raises(MaskingRefused) as told:
        asyncio.run(work)  # type: ignore[arg-type]
    return told.value.code


def test_events_are_told_signed_and_in_order(store: Rig) -> None:
    with receiver() as server:
        hook, secret = store.add(server.url)
        store.tell(STARTED, ANSWERED, ENDED)
        assert store.deliver(rounds=5) == 3
        assert told(server) == [("call.started", 1), ("call.answered", 2), ("call.ended", 3)]
        verifier = Verifier((secret,), store.clock)
        for got in server.got:
            verifier.check(got.headers[SIGNATURE], got.body)
        assert len({said["id"] for said in bodies(server)}) == 3
        assert store.states(hook) == [(at, "delivered", 1, "200") for at in (1, 2, 3)]
        assert store.deliver() == 0


def test_down_for_six_hours_six_signed_retries_in_order_and_replays_are_refused(store: Rig) -> None:
    with receiver() as server:
        hook, secret = store.add(server.url)
        began, verifier = store.clock.now, Verifier((secret,), store.clock)
        server.answer = lambda got: (503, b"")
        store.tell(STARTED, ENDED)
        while store.clock.now < began + 6 * 3600:
            before = len(server.got)
            store.deliver()
            for got in server.got[before:]:
                verifier.check(got.headers[SIGNATURE], got.body)
            store.clock.now = max(store.clock.now + 1, store.due(hook))
        store.clock.now = began + 6 * 3600
        assert len(server.got) >= 7
        assert len({got.body for got in server.got}) == 1
        assert len({got.headers[SIGNATURE] for got in server.got}) == len(server.got)
        assert [int(got.headers["triageline-attempt"]) for got in server.got] == list(range(1, len(server.got) + 1))
        server.answer = lambda got: (204, b"")
        store.clock.now += 12 * 3600
        store.deliver(rounds=3)
        assert [order for _, order in told(server)][-2:] == [1, 2]
        assert [state for _, state, _, _ in store.states(hook)] == ["delivered", "delivered"]
        first = server.got[0]
        with pytest.raises(SignatureRefused, match="stale"):
            verifier.check(first.headers[SIGNATURE], first.body)
        last = server.got[-1]
        verifier.check(last.headers[SIGNATURE], last.body)
        with pytest.raises(SignatureRefused, match="replayed"):
            verifier.check(last.headers[SIGNATURE], last.body)


def test_after_the_last_try_it_is_given_up_with_an_alert_and_the_next_follows(lone: Rig) -> None:
    with receiver() as server:
        hook, _ = lone.add(server.url)
        lone.tell(STARTED, ENDED)
        server.answer = lambda got: (500, b"")
        for pause in (*PAUSES, 0.0):
            assert lone.deliver() == 1
            lone.clock.now += pause * 1.1 + 61
        assert lone.states(hook) == [(1, "dead", len(PAUSES) + 1, "500"), (2, "waiting", 0, "")]
        assert {alert.code for alert in lone.alerts} == {"webhook_failing", "webhook_given_up"}
        server.answer = lambda got: (200, b"")
        assert lone.deliver() == 1
        assert lone.retry(hook) == 1
        assert lone.deliver() == 1
        assert [state for _, state, _, _ in lone.states(hook)] == ["delivered", "delivered"]
        assert lone.retry(hook) == 0


def test_bindings_do_not_wait_for_each_other(store: Rig) -> None:
    with receiver() as server:
        store.add(server.url)
        for binding in ("binding-a", "binding-b", "", ""):
            store.tell(STARTED, binding=binding)
        assert store.deliver() == 4


def test_a_failing_event_holds_back_its_binding_only(lone: Rig) -> None:
    with receiver() as server:
        lone.add(server.url)
        server.answer = lambda got: (500 if b"binding-a" in got.body else 200, b"")
        lone.tell(STARTED, ENDED, binding="binding-a")
        lone.deliver()
        lone.clock.now += 5
        lone.tell(STARTED, ENDED, binding="binding-b")
        for _ in range(6):
            lone.deliver()
            lone.clock.now += 1
        assert [said["order"] for said in bodies(server) if said["binding"] == "binding-b"] == [1, 2]
        assert {said["order"] for said in bodies(server) if said["binding"] == "binding-a"} == {1}


def test_410_switches_the_hook_off_and_what_waited_is_given_up(store: Rig) -> None:
    with receiver() as server:
        hook, _ = store.add(server.url)
        store.tell(STARTED, ENDED)
        server.answer = lambda got: (410, b"")
        store.deliver(rounds=3)
        assert len(server.got) == 1
        assert store.states(hook) == [(1, "dead", 1, "410"), (2, "dead", 0, "off")]
        assert [alert.code for alert in store.alerts] == ["webhook_off"]
        assert not asyncio.run(store.hooks.list("hotline"))[0].active
        store.tell(STARTED)
        assert len(store.states(hook)) == 2
        assert refused(store.hooks.activate(hook.id, "another", active=True)) == Wrong.NOT_FOUND
        with pytest.raises(MaskingRefused):
            store.retry(hook)
        asyncio.run(store.hooks.activate(hook.id, "hotline", active=True))
        server.answer = lambda got: (200, b"")
        assert store.retry(hook) == 2
        assert store.deliver(rounds=3) == 2
        assert [order for _, order in told(server)] == [1, 1, 2]


def test_only_the_owner_is_told_and_only_the_kinds_that_were_asked_for(store: Rig) -> None:
    with receiver() as server:
        store.add(server.url, ENDED)
        store.add(server.url.replace("/hook", "/other"), owner="another")
        store.add(server.url.replace("/hook", "/operator"), owner="")
        store.tell(STARTED, ENDED)
        store.tell(Happened.SCAN_SUSPECT, owner="", binding="")
        store.deliver(rounds=3)
        assert sorted((got.path, said["kind"]) for got, said in zip(server.got, bodies(server), strict=True)) == [
            ("/hook", "call.ended"), ("/operator", "abuse.scan"),
        ]  # fmt: skip


def test_what_a_process_held_when_it_died_is_sent_again_with_the_same_id(store: Rig) -> None:
    with receiver() as server:
        hook, _ = store.add(server.url)
        store.tell(STARTED, ENDED)
        held = asyncio.run(outbox(store, "dead").take())
        assert len(held) == 1
        assert store.deliver("other") == 0
        store.clock.now += LEASE + 1
        assert store.deliver("other", rounds=2) == 2
        assert bodies(server)[0]["id"] == held[0].event
        # It was not dead after all, and comes too late to change anything.
        asyncio.run(outbox(store, "dead").note(held[0], Result.AGAIN, "timeout"))
        assert [state for _, state, _, _ in store.states(hook)] == ["delivered", "delivered"]


def test_two_processes_never_send_the_same_at_once(store: Rig) -> None:
    async def both() -> tuple[int, int]:
        first, second = await asyncio.gather(outbox(store, "one").take(), outbox(store, "two").take())
        return len(first), len(second)

    store.add("http://127.0.0.1:9/")
    for at in range(AT_ONCE_OF_ONE + 3):
        store.tell(STARTED, binding=f"binding-{'abcdefghij'[at]}")
    assert sum(asyncio.run(both())) == AT_ONCE_OF_ONE


def test_a_secret_is_changed_while_both_count_for_a_day(lone: Rig) -> None:
    with receiver() as server:
        hook, former = lone.add(server.url)
        secret = asyncio.run(lone.hooks.rotate(hook.id, hook.owner))
        lone.tell()
        lone.deliver()
        for key in (former, secret):
            Verifier((key,), lone.clock).check(server.got[0].headers[SIGNATURE], server.got[0].body)
        lone.clock.now += 24 * 3600 + 1
        lone.tell()
        lone.deliver()
        Verifier((secret,), lone.clock).check(server.got[1].headers[SIGNATURE], server.got[1].body)
        with pytest.raises(SignatureRefused, match="wrong"):
            Verifier((former,), lone.clock).check(server.got[1].headers[SIGNATURE], server.got[1].body)


def test_addresses_behind_the_firewall_and_dead_ones_are_tried_again_later(lone: Rig) -> None:
    private, _ = lone.add("https://10.0.0.1/")
    dead, _ = lone.add("http://127.0.0.1:9/")
    lone.tell()
    for _ in range(WARN_AFTER):
        lone.deliver()
        lone.clock.now += 4000
    assert lone.states(private)[0][3] == "refused_address"
    assert lone.states(dead)[0][3] == "connection"
    assert {(alert.code, alert.what) for alert in lone.alerts} == {
        ("webhook_failing", private.id), ("webhook_failing", dead.id),
    }  # fmt: skip


def test_a_receiver_that_hangs_is_left_after_the_patience(lone: Rig) -> None:
    lone.patience = 0.2
    with receiver() as server:
        hook, _ = lone.add(server.url)
        lone.tell()
        server.hang.clear()
        lone.deliver()
        assert lone.states(hook) == [(1, "waiting", 1, "timeout")]


def test_hooks_are_found_by_their_owner_alone(store: Rig) -> None:
    hook, secret = store.add("https://receiver.example/")
    assert asyncio.run(store.hooks.list("hotline")) == (hook,)
    assert asyncio.run(store.hooks.list("another")) == ()
    assert refused(store.hooks.remove(hook.id, "another")) == Wrong.NOT_FOUND
    assert refused(store.hooks.rotate("hook-none", "hotline")) == Wrong.NOT_FOUND
    assert refused(store.hooks.add("hotline", "ftp://x.example/")) == Wrong.FIELD
    asyncio.run(store.hooks.add("hotline", "https://receiver.example/", use=HookUse.INTERCEPT))
    assert refused(store.hooks.add("hotline", "https://b.example/", use=HookUse.INTERCEPT)) == Wrong.CONFLICT
    store.tell()
    asyncio.run(store.hooks.remove(hook.id, "hotline"))
    assert [one.use for one in asyncio.run(store.hooks.list("hotline"))] == [HookUse.INTERCEPT]
    assert store.deliver() == 0
    for at in range(9):
        store.add(f"https://receiver.example/{at}")
    assert refused(store.hooks.add("hotline", "https://receiver.example/")) == Wrong.FIELD
    assert secret not in repr(asyncio.run(store.hooks.list("hotline")))


def test_a_secret_does_not_lie_in_the_database(tmp_path: Path, lone: Rig) -> None:
    _, secret = lone.add("https://receiver.example/")
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"receiver.example" in files
    assert secret.encode() not in files
    assert LeakOracle(["+12025550123"]).scan(files) == ()


def outbox(store: Rig, taker: str) -> Outbox:
    return Outbox(store.ledger, store.hooks, taker=taker, jitter=lambda: 0.0)
