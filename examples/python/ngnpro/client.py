"""One login and its ports."""

import copy
import re
import uuid

import requests

from ngnpro.connection import NAMESPACE, Connection
from ngnpro.values import plain, wrapped

PORTS = ("sip", "voicemail", "enum", "dns", "rating", "customer", "network")


class Ngnpro:
    """All ports of one server under one login, as attributes: `ngn.sip`, `ngn.customer`, `ngn.enum`, `ngn.dns`, …

    admin          whether the login is one of an administrator; otherwise it is a customer's
    impersonate    the customer (its id) in whose name an administrator acts
    attempts       how often a call is made in all while no answer comes
    pause          seconds before the second attempt, at most; each further pause is twice as long
    longest_pause  seconds that no pause exceeds
    timeout        seconds that an answer may take
    session        a requests.Session of your own, for TLS settings or proxies
    """

    def __init__(
        self,
        url,
        username,
        password,
        admin=False,
        impersonate=None,
        attempts=6,
        pause=0.2,
        longest_pause=5.0,
        timeout=30,
        session=None,
    ):
        self._connection = Connection(url, session or requests.Session(), attempts, pause, longest_pause, timeout)
        self._login = {"username": username, "password": password, "admin": admin}
        if impersonate is not None:
            self._login["impersonate"] = impersonate
        self._key = None

    def acting_for(self, customer):
        """The same administrator in the name of a customer or reseller; 0 is in nobody's name."""
        other = copy.copy(self)
        other._login = {**self._login, "impersonate": customer}
        return other

    def once(self, key):
        """The same client with an Idempotency-Key of your own, for one change: `ngn.once(order).sip.addAccount(...)`.

        Whoever keeps the key (1 to 255 printable ASCII characters, no spaces) can repeat the change after a crash, within 24
        hours, and gets the first answer. Without this, every change has a new key, which protects it against lost answers
        as long as this process lives.
        """
        if not re.fullmatch(r"[!-~]{1,255}", key):
            raise ValueError("an Idempotency-Key is 1 to 255 printable ASCII characters, no spaces")
        other = copy.copy(self)
        other._key = key
        return other

    def __getattr__(self, name):
        if name not in PORTS:
            raise AttributeError(f"ngnpro has no port {name}; its ports are {', '.join(PORTS)}")
        return Port(self._connection, name.capitalize(), self._login, self._key)


class Port:
    """The operations of one port, by their names in the WSDL, with its parameters in its order."""

    def __init__(self, connection, name, login, key):
        self._connection = connection
        self._name = name
        self._login = login
        self._key = key

    def __getattr__(self, operation):
        if operation.startswith("_"):
            raise AttributeError(operation)

        def call(*parameters):
            # What only reads takes no key.
            key = None if operation.startswith("get") else self._key or str(uuid.uuid4())
            given = [wrapped(parameter) for parameter in parameters]

            def attempt(client):
                auth = client.get_element("{%s}auth" % NAMESPACE)(**self._login)
                found = client.service[operation](*given, _soapheaders=[auth])
                output = client.service._binding.get(operation).output.body.type.elements
                return plain(found, output[0][1].type) if output else None

            return self._connection.call(self._name, attempt, key)

        return call
