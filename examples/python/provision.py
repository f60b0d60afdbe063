#!/usr/bin/env python3
"""Provisions a customer over SOAP with zeep. See examples/README.md for the environment."""
import os
import sys

import zeep

URL = os.environ.get("NGN_URL", "http://127.0.0.1:9200/")
NAME = os.environ.get("NGN_NAME", "example")
PREFIX = os.environ.get("NGN_PREFIX", "31201234")
DOMAIN = f"{NAME}.example.com"

# One WSDL holds all ports; the document/literal variant is the one that zeep likes best.
client = zeep.Client(f"{URL}wsdl?style=literal")
auth = client.get_element("{urn:AGProjects:NGNPro}auth")(
    username=os.environ.get("NGN_USER", "admin"),
    password=os.environ.get("NGN_PASSWORD", ""),
    admin=True,
)
client.set_default_soapheaders([auth])
customers = client.bind("NGNPro", "CustomerPort")
sip = client.bind("NGNPro", "SipPort")
enum = client.bind("NGNPro", "EnumPort")


def items(values):
    """The items of a list, which zeep wraps in an object; None for an empty one."""
    return (values.item or []) if values else []


def provision():
    customer = customers.addAccount(
        {
            "username": NAME,
            "password": f"{NAME}-web-password",
            "firstName": "Ada",
            "lastName": "Example",
            "email": f"ada@{DOMAIN}",
            # The right to call telephone numbers, which the group free-pstn of an account needs.
            "properties": {
                "item": [{"name": "pstn_access", "value": "1", "category": "sip", "permission": "admin"}]
            },
        }
    )
    print(f"customer {customer.username}")

    sip.addDomain({"domain": DOMAIN, "customer": customer.id, "reseller": customer.reseller})
    for username in ("alice", "bob"):
        account = sip.addAccount(
            {
                "id": {"username": username, "domain": DOMAIN},
                "password": f"{username}-sip-password",
                "firstName": username.capitalize(),
                "lastName": "Example",
                "email": f"{username}@{DOMAIN}",
                "groups": {"item": ["free-pstn"]},
            }
        )
        print(f"account {account.id.username}@{account.id.domain}")

    enum.addRange(
        {
            "id": {"prefix": PREFIX, "tld": "e164.arpa"},
            "minDigits": 11,
            "maxDigits": 11,
            "size": 1000,
            "customer": customer.id,
            "reseller": customer.reseller,
        }
    )
    number = enum.addNumber(
        {
            "id": {"number": f"{PREFIX}567", "tld": "e164.arpa"},
            "mappings": {"item": [{"type": "sip", "mapto": f"sip:alice@{DOMAIN}"}]},
        }
    )
    print(f"number {number.id.number}")

    # Everything that belongs to the customer, in the shape of all list operations.
    accounts = sip.getAccounts(
        {
            "filter": {"domain": DOMAIN},
            "orderBy": {"attribute": "username", "direction": "ASC"},
            "range": {"start": 0, "count": 20},
        }
    )
    for account in items(accounts.accounts):
        print(f"listed {account.id.username}@{account.id.domain} {account.firstName} {account.lastName}")
    print(f"total {accounts.total}")

    numbers = enum.getNumbers({"filter": {"number": f"{PREFIX}%"}})
    for number in items(numbers.numbers):
        for mapping in items(number.mappings):
            print(f"listed +{number.id.number} {mapping.type} {mapping.mapto}")


try:
    provision()
except zeep.exceptions.Fault as fault:
    # The code says what happened, errorstring what to do about it.
    code = fault.detail.findtext(".//errorcode") if fault.detail is not None else None
    text = fault.detail.findtext(".//errorstring") if fault.detail is not None else fault.message
    sys.exit(f"refused: {code} {text}")
