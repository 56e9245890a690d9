"""Where everything lies: the same for all processes, so it is worked out beside the settings."""

from config.places import LONGEST_RUN, Places, places, prepare

__all__ = ["LONGEST_RUN", "Places", "places", "prepare"]
