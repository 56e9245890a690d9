"""A farm of simulated callers: bounded loopback calls from a matrix of voices, rates, noise, loss and codecs."""
