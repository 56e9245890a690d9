"""Phone lines: SIP by pjsua2, and the same port over WAV files."""
