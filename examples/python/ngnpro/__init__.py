"""A client of ngnpro for Python 3.9 and later with zeep.

    ngn = Ngnpro("https://ngnpro.example.com/", "acme", "password")
    account = ngn.sip.addAccount({"id": {"username": "alice", "domain": "example.com"}, ...})
    for account in ngn.sip.getAccounts({"filter": {"domain": "example.com"}})["accounts"]:
        ...

Parameters and results are plain: dict for structs, list for lists (also of one or none), int, bool, str, None for what is
not set. What a get operation returned may be changed and handed to the update operation.
"""

from ngnpro.client import Ngnpro
from ngnpro.errors import NgnproFault, NgnproUnreachable

__all__ = ["Ngnpro", "NgnproFault", "NgnproUnreachable"]
__version__ = "0.1.0"
