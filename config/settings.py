"""Every setting of the hotline, with its meaning. Read once at start from TOML and the environment, then frozen.

Order, later wins: config/default.toml, config/triageline.toml (yours, if it exists) or the file named by --config,
environment variables TRIAGELINE_<SECTION>__<NAME>. Secrets are never in a file: settings name where they are.
"""

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
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
    """Address to listen on."""
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
    """Encrypted sound (SRTP): "off", "offer" beside plain sound, or "require": calls without it are refused."""
    tls_port: int = Field(0, ge=0, le=65535)
    """TCP port for SIP over TLS, usually 5061; 0: no TLS."""
    tls_certificate: str = ""
    """Our certificate with its chain, PEM; needed for TLS."""
    tls_key: str = ""
    """Its private key, PEM."""
    tls_ca: str = ""
    """Certificates of those who may sign our peers', PEM; empty: the machine's own list. A trunk's certificate is
    always checked when we call it."""
    tls_require_client_certificate: bool = False
    """Whether whoever connects by TLS must show a certificate signed by one of `tls_ca`."""
    outbound: str = ""
    """Address for calling a caller back after a fault, with {number} (with +) or {digits} (without) in it, for example
    "sip:{number}@trunk.example:5060"; empty: such callers become callbacks owed."""


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
    hint = "there is no such setting" if first["type"] == "extra_forbidden" else str(first["msg"]).lower()
    return f"the setting {'.'.join(path)} in {where} is wrong: {hint}"


def resolve(path: Path) -> Path:
    """A path of the settings, from the project's folder where it is relative."""
    return path if path.is_absolute() else ROOT / path
