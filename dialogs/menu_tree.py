"""The keypad menu as data: menu.toml for the tree, menu/<language>.toml for what may be said instead of a key. Pure."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dialogs.port import Level

YES_KEY, NO_KEY = "1", "2"


class MenuError(ValueError):
    """A menu that cannot be used; names the file and what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One question of the menu."""

    name: str
    """Stable name."""
    ask: str
    """Key of the sentence that asks."""
    keys: Mapping[str, str]
    """Digit → name of the next node or end."""
    unclear: Level
    """Urgency of the human asked for when the answer was not understood twice."""
    yes_no: bool = False
    """Whether 1 means yes and 2 means no."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Where a way through the menu ends."""

    name: str
    """Stable name."""
    say: tuple[str, ...]
    """Keys of the sentences, in order."""
    level: Level
    """Level of care."""
    reason: str
    """Stable name of the reason."""
    department: str
    """Department; empty where any agent will do and nothing was triaged."""
    complaint: str
    """Stable name of the complaint; empty where nothing was triaged."""
    summary: str
    """Key of the agent's sentence; empty where no human is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuTree:
    """The whole menu; checked to be finite and closed."""

    version: str
    """Version, part of every result."""
    start: Node
    """First question."""
    nodes: Mapping[str, Node]
    """Questions by name."""
    ends: Mapping[str, End]
    """Ends by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuWords:
    """What may be said in one language."""

    keys: Mapping[str, tuple[str, ...]]
    """Digit → phrases."""
    yes: tuple[str, ...]
    """Phrases for yes."""
    no: tuple[str, ...]
    """Phrases for no."""

    def phrases(self, node: Node) -> dict[str, str]:
        """Phrase → digit, for the digits that `node` takes and 0."""
        said = {phrase: digit for digit in ("0", *node.keys) for phrase in self.keys.get(digit, ())}
        if node.yes_no:
            said |= dict.fromkeys(self.yes, YES_KEY) | dict.fromkeys(self.no, NO_KEY)
        return said


def load_menu(path: Path) -> MenuTree:
    """The tree in a TOML file. Raises MenuError."""
    data = _read(path)
    try:
        nodes = {name: _node(name, entry) for name, entry in data["node"].items()}
        ends = {name: _end(name, entry) for name, entry in data["end"].items()}
        tree = MenuTree(version=str(data["version"]), start=nodes[data["start"]], nodes=nodes, ends=ends)
    except KeyError as error:
        raise MenuError(f"{path}: {error} is missing") from error
    except ValueError as error:
        raise MenuError(f"{path}: {error}") from error
    _follow(path, tree, tree.start, ())
    return tree


def load_menu_words(folder: Path) -> dict[str, MenuWords]:
    """Spoken keys by language. Raises MenuError."""
    words: dict[str, MenuWords] = {}
    for path in sorted(folder.glob("*.toml")):
        data = _read(path)
        try:
            keys = {digit: tuple(phrases) for digit, phrases in data["keys"].items()}
            words[path.stem] = MenuWords(keys=keys, yes=tuple(data["yes"]), no=tuple(data["no"]))
        except KeyError as error:
            raise MenuError(f"{path}: {error} is missing") from error
    return words


def _read(path: Path) -> dict[str, Any]:
    """One TOML file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MenuError(f"{path}: file is missing") from None
    except tomllib.TOMLDecodeError as error:
        raise MenuError(f"{path}: {error}") from error


def _node(name: str, entry: Mapping[str, Any]) -> Node:
    """One question."""
    unclear, yes_no = Level(entry["unclear"]), bool(entry.get("yes_no", False))
    return Node(name=name, ask=entry["ask"], keys=dict(entry["keys"]), unclear=unclear, yes_no=yes_no)


def _end(name: str, entry: Mapping[str, Any]) -> End:
    """One end."""
    return End(
        name=name,
        say=tuple(entry["say"]),
        level=Level(entry["level"]),
        reason=entry["reason"],
        department=entry.get("department", ""),
        complaint=entry.get("complaint", ""),
        summary=entry.get("summary", ""),
    )


def _follow(path: Path, tree: MenuTree, node: Node, seen: tuple[str, ...]) -> None:
    """Walk every way from `node`. Raises MenuError where one leads nowhere or in a circle."""
    if node.name in seen:
        raise MenuError(f"{path}: {node.name} is reached from itself")
    for digit, target in node.keys.items():
        if target in tree.nodes:
            _follow(path, tree, tree.nodes[target], (*seen, node.name))
        elif target not in tree.ends:
            raise MenuError(f"{path}: key {digit} of {node.name} leads to {target!r}, which is nowhere")
