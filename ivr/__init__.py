"""The phone side: SIP lines, audio, voices and one pure call machine."""
