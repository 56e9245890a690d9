"""sipp against the running hotline, with the scenarios of this folder."""

from pathlib import Path

from tests.sip import support

SCENARIOS = Path(__file__).parent / "scenarios"


class Sipp(support.Sipp):
    """One scenario run as a caller."""

    def __init__(self, scenario: str, folder: Path, *, target: int) -> None:
        # A path of its own, from the folder that the class below looks in.
        super().__init__(f"../../hotline/scenarios/{scenario}", folder, target=target)
