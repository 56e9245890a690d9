"""Every setting of the hotline, with its meaning. Read once at start from TOML and the environment, then frozen.

Order, later wins: config/default.toml, config/triageline.toml (yours, if it exists) or the file named by --config,
environment variables TRIAGELINE_<SECTION>__<NAME>. Secrets are never in a file: settings name where they are.
"""

import os
from pathlib import Path
from typing import Any

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


class Speech(Section):
    """Ears and voices."""

    model: str = ""
    """Folder of a recognition model; empty takes the installed or the bundled one."""
    mirror: str = ""
    """Address to fetch models from instead of their publisher."""
    voices: tuple[str, ...] = ("piper", "espeak:en-us", "pyttsx3")
    """Voices in the order in which they are tried."""


class Rasa(Section):
    """The dialogue server."""

    seconds: float = Field(2.5, gt=0, le=5)
    """Longest wait for a turn before the keypad menu takes over."""


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


class Settings(BaseSettings):
    """All settings."""

    model_config = SettingsConfigDict(
        env_prefix="TRIAGELINE_", env_nested_delimiter="__", frozen=True, extra="forbid", toml_file=DEFAULT
    )

    hotline: Hotline = Hotline()
    sip: Sip = Sip()
    speech: Speech = Speech()
    rasa: Rasa = Rasa()
    paths: Paths = Paths()

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
