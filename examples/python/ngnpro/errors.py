"""What a call may end with, besides a result."""


class NgnproFault(Exception):
    """What the server refused: nothing was changed.

    `code` says what happened, and is what a program looks at (1011: the SIP account exists; 1010: it does not; 8000: unknown
    login); the text says it in words, with what to do about it. 0 is a fault of SOAP itself.
    """

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


class NgnproUnreachable(Exception):
    """No answer came, in all attempts. A change may have been made or not.

    `key` is the Idempotency-Key under which it was sent, and under which it can be sent again within 24 hours without being
    made twice (`Ngnpro.once`); None where nothing was to be changed.
    """

    def __init__(self, text, key=None):
        super().__init__(text)
        self.key = key
