"""`triageline agents password`: what proves an agent's phone, made, kept sealed, taken away."""

import asyncio
import sys

from config.settings import Settings
from ivr.bootstrap.places import places, prepare
from ivr.edge.digest import PasswordRefused, new_password, phone_key
from ivr.edge.rpc import EdgeError
from records import database
from records.keys import keys_from_folder
from records.phones_sql import SqlPhones
from records.port import PhoneSecret
from records.store import Store
from routing.agents import load_agents


def change_password(settings: Settings, agent: str, *, from_stdin: bool, remove: bool) -> str:
    """Make, take or remove a password; the text for the operator. A running hotline knows it two seconds later. Raises
    EdgeError and the rooms' errors, each one sentence."""
    where = places(settings)
    prepare(where)
    known = {one.id: one for one in load_agents(where.agents).agents}
    if agent not in known and not remove:
        raise EdgeError(f"there is no agent {agent} in {where.agents}")
    store = Store(database.prepare(where.database))
    phones = SqlPhones(store, keys_from_folder(where.keys))
    try:
        if remove:
            asyncio.run(phones.remove(agent))
            return f"{agent} has no password any more; its phone cannot register"
        password = sys.stdin.readline().rstrip("\r\n") if from_stdin else new_password()
        key = phone_key(agent, password)
        asyncio.run(phones.keep(PhoneSecret(agent=agent, sha256=key.sha256, md5=key.md5)))
    except KeyError:
        raise EdgeError(f"{agent} has no password") from None
    except PasswordRefused as refused:
        raise EdgeError(str(refused)) from None
    finally:
        store.close()
    fixed = f'; but "{agent}" has an address in {where.agents}: leave that out, or the phone cannot register'
    note = fixed if known[agent].address else ""
    return f"kept{note}" if from_stdin else f"{password}\nshown once; user name {agent}{note}"
