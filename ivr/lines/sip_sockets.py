"""How many calls the sockets of this process allow."""

import resource

_PER_CALL = 2
_ALL_ELSE = 256
"""Files and sockets of everything that is not a call."""


def calls_with_sockets(wanted: int) -> int:
    """Raise the process's limit of open files as far as it may and as `wanted` calls need; the calls that fit then.
    The usual limit of 1,024 files is too low for 512 calls, and a call that finds no socket is lost."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = _PER_CALL * wanted + _ALL_ELSE
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return min(wanted, max(1, (allowed - _ALL_ELSE) // _PER_CALL))
