"""Simulated people on real SIP phones: a patient who speaks and listens, an agent who answers and takes the call."""
