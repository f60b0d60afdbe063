"""Plain values to what zeep takes, and what zeep gives to plain values."""


def wrapped(value):
    """A list as the WSDL has it: an object with `item`."""
    if isinstance(value, dict):
        return {name: wrapped(member) for name, member in value.items() if member is not None}
    if isinstance(value, (list, tuple)):
        return {"item": [wrapped(item) for item in value]}
    return value


def plain(value, kind):
    """The reverse, by the type of the WSDL: zeep has None for a list without items."""
    members = getattr(kind, "elements", None)
    if not members:
        return value
    if [name for name, _ in members] == ["item"]:
        return [plain(item, members[0][1].type) for item in (value.item or [] if value is not None else [])]
    return None if value is None else {name: plain(value[name], member.type) for name, member in members}
