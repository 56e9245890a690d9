"""Events and call records as plain values, as rows, and as the text that webhooks carry. Pure."""

import json
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Row

from masking.port import CallRecord, Event, Happened, LegEnd

_RECORD = tuple(field.name for field in fields(CallRecord))
MOST_TEXT = 500
"""Characters of one fact. Facts are ids, numbers of ours and reason codes: what is longer is somebody's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An event as it was written down."""

    id: str
    """Opaque; receivers drop what they have seen."""
    order: int
    """Place among the events of its binding, from 1."""
    event: Event
    """What happened."""


def record_row(record: CallRecord) -> dict[str, object]:
    """To a row of `cdrs`."""
    return {name: getattr(record, name) for name in _RECORD}


def record_of(row: Row[Any]) -> CallRecord:
    """From a row of `cdrs`."""
    values = {name: row._mapping[name] for name in _RECORD}
    return CallRecord(**values | {"end": LegEnd(row.end)})


def written_of(row: Row[Any]) -> Written:
    """From a row of `events`."""
    binding = "" if row.stream == row.id else row.stream
    data = json.loads(row.data)
    event = Event(kind=Happened(row.kind), owner=row.owner, binding=binding, at=row.at, data=data)
    return Written(id=row.id, order=row.place, event=event)


def facts(event: Event) -> str:
    """The event's data as text, always the same for the same data. Raises ValueError for what is no fact."""
    if any(isinstance(value, str) and len(value) > MOST_TEXT for value in event.data.values()):
        raise ValueError("an event holds ids and codes, nothing longer")
    return json.dumps(dict(event.data), sort_keys=True, allow_nan=False)


def body(written: Written) -> bytes:
    """What a webhook is sent: equal at every try."""
    event = written.event
    told = {
        "id": written.id,
        "kind": event.kind,
        "at": event.at,
        "binding": event.binding,
        "order": written.order,
        "data": dict(event.data),
    }
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def ended(record: CallRecord) -> Event:
    """That a call is over, from its first leg."""
    answered = record.answered
    return Event(
        kind=Happened.CALL_ENDED,
        owner=record.owner,
        binding=record.binding,
        at=record.ended,
        data={
            "call": record.call,
            "party": record.party,
            "number": record.number,
            "provider": record.provider,
            "end": record.end,
            "released_by": record.released_by,
            "seconds": 0.0 if answered is None else max(0.0, record.ended - answered),
            "by_code": float(record.by_code),
        },
    )
