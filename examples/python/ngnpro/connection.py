"""The way to a server: one HTTP session for all ports, and the patience to call again."""

import random
import threading
import time

import requests
import zeep

from ngnpro.errors import NgnproFault, NgnproUnreachable

NAMESPACE = "urn:AGProjects:NGNPro"

# What something on the way says when the server is not there.
AWAY = (502, 503, 504)


class _Away(Exception):
    """An answer of something on the way."""


class _Transport(zeep.Transport):
    """Sends the key of the change that is under way, and tells an outage from an answer."""

    def __init__(self, **options):
        super().__init__(**options)
        self.under_way = threading.local()

    def post(self, address, message, headers):
        key = getattr(self.under_way, "key", None)
        if key is not None:
            headers = {**headers, "Idempotency-Key": key}
        answer = super().post(address, message, headers)
        if answer.status_code in AWAY:
            raise _Away(f"{answer.status_code} {answer.reason}")
        return answer


class Connection:
    """Makes calls again when the connection fails, the answer is lost, or something on the way says that the server is away.

    Whether the server had already done it does not matter: what reads is harmless, and what changes carries an
    Idempotency-Key, under which the server does it once and gives the first answer again.
    """

    def __init__(self, url, session, attempts, pause, longest_pause, timeout):
        self._url = url.rstrip("/") + "/"
        self._attempts = max(1, attempts)
        self._pause = pause
        self._longest_pause = longest_pause
        self._transport = _Transport(session=session, timeout=timeout, operation_timeout=timeout)
        self._clients = {}

    def call(self, port, attempt, key):
        """Gives the zeep client of a port to a function until it has an answer.

        Raises NgnproFault when the server refuses, and NgnproUnreachable when no answer comes in all attempts.
        """
        for number in range(1, self._attempts + 1):
            self._transport.under_way.key = key
            try:
                return attempt(self._client(port))
            except zeep.exceptions.Fault as fault:
                raise _refusal(fault) from None
            except (OSError, _Away, zeep.exceptions.TransportError) as error:
                # requests' errors are OSErrors. Status 4xx is not going to be better.
                if number == self._attempts or not _is_outage(error):
                    raise NgnproUnreachable(str(error), key) from error
            finally:
                self._transport.under_way.key = None
            pause = min(self._longest_pause, self._pause * 2 ** (number - 1))
            # Not all clients at the same moment when a server comes back.
            time.sleep(pause * random.uniform(0.5, 1.0))
        raise AssertionError("unreachable")

    def _client(self, port):
        """One description per port, loaded when it is first used; zeep converts best with document/literal."""
        if port not in self._clients:
            wsdl = f"{self._url}wsdl?style=literal&port={port}"
            self._clients[port] = zeep.Client(wsdl, transport=self._transport)
        return self._clients[port]


def _is_outage(error):
    if isinstance(error, requests.HTTPError):
        return error.response is None or error.response.status_code in AWAY
    return not isinstance(error, zeep.exceptions.TransportError)


def _refusal(fault):
    found = (lambda name: fault.detail.findtext(".//" + name)) if fault.detail is not None else lambda name: None
    return NgnproFault(int(found("errorcode") or 0), found("errorstring") or fault.message)
