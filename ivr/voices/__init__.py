"""Voices: text to telephone audio, cached, with a next voice when one fails."""
