"""The supervisor's configuration: every part as it was meant, and no secret in a file."""

import configparser
import shlex
from pathlib import Path

import pytest

from ivr.supervise import Part, configuration

RUN, LOG = Path("/srv/t/run"), Path("/srv/t/log")
PARTS = (
    Part(name="redis", argv=("redis-server", "--save", ""), order=1, stop_seconds=5),
    Part(
        name="worker",
        argv=("python", "-c", "print(\"100% 'sure'; yes\")", "a b"),
        env={"LANG": "C.UTF-8", "ODD": "50%, it's = half"},
        order=9,
        folder="/srv/with space",
    ),
)


def read(parts: tuple[Part, ...] = PARTS) -> configparser.RawConfigParser:
    """As an ini file; supervisord expands percent signs itself."""
    parser = configparser.RawConfigParser(inline_comment_prefixes=None)
    parser.read_string(configuration(parts, RUN, LOG))
    return parser


def test_every_part_is_a_program_in_order() -> None:
    parser = read()
    assert [int(parser[f"program:{part.name}"]["priority"]) for part in PARTS] == [1, 9]
    assert parser["program:redis"]["stopwaitsecs"] == "5"
    assert parser["program:redis"]["autorestart"] == "true"


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_arguments_survive_the_quoting(part: Part) -> None:
    command = read()[f"program:{part.name}"]["command"].replace("%%", "%")
    assert tuple(shlex.split(command)) == part.argv


def test_supervisor_itself_reads_the_same() -> None:
    from supervisor.datatypes import dict_of_key_value_pairs
    from supervisor.options import expand

    section = read()["program:worker"]
    assert tuple(shlex.split(expand(section["command"], {}, "command"))) == PARTS[1].argv
    assert dict_of_key_value_pairs(expand(section["environment"], {}, "environment")) == dict(PARTS[1].env)
    assert section["directory"] == "/srv/with space"


def test_only_the_owner_can_talk_to_the_supervisor() -> None:
    parser = read()
    assert parser["unix_http_server"]["chmod"] == "0600"
    assert parser["supervisord"]["umask"] == "077"
    assert "inet_http_server" not in parser


def test_no_secret_of_the_plan_is_in_the_text() -> None:
    from config.settings import Settings
    from ivr.bootstrap.parts import plan
    from ivr.bootstrap.places import places

    settings = Settings()
    made = plan(settings, places(settings))
    text = configuration(made.parts, RUN, LOG)
    assert len(made.secrets) == 2
    for secret in made.secrets.values():
        assert len(secret) > 20
        assert secret not in text
    assert [part.name for part in made.parts] == ["redis", "actions", "rasa", "edge", "console", "worker-1", "worker-2"]


def test_workers_stop_together() -> None:
    """Parts that are not of one group stop one after the other, each with its own drain time."""
    parts = tuple(Part(name=f"worker-{number}", argv=("w",), order=9, group="workers") for number in (1, 2))
    read = configparser.RawConfigParser()
    read.read_string(configuration((*parts, Part(name="redis", argv=("r",), order=1)), RUN, LOG))
    assert read["group:workers"]["programs"] == "worker-1,worker-2"
    assert read["group:workers"]["priority"] == "9"
    assert [name for name in read.sections() if name.startswith("group:")] == ["group:workers"]
