"""The pure core of a call: events in, commands out."""
