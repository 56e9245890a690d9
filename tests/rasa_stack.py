"""The dialogue's processes as tests start them, and break them."""

import time
from pathlib import Path

from dialogs.stack import RasaStack as Stack
from dialogs.stack import free_port as free_port
from routing.processes import find_redis

ROOT = Path(__file__).resolve().parent.parent


class RasaStack(Stack):
    """Redis, action server and Rasa, each of which can be killed."""

    def __init__(self, root: Path = ROOT) -> None:
        super().__init__(root, str(find_redis()))

    def kill(self, name: str) -> None:
        """End one process at once, for tests of failure."""
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def revive(self, name: str) -> None:
        """Start a killed process again and wait until it answers."""
        self.spawn(self.specs[name])
        self.wait(self.place.rasa_health if name == "rasa" else self.place.actions_health)
        while name == "redis" and not self.place.redis_socket.is_socket():
            time.sleep(0.05)
