"""A client of ngnpro for Python 3.9 and later with zeep. One file, to be copied into a project.

    ngn = Ngnpro("https://ngnpro.example.com/", "reseller", "password")
    account = ngn.sip.addAccount({"id": {"username": "alice", "domain": "example.com"}, ...})
    for account in ngn.sip.getAccounts({"filter": {"domain": "example.com"}})["accounts"]:
        ...

Parameters and results are plain: dict for structs, list for lists (also of one or none), int, bool, str, None for what is
not set. What a get operation returned may be changed and handed to the update operation.
"""

import time

import requests
import urllib3
import zeep

NAMESPACE = "urn:AGProjects:NGNPro"
PORTS = ("sip", "voicemail", "enum", "dns", "rating", "customer", "network")


class NgnproFault(Exception):
    """What the server refused: `code` says what happened (1011: the SIP account exists), the text what to do about it."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


class NgnproUnreachable(Exception):
    """The server was not reached, or its answer was lost: then an operation that changes something may have been done."""


class Ngnpro:
    """All ports of one server under one login, as attributes: `ngn.sip`, `ngn.customer`, `ngn.enum`, `ngn.dns`, …

    admin        whether the login is one of an administrator; otherwise it is a customer's
    impersonate  the customer (its id) in whose name an administrator acts
    attempts     how often a connection is tried in all
    pause        seconds before the second attempt; each further one waits twice as long
    timeout      seconds that an answer may take
    session      a requests.Session of your own, for TLS settings or proxies
    """

    def __init__(
        self, url, username, password, admin=False, impersonate=None, attempts=4, pause=0.2, timeout=30, session=None
    ):
        self.attempts = attempts
        self.pause = pause
        transport = zeep.Transport(session=session or requests.Session(), timeout=timeout, operation_timeout=timeout)
        # One WSDL holds all ports; zeep converts numbers and lists best with the document/literal one.
        wsdl = url.rstrip("/") + "/wsdl?style=literal"
        self._client = self.persistently(lambda: zeep.Client(wsdl, transport=transport), harmless=True)
        auth = {"username": username, "password": password, "admin": admin}
        if impersonate is not None:
            auth["impersonate"] = impersonate
        self._client.set_default_soapheaders([self._client.get_element("{%s}auth" % NAMESPACE)(**auth)])

    def __getattr__(self, name):
        if name not in PORTS:
            raise AttributeError(name)
        binding = self._client.wsdl.bindings["{%s}%sBinding" % (NAMESPACE, name.capitalize())]
        port = _Port(self, self._client.bind("NGNPro", name.capitalize() + "Port"), binding)
        setattr(self, name, port)
        return port

    def persistently(self, work, harmless):
        """Does something that needs the server, again when the connection fails.

        harmless: whether it may be done twice; otherwise it is tried again only if nothing was sent.
        """
        for attempt in range(1, self.attempts + 1):
            try:
                return work()
            except (requests.ConnectionError, requests.Timeout) as error:
                if attempt == self.attempts or not (harmless or _not_connected(error)):
                    raise NgnproUnreachable(str(error)) from error
            time.sleep(self.pause * 2 ** (attempt - 1))


class _Port:
    """The operations of one port, by their names in the WSDL."""

    def __init__(self, ngn, service, binding):
        self._ngn = ngn
        self._service = service
        self._binding = binding

    def __getattr__(self, operation):
        call = getattr(self._service, operation)
        results = self._binding.get(operation).output.body.type.elements

        def checked(*parameters):
            wrapped = [_wrap(parameter) for parameter in parameters]
            try:
                answer = self._ngn.persistently(lambda: call(*wrapped), harmless=operation.startswith("get"))
            except zeep.exceptions.Fault as fault:
                raise _refusal(fault) from None
            return _plain(answer, results[0][1].type) if results else None

        return checked


def _not_connected(error):
    """Whether no connection came about, so that nothing was sent."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


def _refusal(fault):
    found = (lambda name: fault.detail.findtext(".//" + name)) if fault.detail is not None else lambda name: None
    return NgnproFault(int(found("errorcode") or 0), found("errorstring") or fault.message)


def _wrap(value):
    """A list as the WSDL has it: an object with `item`."""
    if isinstance(value, dict):
        return {name: _wrap(member) for name, member in value.items() if member is not None}
    if isinstance(value, (list, tuple)):
        return {"item": [_wrap(item) for item in value]}
    return value


def _plain(value, kind):
    """The reverse, by the type of the WSDL: zeep has None for a list without items."""
    members = getattr(kind, "elements", None)
    if not members:
        return value
    if [name for name, _ in members] == ["item"]:
        return [_plain(item, members[0][1].type) for item in (value.item or [] if value is not None else [])]
    return None if value is None else {name: _plain(value[name], member.type) for name, member in members}
