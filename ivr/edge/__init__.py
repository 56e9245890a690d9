"""The edge: the one SIP address in front of the workers, and what the proxy there has to know."""
