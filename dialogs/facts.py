"""What is known about the person who is ill: the whole input of the triage engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


class Finding(StrEnum):
    """What is known about one finding."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class Who(StrEnum):
    """For whom the caller speaks."""

    SELF = "self"
    CHILD = "child"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Facts of one conversation. None means not asked yet; a name in `unknown` means asked and not known."""

    complaint: str | None = None
    """Main complaint, a name of the knowledge base."""
    also: tuple[str, ...] = ()
    """Further complaints mentioned; they count for the level, not for the department."""
    for_whom: Who | None = None
    """Who is ill."""
    age_years: float | None = None
    """Age in years; months are fractions."""
    onset_hours: float | None = None
    """Hours since it began."""
    severity: int | None = None
    """0 to 10."""
    findings: Mapping[str, Finding] = field(default_factory=dict)
    """Answers by the finding's name."""
    modifiers: frozenset[str] = frozenset()
    """Conditions that raise the level by rule, for example "pregnancy"."""
    risk_asked: bool = False
    """Whether the question about such conditions was answered."""
    unknown: frozenset[str] = frozenset()
    """Questions answered with "I don't know": "for_whom", "age", "onset", "severity", "risk"."""

    def with_finding(self, name: str, value: Finding) -> "Facts":
        """The same facts and one more finding."""
        return replace(self, findings={**self.findings, name: value})

    def to_json(self) -> dict[str, Any]:
        """Plain data for the tracker of the conversation."""
        return {
            "complaint": self.complaint,
            "also": list(self.also),
            "for_whom": self.for_whom,
            "age_years": self.age_years,
            "onset_hours": self.onset_hours,
            "severity": self.severity,
            "findings": dict(self.findings),
            "modifiers": sorted(self.modifiers),
            "risk_asked": self.risk_asked,
            "unknown": sorted(self.unknown),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Facts":
        """The reverse of `to_json`. Raises KeyError, TypeError or ValueError for other data."""
        return cls(
            complaint=data["complaint"],
            also=tuple(data["also"]),
            for_whom=None if data["for_whom"] is None else Who(data["for_whom"]),
            age_years=data["age_years"],
            onset_hours=data["onset_hours"],
            severity=data["severity"],
            findings={name: Finding(value) for name, value in data["findings"].items()},
            modifiers=frozenset(data["modifiers"]),
            risk_asked=bool(data["risk_asked"]),
            unknown=frozenset(data["unknown"]),
        )
