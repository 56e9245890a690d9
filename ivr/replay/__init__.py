"""Calls recorded for test, run again through the present version, and what came out differently."""
