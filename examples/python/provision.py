#!/usr/bin/env python3
"""Provisions a customer over SOAP. See examples/README.md for the environment."""
import os
import sys

from ngnpro import Ngnpro, NgnproFault, NgnproUnreachable

NAME = os.environ.get("NGN_NAME", "example")
PREFIX = os.environ.get("NGN_PREFIX", "31201234")
DOMAIN = f"{NAME}.example.com"


def provision(ngn):
    customer = ngn.customer.addAccount(
        {
            "username": NAME,
            "password": f"{NAME}-web-password",
            "firstName": "Ada",
            "lastName": "Example",
            "email": f"ada@{DOMAIN}",
            # The right to call telephone numbers, which the group free-pstn of an account needs.
            "properties": [{"name": "pstn_access", "value": "1", "category": "sip", "permission": "admin"}],
        }
    )
    print(f"customer {customer['username']}")

    ngn.sip.addDomain({"domain": DOMAIN, "customer": customer["id"], "reseller": customer["reseller"]})
    for username in ("alice", "bob"):
        account = ngn.sip.addAccount(
            {
                "id": {"username": username, "domain": DOMAIN},
                "password": f"{username}-sip-password",
                "firstName": username.capitalize(),
                "lastName": "Example",
                "email": f"{username}@{DOMAIN}",
                "groups": ["free-pstn"],
            }
        )
        print(f"account {account['id']['username']}@{account['id']['domain']}")

    ngn.enum.addRange(
        {
            "id": {"prefix": PREFIX, "tld": "e164.arpa"},
            "minDigits": 11,
            "maxDigits": 11,
            "size": 1000,
            "customer": customer["id"],
            "reseller": customer["reseller"],
        }
    )
    number = ngn.enum.addNumber(
        {
            "id": {"number": f"{PREFIX}567", "tld": "e164.arpa"},
            "mappings": [{"type": "sip", "mapto": f"sip:alice@{DOMAIN}"}],
        }
    )
    print(f"number {number['id']['number']}")

    # Everything that belongs to the customer, in the shape of all list operations.
    accounts = ngn.sip.getAccounts(
        {
            "filter": {"domain": DOMAIN},
            "orderBy": {"attribute": "username", "direction": "ASC"},
            "range": {"start": 0, "count": 20},
        }
    )
    for account in accounts["accounts"]:
        address = f"{account['id']['username']}@{account['id']['domain']}"
        print(f"listed {address} {account['firstName']} {account['lastName']}")
    print(f"total {accounts['total']}")

    for number in ngn.enum.getNumbers({"filter": {"number": f"{PREFIX}%"}})["numbers"]:
        for mapping in number["mappings"]:
            print(f"listed +{number['id']['number']} {mapping['type']} {mapping['mapto']}")


try:
    provision(
        Ngnpro(
            os.environ.get("NGN_URL", "http://127.0.0.1:9200/"),
            os.environ.get("NGN_USER", "admin"),
            os.environ.get("NGN_PASSWORD", ""),
            admin=True,
        )
    )
except NgnproFault as fault:
    sys.exit(f"refused: {fault.code} {fault}")
except NgnproUnreachable as failure:
    sys.exit(f"not reached: {failure}")
