"""Settings, read once at start and frozen."""
