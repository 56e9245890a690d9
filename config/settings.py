# Size: every setting of the hotline in one place, with its meaning.
"""Every setting of the hotline, with its meaning. Read once at start from TOML and the environment, then frozen.

Order, later wins: config/default.toml, config/triageline.toml (yours, if it exists) or the file named by --config,
environment variables TRIAGELINE_<SECTION>__<NAME>. Secrets are never in a file: settings name where they are.
"""

import ipaddress
import os
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

ROOT = Path(__file__).resolve().parent.parent
DEFAULT = ROOT / "config" / "default.toml"
OWN = ROOT / "config" / "triageline.toml"


class SettingsError(Exception):
    """A setting is missing or wrong; the message names the setting and the file in one sentence."""


class Section(BaseModel):
    """Common rules of all sections: frozen, and a misspelt name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Hotline(Section):
    """What callers meet."""

    name: str = Field("the medical hotline", min_length=1)
    """How the line calls itself."""
    language: str = Field("en", pattern="^[a-z]{2}$")
    """Language in which calls start, ISO 639-1."""
    emergency_number: str = Field("911", pattern=r"^\d{2,6}$")
    """Emergency number of the country, told to callers in danger."""
    region: str = Field("US", pattern="^[A-Z]{2}$")
    """Country of callers' numbers without a country code, ISO 3166."""
    callers: int = Field(20, ge=1, le=500)
    """Callers at once in one worker; every caller may need a second leg, so at most half of the call limit."""
    drain_seconds: float = Field(120.0, ge=0)
    """How long a stop waits for calls in progress."""
    workers: int = Field(1, ge=1, le=64)
    """Processes that take calls; `callers` counts for each, so the hotline takes workers times callers. More than one
    needs `sip.edge`."""
    spare: bool = True
    """Whether one more process stands by, loaded, to take over within a second when another dies or restarts."""
    restart_seconds: float = Field(1800.0, ge=0)
    """How long `triageline workers restart` waits for a worker's calls to end; they are never cut."""
    frozen_seconds: float = Field(3.0, ge=1)
    """A worker that gives no sign of life for so long is killed and replaced."""


class Sip(Section):
    """The SIP port."""

    bind: str = "127.0.0.1"
    """IPv4 address to listen on. There is no SIP over IPv6: the edge's lists, rates and rules are written for IPv4."""
    port: int = Field(5060, ge=0, le=65535)
    """UDP and TCP port; 0 takes any free one."""
    tcp: bool = True
    """Whether TCP is listened on as well."""
    shown_user: str = Field("triage", pattern="^[A-Za-z0-9+*#_-]{1,32}$")
    """What agents' phones show as the caller: a name or number of ours."""
    allow_old_build: bool = False
    """Whether a pjsua2 older than 2.16 may listen on an address other than loopback."""
    edge: bool = True
    """Whether Kamailio stands in front: registrar, allow-list, throttle, TLS, several workers. False: the one worker
    takes calls itself, from everybody who can reach the port, and phones cannot register."""
    peers: tuple[str, ...] = ("127.0.0.1",)
    """Networks that may call without registration, beside trunks; an address or CIDR, IPv4. Everybody else is refused.
    Trunks belong into config/trunks.toml, which limits their calls one by one."""
    digest_md5: bool = True
    """Whether a registering phone may prove itself by MD5. Many phones know nothing better; SHA-256 is offered first
    and taken by those that can. Set false when all of yours can: MD5 makes a weak password easier to guess for whoever
    can listen on the way."""
    srtp: Literal["off", "offer", "require"] = "offer"
    """Encrypted sound (SRTP): "off", "offer" beside plain sound, or "require": calls without it are refused, and calls
    without TLS as well, since the keys stand in the signalling (this machine's own loopback is let off)."""
    tls_port: int = Field(0, ge=0, le=65535)
    """TCP port for SIP over TLS, usually 5061; 0: no TLS."""
    tls_certificate: str = ""
    """Our certificate with its chain, PEM; needed for TLS."""
    tls_key: str = ""
    """Its private key, PEM."""
    tls_ca: str = ""
    """Certificates of those who may sign our peers', PEM; empty: the machine's own list. Needed for trunks and agents'
    phones that are called by TLS: theirs are always checked."""
    tls_require_client_certificate: bool = False
    """Whether whoever connects by TLS must show a certificate signed by one of `tls_ca`."""
    outbound: str = ""
    """Address for calling a caller back after a fault, with {number} (with +) or {digits} (without) in it, for example
    "sip:{number}@trunk.example:5060"; empty: such callers become callbacks owed."""

    @field_validator("bind")
    @classmethod
    def _ipv4(cls, bind: str) -> str:
        try:
            return str(ipaddress.IPv4Address(bind))
        except ValueError:
            raise ValueError(
                "it must be an IPv4 address of this machine such as 192.0.2.5; names and ipv6 are not supported for sip"
            ) from None


class Speech(Section):
    """Ears and voices."""

    model: str = ""
    """Folder of a recognition model; empty takes the installed or the bundled one."""
    mirror: str = ""
    """Address to fetch models from instead of their publisher."""
    second_pass: Literal["off", "whisper"] = "off"
    """Whether another engine listens to every finished utterance again, behind the conversation and for dangers alone:
    it may raise an urgency, never lower one. Half a core-second an utterance; wants requirements/whisper.txt."""
    voices: tuple[str, ...] = ("piper", "espeak:en-us", "pyttsx3")
    """Voices in the order in which they are tried."""


class Rasa(Section):
    """The dialogue server."""

    seconds: float = Field(2.5, gt=0, le=5)
    """Longest wait for a turn before the keypad menu takes over."""


class Records(Section):
    """What is kept of calls, beyond the journal."""

    tapes: bool = False
    """Whether calls are recorded for test: the caller's voice and keys, and every event, sealed under var/tapes, to be
    run again by `triageline calls replay`. Health data in the caller's own voice: switch it on only where the
    hospital's consent and privacy policy covers it. The greeting says so; what is said to an agent is not recorded."""
    tape_days: float = Field(14.0, gt=0, le=3650)
    """How long such a recording is kept, also after `tapes` was switched off."""


class Masking(Section):
    """Virtual numbers between patients and doctors."""

    database: str = Field("", pattern=r"^(postgresql(\+psycopg)?://.+)?$", repr=False)
    """Address of the database of vault, numbers and bindings, for example "postgresql://triageline@db.example/masking";
    empty: SQLite in `paths.var`. One with a password belongs into the environment, TRIAGELINE_MASKING__DATABASE."""
    hotline_numbers: tuple[str, ...] = ()
    """The hotline's own numbers, with plus and country code: never bound or dialled as participants, never taken in as
    virtual numbers, and whoever dials one reaches the hotline."""
    countries: tuple[str, ...] = ()
    """Countries whose numbers may be bound and dialled, ISO 3166; empty: all that have a list in masking/countries.
    Name yours alone where nobody abroad is to be called: what cannot be dialled costs nothing."""
    outbound: str = ""
    """Address for calling the other side, with {number} (with +) or {digits} (without) in it; empty: `sip.outbound`."""
    ring_seconds: float = Field(40.0, ge=5, le=120)
    """How long the other side's phone rings."""
    provider: Literal["sip", "twilio"] = "sip"
    """Who carries out click-to-calls: the SIP line, or Twilio by REST."""
    texts: Literal["off", "sip", "twilio"] = "off"
    """By whom texts between patients and doctors go: nobody, the trunks with `texts = true`, or Twilio."""
    texts_per_pair_hour: int = Field(60, ge=4, le=10_000)
    """Texts of one patient or doctor to one virtual number; of all numbers together twice as many."""
    sip_texts_port: int = Field(25070, ge=1024, le=65535)
    """UDP port on 127.0.0.1 where the edge brings texts."""
    twilio_public_url: str = ""
    """Our address as Twilio reaches it, for example "https://calls.hospital.example", without a slash at the end;
    empty: no Twilio. The account is in the environment: TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN."""
    twilio_hotline: str = ""
    """Where calls on Twilio reach a human of ours: "sip:hotline@calls.hospital.example", or a number with plus. Calls
    to numbers that are not masked, and all calls while masking is unavailable, go there."""
    twilio_api_url: str = "https://api.twilio.com"
    """Address of Twilio's REST API."""
    webhook_networks: tuple[str, ...] = ()
    """Private networks (CIDR) in which webhooks may lie, for example "10.20.0.0/16"; there plain http is allowed as
    well. Public addresses need https; every other one is refused."""
    webhook_authorities: str = ""
    """Certificates to trust for webhooks beside the machine's own list, PEM; for a hospital's own authority."""
    event_days: float = Field(30.0, ge=2, le=3650)
    """How long events, and what webhooks were told of them, are kept."""
    record_days: float = Field(365.0, ge=1, le=36500)
    """How long records of masked calls are kept."""
    calls_per_caller_hour: int = Field(30, ge=4, le=10_000)
    """Masked calls of one patient or doctor. Limits of those who have a binding are wide on purpose: somebody in
    distress calls again and again, and must not be kept out; who is limited hears so, or reaches the hotline."""
    calls_per_pair_hour: int = Field(20, ge=4, le=10_000)
    """Masked calls of one patient or doctor to one virtual number."""
    calls_per_number_minute: int = Field(120, ge=4, le=100_000)
    """Masked calls to one virtual number by all who have a binding."""
    stranger_calls_per_hour: int = Field(12, ge=1, le=10_000)
    """Calls of one caller to virtual numbers without a binding for them."""
    stranger_calls_per_number_minute: int = Field(20, ge=1, le=100_000)
    """Calls to one virtual number by all without a binding for it. They are counted apart, so that they use up nothing
    of the patients'."""
    stranger_calls_per_source_minute: int = Field(120, ge=1, le=100_000)
    """Calls without a binding from one trunk or network."""
    scan_numbers: int = Field(8, ge=2, le=10_000)
    """Different virtual numbers that one caller may try without a binding in ten minutes (a trunk: five times as many)
    before calls without a binding are turned away for an hour. Calls with one always go on."""
    complaints_alert: int = Field(3, ge=1, le=1000)
    """Complaints about a virtual number in 30 days from which on the operator is told."""

    @field_validator("twilio_public_url", "twilio_api_url")
    @classmethod
    def _web_address(cls, url: str) -> str:
        # Plain http for this machine alone: requests hold numbers, and answers too.
        if url and not re.fullmatch(r"(https://[^\s/?#]+|http://127\.0\.0\.1:\d+)(/[^\s?#]*[^\s?#/])?", url):
            raise ValueError("an address begins with https:// and has no slash at its end")
        return url

    @field_validator("twilio_hotline")
    @classmethod
    def _reached(cls, address: str) -> str:
        if address and not re.fullmatch(r"sips?:[^\s@]+@[^\s@]+|\+[1-9]\d{5,14}", address):
            raise ValueError('the hotline is "sip:user@host", or a number with plus and country code')
        return address

    @field_validator("webhook_networks")
    @classmethod
    def _networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        try:
            for network in networks:
                ipaddress.ip_network(network)
        except ValueError:
            raise ValueError("a network is written like 10.20.0.0/16") from None
        return networks

    @field_validator("hotline_numbers")
    @classmethod
    def _with_plus(cls, numbers: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.fullmatch(r"\+[1-9]\d{5,14}", number) for number in numbers):
            raise ValueError("every number needs a plus, the country code and digits alone")
        return numbers

    @field_validator("countries")
    @classmethod
    def _two_letters(cls, countries: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.fullmatch(r"[A-Z]{2}", country) for country in countries):
            raise ValueError("a country is two capital letters (ISO 3166)")
        return countries


class Console(Section):
    """The web API."""

    enabled: bool = True
    """Whether `triageline up` serves it. No address of it answers without a token (`triageline tokens create`)."""
    bind: str = "127.0.0.1"
    """Address to listen on; other than loopback it needs TLS, for requests carry numbers."""
    port: int = Field(8080, ge=0, le=65535)
    """TCP port; 0 takes any free one. var/run/console.json says which."""
    tls_certificate: str = ""
    """Our certificate with its chain, PEM; empty: no TLS, or a proxy on this machine does it."""
    tls_key: str = ""
    """Its private key, PEM."""


class Paths(Section):
    """Where things lie; relative ones count from the project's folder."""

    var: Path = Path("var")
    """Database, keys, logs and run-time files."""
    models: Path = Path("var/models")
    """Recognition models."""
    cache: Path = Path("var/cache")
    """Rendered prompts; may be deleted at any time."""
    dialogue: Path = Path("var/rasa/models")
    """Trained dialogue models."""
    agents: Path = Path("config/agents.toml")
    """Agents' phones."""
    trunks: Path = Path("config/trunks.toml")
    """Carriers and PBXs."""


class Metrics(Section):
    """What can be seen of the hotline from outside; no personal data."""

    port: int = Field(0, ge=0, le=65000)
    """Figures for Prometheus: `triageline up` at http://BIND:PORT/metrics, worker n at PORT + n; 0 for none."""
    bind: str = "127.0.0.1"
    """Address on which figures are shown. They have no password: another address needs a firewall."""
    otlp: str = Field("", pattern="^(https?://.+)?$")
    """Where OpenTelemetry spans are sent, OTLP over HTTP, for example "http://127.0.0.1:4318/v1/traces"; empty for
    nowhere."""


class Logs(Section):
    """Log files."""

    format: Literal["text", "json"] = "text"
    """"text" for people, "json" for one object a line."""


class Settings(BaseSettings):
    """All settings."""

    model_config = SettingsConfigDict(
        env_prefix="TRIAGELINE_", env_nested_delimiter="__", frozen=True, extra="forbid", toml_file=DEFAULT
    )

    hotline: Hotline = Hotline()
    sip: Sip = Sip()
    speech: Speech = Speech()
    rasa: Rasa = Rasa()
    records: Records = Records()
    masking: Masking = Masking()
    console: Console = Console()
    paths: Paths = Paths()
    metrics: Metrics = Metrics()
    logs: Logs = Logs()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment over own file over default.toml."""
        own = Path(os.environ.get("TRIAGELINE_CONFIG") or OWN)
        return (
            env_settings,
            TomlConfigSettingsSource(settings_cls, own),
            TomlConfigSettingsSource(settings_cls, DEFAULT),
        )


def load(file: Path | None = None) -> Settings:
    """Read the settings. Raises SettingsError."""
    if file is not None:
        if not file.is_file():
            raise SettingsError(f"there is no settings file {file}")
        os.environ["TRIAGELINE_CONFIG"] = str(file)
    own = Path(os.environ.get("TRIAGELINE_CONFIG") or OWN)
    try:
        return Settings()
    except ValidationError as wrong:
        raise SettingsError(sentence(wrong, own)) from None
    except (OSError, ValueError) as wrong:
        raise SettingsError(f"the settings in {own if own.exists() else DEFAULT} cannot be read: {wrong}") from None


def sentence(wrong: ValidationError, own: Path) -> str:
    """The first mistake in one sentence: which setting, where, and what is wrong with it."""
    first: Any = wrong.errors(include_url=False, include_context=False)[0]
    path = [str(part) for part in first["loc"]]
    variable = "TRIAGELINE_" + "__".join(path).upper()
    where = f"the environment variable {variable}" if variable in os.environ else str(own if own.exists() else DEFAULT)
    said = str(first["msg"]).lower().removeprefix("value error, ")
    hint = "there is no such setting" if first["type"] == "extra_forbidden" else said
    return f"the setting {'.'.join(path)} in {where} is wrong: {hint}"


def resolve(path: Path) -> Path:
    """A path of the settings, from the project's folder where it is relative."""
    return path if path.is_absolute() else ROOT / path
