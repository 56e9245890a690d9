"""Reading TOML files with errors that name the file and the field."""

import datetime
import tomllib
from pathlib import Path
from typing import Any


class DataError(Exception):
    """A data file is missing, unreadable or wrong; the message names file and field."""


class Table:
    """One table of a TOML file; every getter raises DataError with the place of the fault."""

    def __init__(self, data: dict[str, Any], place: str) -> None:
        self._data = data
        self._place = place

    @classmethod
    def load(cls, path: Path) -> "Table":
        """The whole file. Raises DataError where it cannot be read or parsed."""
        try:
            with path.open("rb") as file:
                return cls(tomllib.load(file), path.name)
        except OSError as error:
            raise DataError(f"{path.name}: cannot be read ({error.strerror})") from error
        except tomllib.TOMLDecodeError as error:
            raise DataError(f"{path.name}: {error}") from error

    @property
    def place(self) -> str:
        """File and path of this table, for messages."""
        return self._place

    def names(self) -> tuple[str, ...]:
        """Names of the fields present, in the file's order."""
        return tuple(self._data)

    def only(self, *allowed: str) -> None:
        """Refuse unknown fields: a misspelt one must not be ignored."""
        for name in self._data:
            if name not in allowed:
                raise DataError(f"{self._place}: unknown field {name!r} (known: {', '.join(sorted(allowed))})")

    def text(self, name: str, default: str | None = None) -> str:
        """A string that is not empty."""
        value = self._get(name, default)
        if not isinstance(value, str) or (not value and default is None):
            raise self.wrong(name, "a text")
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """An integer or float."""
        value = self._get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(name, "a number")
        return float(value)

    def maybe_number(self, name: str) -> float | None:
        """A number, or None where the field is not there."""
        return self.number(name) if name in self._data else None

    def date(self, name: str) -> datetime.date:
        """A TOML date."""
        value = self._get(name, None)
        if not isinstance(value, datetime.date):
            raise self.wrong(name, "a date like 2026-11-23")
        return value

    def texts(self, name: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A list of strings."""
        value = self._get(name, list(default) if default is not None else None)
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self.wrong(name, "a list of texts")
        return tuple(value)

    def table(self, name: str) -> "Table":
        """A table inside; an empty one where it is not there."""
        value = self._data.get(name, {})
        if not isinstance(value, dict):
            raise self.wrong(name, "a table")
        return Table(value, f"{self._place} {name}")

    def tables(self, name: str) -> tuple["Table", ...]:
        """A list of tables; empty where it is not there."""
        value = self._data.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.wrong(name, "a list of tables")
        return tuple(Table(item, f"{self._place} {name} {number}") for number, item in enumerate(value, 1))

    def wrong(self, name: str, wanted: str) -> DataError:
        """The error for a field of the wrong kind."""
        return DataError(f"{self._place}: field {name!r} must be {wanted}")

    def _get(self, name: str, default: Any) -> Any:
        value = self._data.get(name, default)
        if value is None:
            raise DataError(f"{self._place}: field {name!r} is missing")
        return value
