# Size: all tables of the room side by side; each refers to others.
"""Tables of the vault, of virtual numbers, bindings and what happened; the same on SQLite and PostgreSQL.

Outside the first table there are party ids only.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

metadata = MetaData()
Big = BigInteger().with_variant(Integer, "sqlite")
Key = String(64).with_variant(String(64, collation="C"), "postgresql")
"""Ids compare as bytes: quicker, and the same whatever the server's language."""

parties = Table(
    "masking_parties",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tag", LargeBinary(32), nullable=False, unique=True),
    Column("number", LargeBinary, nullable=False),
    Column("created", Double, nullable=False),
)
"""One row a number: `tag` (keyed hash) finds it, `number` is sealed, `id` is random and says nothing."""

reveals = Table(
    "masking_reveals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Double, nullable=False),
    Column("party", String(64), ForeignKey("masking_parties.id"), nullable=False),
    Column("actor", String(64), nullable=False),
    Column("reason", String(200), nullable=False),
)
"""Audit: who was shown which party's number, when and why. Rows are inserted, never changed (triggers refuse it)."""

numbers = Table(
    "masking_numbers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", String(24), nullable=False, unique=True),
    Column("side", String(16), nullable=False),
    Column("country", String(2), nullable=False),
    Column("area", String(8), nullable=False),
    Column("state", String(16), nullable=False),
    Column("used", Double, nullable=False),
)
"""Virtual numbers. `used`: when one was last given to a binding."""

bindings = Table(
    "masking_bindings",
    metadata,
    Column("id", Big, primary_key=True, autoincrement=False),
    Column("owner", String(64), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("doctor", Key, nullable=False),
    Column("patient", Key, nullable=False),
    Column("patient_line", Integer, ForeignKey("masking_numbers.id"), nullable=False),
    Column("doctor_line", Integer, ForeignKey("masking_numbers.id")),
    Column("code", LargeBinary),
    Column("created", Double, nullable=False),
    Column("live", Double, nullable=False),
    Column("gone", Double, nullable=False),
    Column("quarantine", Double, nullable=False),
    Column("longest", Double, nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("killed", Boolean, nullable=False),
    Column("key", String(128)),
    Column("asked", String(32), nullable=False),
    Index("masking_bindings_key", "owner", "key", unique=True),
    Index("masking_bindings_doctor", "doctor"),
    Index("masking_bindings_patient", "patient", "doctor"),
    Index(
        "masking_bindings_cases",
        "doctor",
        "doctor_line",
        sqlite_where=text("kind = 'code'"),
        postgresql_where=text("kind = 'code'"),
    ),
    Index("masking_bindings_newest", "owner", "created"),
    Index("masking_bindings_gone", "gone"),
    Index("masking_bindings_live", "live"),
)
"""Bindings, until their rest is over. `code` is sealed."""

routes = Table(
    "masking_routes",
    metadata,
    Column("caller", Key, primary_key=True),
    Column("virtual", Integer, ForeignKey("masking_numbers.id"), primary_key=True, autoincrement=False),
    Column("binding", Big, ForeignKey("masking_bindings.id"), nullable=False),
    Column("callee", Key, nullable=False),
    Column("shown", Integer, ForeignKey("masking_numbers.id"), nullable=False),
    Column("live", Double, nullable=False),
    Column("gone", Double, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("coded", Boolean, nullable=False),
    Index("masking_routes_binding", "binding"),
    Index("masking_routes_virtual", "virtual"),
    Index("masking_routes_codes", "virtual", "gone", sqlite_where=text("coded"), postgresql_where=text("coded")),
)
"""Who reaches whom. The primary key is the promise: one caller on one number reaches one party, live or resting.
PostgreSQL does not check that virtual numbers exist (migration 0007 says why); SQLite does."""

tries = Table(
    "masking_tries",
    metadata,
    Column("subject", String(96), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("since", Double, nullable=False),
    Column("until", Double, nullable=False),
    Column("pauses", Integer, nullable=False),
)
"""Wrong codes by caller and by virtual number."""

events = Table(
    "masking_events",
    metadata,
    Column("id", Key, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("owner", String(64), nullable=False),
    Column("stream", Key, nullable=False),
    Column("place", Integer, nullable=False),
    Column("at", Double, nullable=False),
    Column("data", Text, nullable=False),
    Column("once", String(96), unique=True),
    Index("masking_events_place", "stream", "place", unique=True),
    Index("masking_events_newest", "owner", "at"),
    Index("masking_events_at", "at"),
)
"""What happened. `stream`: the binding, or the event itself where there is none; `place`: its order number there;
`once`: what is told once only."""

hooks = Table(
    "masking_hooks",
    metadata,
    Column("id", Key, primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("use", String(16), nullable=False),
    Column("url", String(500), nullable=False),
    Column("kinds", Text, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("former", LargeBinary),
    Column("former_until", Double, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created", Double, nullable=False),
    Column("fails", Integer, nullable=False),
    Column("rest", Double, nullable=False),
    Index("masking_hooks_owner", "owner"),
)
"""Who is told, and who is asked before a call. `secret` and `former` are sealed; `fails`: failures in a row; `rest`:
when it may be tried again."""

deliveries = Table(
    "masking_deliveries",
    metadata,
    Column("hook", Key, ForeignKey("masking_hooks.id"), primary_key=True),
    Column("event", Key, ForeignKey("masking_events.id"), primary_key=True),
    Column("stream", Key, nullable=False),
    Column("place", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due", Double, nullable=False),
    Column("lease", Double, nullable=False),
    Column("taker", String(64), nullable=False),
    Column("last", String(64), nullable=False),
    Index("masking_deliveries_due", "state", "hook", "due"),
    Index("masking_deliveries_order", "hook", "stream", "place"),
    Index("masking_deliveries_event", "event"),
)
"""What is still to be told, and what came of it. Of a hook and stream one row at most is "waiting": the first; those
"behind" it follow one by one."""

cdrs = Table(
    "masking_cdrs",
    metadata,
    Column("call", Key, primary_key=True),
    Column("leg", String(1), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("binding", Key, nullable=False),
    Column("party", Key, nullable=False),
    Column("number", String(24), nullable=False),
    Column("provider", String(16), nullable=False),
    Column("started", Double, nullable=False),
    Column("answered", Double),
    Column("ended", Double, nullable=False),
    Column("end", String(16), nullable=False),
    Column("released_by", String(8), nullable=False),
    Column("by_code", Boolean, nullable=False),
    Index("masking_cdrs_newest", "owner", "ended"),
    Index("masking_cdrs_binding", "binding"),
    Index("masking_cdrs_ended", "ended"),
)
"""Records of legs, for billing and audit."""

complaints = Table(
    "masking_complaints",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", String(24), nullable=False),
    Column("at", Double, nullable=False),
    Column("reason", String(200), nullable=False),
    Index("masking_complaints_number", "number", "at"),
)
"""People who complained about calls from a virtual number. `reason` is redacted."""

marks = Table(
    "masking_marks",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("at", Double, nullable=False),
)
"""Up to when something was done, for example the telling of ends."""

pool = Table(
    "masking_pool",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", Integer, nullable=False),
)
"""One row at most: `version` grows when numbers are added, changed or removed, so that a process may keep them in
memory."""

duties = Table(
    "masking_duties",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("taker", String(64), nullable=False),
    Column("until", Double, nullable=False),
)
"""What one process at a time does for all, and until when it is that one's."""

alerts = Table(
    "masking_alerts",
    metadata,
    Column("code", String(32), primary_key=True),
    Column("what", String(96), primary_key=True),
    Column("since", Double, nullable=False),
    Column("seen", Double, nullable=False),
)
"""What operators were told about numbers and is still so."""

tokens = Table(
    "masking_tokens",
    metadata,
    Column("id", Key, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("owner", String(64), nullable=False),
    Column("scopes", String(400), nullable=False),
    Column("hash", LargeBinary(32), nullable=False, unique=True),
    Column("created", Double, nullable=False),
    Column("ends", Double),
    Column("used", Double),
    Column("revoked", Boolean, nullable=False),
)
"""Services that may use the API. `hash` is keyed: without the key, not even a weak secret could be tried."""

uses = Table(
    "masking_token_uses",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Double, nullable=False),
    Column("token", Key, ForeignKey("masking_tokens.id"), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("outcome", String(16), nullable=False),
)
"""Audit of tokens: privileged use and what was refused. Rows are inserted, never changed (triggers refuse it)."""

text_marks = Table(
    "masking_text_marks",
    metadata,
    Column("mark", Key, primary_key=True),
    Column("until", Double, nullable=False),
    Index("masking_text_marks_until", "until"),
)
"""What was seen: carriers' ids of texts (for ever) and who was told what. `mark` is a keyed hash."""

text_parts = Table(
    "masking_text_parts",
    metadata,
    Column("whole", Key, primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("parts", Integer, nullable=False),
    Column("party", Key, nullable=False),
    Column("number", String(24), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("at", Double, nullable=False),
    Index("masking_text_parts_at", "at"),
)
"""Parts of texts that wait for the others. `whole` is a keyed hash, `body` is sealed."""

text_stops = Table(
    "masking_text_stops",
    metadata,
    Column("binding", Key, primary_key=True),
    Column("party", Key, primary_key=True),
    Column("other", Key, primary_key=True),
    Column("at", Double, nullable=False),
)
"""Who wants no more texts from whom."""

texts = Table(
    "masking_texts",
    metadata,
    Column("seq", Big, primary_key=True),
    Column("id", Key, nullable=False, unique=True),
    Column("owner", String(64), nullable=False),
    Column("binding", Key, nullable=False),
    Column("party", Key, nullable=False),
    Column("shown", String(24), nullable=False),
    Column("sender", Key, nullable=False),
    Column("number", String(24), nullable=False),
    Column("body", LargeBinary),
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("at", Double, nullable=False),
    Column("due", Double, nullable=False),
    Column("lease", Double, nullable=False),
    Column("since", Double),
    Column("unsure", Boolean, nullable=False),
    Column("reference", String(64), nullable=False),
    Column("code", String(32), nullable=False),
    Index("masking_texts_due", "state", "due"),
    Index("masking_texts_order", "party", "shown", "seq"),
    Index("masking_texts_at", "at"),
)
"""Texts to be sent, and what became of them. `body` is sealed, and gone once the text is; `since`: first attempt;
`unsure`: whether an attempt may have succeeded without our knowing; `reference`: the carrier's id."""

clicks = Table(
    "masking_clicks",
    metadata,
    Column("id", Key, primary_key=True),
    Column("binding", Key, nullable=False),
    Column("owner", String(64), nullable=False),
    Column("key", String(128)),
    Column("state", String(16), nullable=False),
    Column("end", String(16)),
    Column("at", Double, nullable=False),
    Column("beat", Double, nullable=False),
    Column("taker", String(64), nullable=False),
    Index("masking_clicks_key", "owner", "key", unique=True),
    Index("masking_clicks_waiting", "state", "at"),
)
"""Click-to-calls. `beat`: the last sign of life of whoever carries it out."""

live_calls = Table(
    "masking_live_calls",
    metadata,
    Column("call", Key, primary_key=True),
    Column("reference", String(64), nullable=False),
    Column("binding", Big, nullable=False),
    Column("facts", Text, nullable=False),
    Column("until", Double, nullable=False),
    Column("answered", Double),
    Column("cut", Boolean, nullable=False),
)
"""Calls that a carrier holds for us. `reference`: its id of it; `facts`: ids and virtual numbers; `until`: over at the
latest; `cut`: its binding was killed, and the carrier is told to end it."""

line_legs = Table(
    "masking_line_legs",
    metadata,
    Column("call", Key, primary_key=True),
    Column("leg", String(1), primary_key=True),
    Column("keeper", String(64), nullable=False),
    Column("owner", String(64), nullable=False),
    Column("binding", Key, nullable=False),
    Column("party", Key, nullable=False),
    Column("number", String(24), nullable=False),
    Column("started", Double, nullable=False),
    Column("answered", Double),
    Column("by_code", Boolean, nullable=False),
    Column("until", Double, nullable=False),
    Column("seen", Double, nullable=False),
)
"""Legs in progress on our own lines: what becomes of their records if their process (`keeper`) dies. `until`: over at
the latest; `seen`: when the row was written."""

tag_key = Table(
    "masking_tag_key",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("former", Integer),
)
"""One row at most, else the oldest key: the master key on which the hashes of `parties` hang, and while they are turned
over the former one."""
