"""The life cycle of a customer by zeep, through the client of examples/python."""
import os
import sys
from pathlib import Path

sys.dont_write_bytecode = True
# Not the directory of this file, where the name of the library stands for this file.
sys.path[0] = str(Path(__file__).parents[2] / "examples/python")
from ngnpro import Ngnpro, NgnproFault  # noqa: E402

URL = os.environ["NGN_URL"]
NAME = os.environ["NGN_NAME"]
PREFIX = os.environ["NGN_PREFIX"]
DOMAIN = f"{NAME}.example.com"
ZONE = f"{NAME}.example.org"
CREDITS = ["sip_credit", "sip_alias_credit", "enum_range_credit", "enum_number_credit", "dns_zone_credit"]


def fault(work):
    try:
        work()
        print("no fault")
    except NgnproFault as refused:
        print(f"fault {refused.code}")


admin = Ngnpro(URL, "admin", os.environ["NGN_PASSWORD"], admin=True)
customer = admin.customer.addAccount(
    {
        "username": NAME,
        "password": f"{NAME}-password",
        "firstName": "Ada",
        "lastName": "Example",
        "email": f"ada@{DOMAIN}",
        "resellerActive": True,
        "properties": [
            {"name": name, "value": "100", "category": "credit", "permission": "admin"} for name in CREDITS
        ],
    }
)
print("customer", customer["username"], "true" if customer["resellerActive"] is True else "?", len(customer["properties"]))

ngn = Ngnpro(URL, NAME, f"{NAME}-password")
ngn.sip.addDomain({"domain": DOMAIN})
accounts = {}
for username in ("alice", "bob"):
    accounts[username] = {
        "id": {"username": username, "domain": DOMAIN},
        "password": f"{username}-password",
        "firstName": username.capitalize(),
        "lastName": "Ørsted & <Zoë>",
        "email": f"{username}@{DOMAIN}",
        "quota": 20,
        "groups": ["blocked"],
    }
    added = ngn.sip.addAccount(accounts[username])
    print("account", added["id"]["username"], added["lastName"])
alice = accounts["alice"]["id"]
office = {"username": "office", "domain": DOMAIN}
alias = ngn.sip.addAlias({"id": office, "target": alice})
print("alias", alias["id"]["username"], alias["target"]["username"])

number_range = {"prefix": PREFIX, "tld": "e164.arpa"}
number = {"number": f"{PREFIX}567", "tld": "e164.arpa"}
added = ngn.enum.addRange({"id": number_range, "size": 1000})
print("range", added["id"]["prefix"], added["size"])
added = ngn.enum.addNumber({"id": number, "mappings": [{"type": "sip", "mapto": f"sip:alice@{DOMAIN}"}]})
print("number", added["id"]["number"], len(added["mappings"]), added["mappings"][0]["mapto"])

added = ngn.dns.addZone({"name": ZONE, "nameservers": ["ns1.example.net", "ns2.example.net"]})
print("zone", added["name"], *added["nameservers"])
record = ngn.dns.addRecord({"zone": ZONE, "name": f"www.{ZONE}", "type": "A", "value": "192.0.2.1"})
print("record", record["name"], record["type"], record["value"])

page = ngn.sip.getAccounts(
    {
        "filter": {"domain": DOMAIN},
        "orderBy": {"attribute": "username", "direction": "ASC"},
        "range": {"start": 1, "count": 1},
    }
)
for account in page["accounts"]:
    print("listed", account["id"]["username"], "of", page["total"])
none = ngn.sip.getAccounts({"filter": {"domain": DOMAIN, "username": "nobody"}})
print("none", len(none["accounts"]), "of", none["total"])

account = ngn.sip.getAccount(alice)
account["quota"] += 5
account["firstName"] = "Alicia"
ngn.sip.updateAccount(account)
account = ngn.sip.getAccount(alice)
print("updated", account["firstName"], account["quota"], *account["groups"])

fault(lambda: ngn.sip.addAccount(accounts["alice"]))
fault(lambda: ngn.customer.getAccount(customer["id"] + 1000))

ngn.dns.deleteRecord(record["id"])
ngn.dns.deleteZone(ZONE)
ngn.enum.deleteNumber(number)
ngn.enum.deleteRange(number_range)
ngn.sip.deleteAlias(office)
ngn.sip.deleteAccount(alice)
fault(lambda: ngn.sip.getAccount(alice))
ngn.sip.deleteAccount(accounts["bob"]["id"])
ngn.sip.deleteDomain(DOMAIN)
admin.customer.deleteAccount(customer["id"])
fault(lambda: ngn.sip.getAccounts({}))
