"""Settings: what is wrong is said in one sentence that names the setting and where it stands."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from config.settings import DEFAULT, ROOT, SettingsError, load, resolve


@pytest.fixture(autouse=True)
def _own_environment() -> Iterator[None]:
    """Each test with the variables it sets, and afterwards as before."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("TRIAGELINE_")]:
        del os.environ[name]
    yield
    os.environ.clear()
    os.environ.update(before)


def wrong(folder: Path, text: str) -> str:
    """The sentence about a settings file."""
    file = folder / "mine.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        load(file)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_the_shipped_settings_are_the_defaults_of_the_code(tmp_path: Path) -> None:
    empty = tmp_path / "empty.toml"
    empty.write_text("", encoding="utf-8")
    settings = load(empty)
    assert type(settings)().model_dump() == settings.model_dump()
    for section, model in settings:
        assert model == type(model)(), f"{section} of {DEFAULT.name} differs from the code"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("[sip]\nport = 70000", "sip.port"),
        ('[sip]\nport = "abc"', "sip.port"),
        ('[sip]\nbind = "::1"', "sip.bind"),
        ('[sip]\nbind = "hotline.example"', "sip.bind"),
        ('[hotline]\nemergency_number = "call me"', "hotline.emergency_number"),
        ('[hotline]\nname = ""', "hotline.name"),
        ("[hotline]\ncallers = 0", "hotline.callers"),
        ("[rasa]\nseconds = 60.0", "rasa.seconds"),
        ('[sip]\nshown_user = "+1 202"', "sip.shown_user"),
    ],
)
def test_a_wrong_value_is_named_with_its_file(tmp_path: Path, text: str, name: str) -> None:
    said = wrong(tmp_path, text)
    assert f"the setting {name} in {tmp_path / 'mine.toml'} is wrong" in said


@pytest.mark.parametrize(("text", "name"), [("[sip]\nprot = 5060", "sip.prot"), ("[spi]\nport = 5060", "spi")])
def test_a_misspelt_name_is_an_error(tmp_path: Path, text: str, name: str) -> None:
    said = wrong(tmp_path, text)
    assert f"the setting {name} in" in said
    assert "there is no such setting" in said


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "mine.toml") in wrong(tmp_path, "[sip\nport = ")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no settings file .*none.toml"):
        load(tmp_path / "none.toml")


def test_the_environment_wins_over_the_own_file_and_that_over_the_shipped_one(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text("[sip]\nport = 5080\n[hotline]\ncallers = 7\n", encoding="utf-8")
    os.environ["TRIAGELINE_SIP__PORT"] = "5090"
    settings = load(own)
    assert (settings.sip.port, settings.hotline.callers, settings.sip.tcp) == (5090, 7, True)


def test_a_wrong_variable_is_named_as_a_variable(tmp_path: Path) -> None:
    empty = tmp_path / "empty.toml"
    empty.write_text("", encoding="utf-8")
    os.environ["TRIAGELINE_SIP__PORT"] = "none"
    with pytest.raises(SettingsError, match="environment variable TRIAGELINE_SIP__PORT"):
        load(empty)


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    empty = tmp_path / "empty.toml"
    empty.write_text("", encoding="utf-8")
    settings = load(empty)
    with pytest.raises(ValidationError):
        settings.sip.port = 1  # type: ignore[misc]


def test_relative_paths_count_from_the_project() -> None:
    assert resolve(Path("var")) == ROOT / "var"
    assert resolve(Path("/srv/x")) == Path("/srv/x")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('database = "mysql://here/there"', "database"),
        ('hotline_numbers = ["2025550100"]', "hotline_numbers"),
        ('hotline_numbers = ["+1 202 555 0100"]', "hotline_numbers"),
        ('countries = ["us"]', "countries"),
    ],
)
def test_wrong_settings_of_masking_are_named_and_never_shown(tmp_path: Path, text: str, name: str) -> None:
    said = wrong(tmp_path, f"[masking]\n{text}")
    assert f"the setting masking.{name} in" in said
    assert "555" not in said
    assert "there" not in said


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('twilio_public_url = "http://calls.example"', "an address begins with https://"),
        ('twilio_public_url = "https://calls.example/"', "no slash at its end"),
        ('twilio_hotline = "12025550100"', "a number with plus"),
    ],
)
def test_what_twilio_needs_is_explained(tmp_path: Path, line: str, why: str) -> None:
    told = wrong(tmp_path, f"[masking]\n{line}\n")
    assert f"masking.{line.split()[0]}" in told
    assert why in told
