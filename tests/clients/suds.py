"""The life cycle of a customer by suds: rpc/encoded, objects made by the factory of each type."""
import os
import sys

sys.path.pop(0)  # The directory of this file, where the name of the library stands for this file.
from suds import WebFault  # noqa: E402
from suds.cache import NoCache  # noqa: E402
from suds.client import Client  # noqa: E402

URL = os.environ["NGN_URL"]
NAME = os.environ["NGN_NAME"]
PREFIX = os.environ["NGN_PREFIX"]
DOMAIN = f"{NAME}.example.com"
ZONE = f"{NAME}.example.org"
CREDITS = ["sip_credit", "sip_alias_credit", "enum_range_credit", "enum_number_credit", "dns_zone_credit"]


def login(username, password, admin):
    client = Client(URL + "wsdl", cache=NoCache())
    auth = make(client, "Auth", username=username, password=password, admin=admin)
    client.set_options(soapheaders=auth)
    return client


def make(client, kind, **members):
    made = client.factory.create(kind)
    for name, value in members.items():
        setattr(made, name, value)
    return made


def listed(client, kind, items):
    return make(client, kind, item=items)


def items(found):
    """suds has the empty string, or None, for a list without items."""
    if not found:
        return []
    return found if isinstance(found, list) else found.item


def fault(work):
    try:
        work()
        print("no fault")
    except WebFault as refused:
        print("fault", int(refused.fault.detail.exception.errorcode))


admin = login("admin", os.environ["NGN_PASSWORD"], True)
customers = admin.service["CustomerPort"]
properties = [
    make(admin, "CustomerProperty", name=name, value="100", category="credit", permission="admin") for name in CREDITS
]
customer = customers.addAccount(
    make(
        admin,
        "CustomerAccount",
        username=NAME,
        password=f"{NAME}-password",
        firstName="Ada",
        lastName="Example",
        email=f"ada@{DOMAIN}",
        resellerActive=True,
        properties=listed(admin, "CustomerPropertyArray", properties),
    )
)
print("customer", customer.username, "true" if customer.resellerActive is True else "?", len(items(customer.properties)))

own = login(NAME, f"{NAME}-password", False)
sip, enum, dns = (own.service[port] for port in ("SipPort", "EnumPort", "DnsPort"))
sip.addDomain(make(own, "SipDomain", domain=DOMAIN))


def person(username):
    return make(
        own,
        "SipAccount",
        id=make(own, "SipId", username=username, domain=DOMAIN),
        password=f"{username}-password",
        firstName=username.capitalize(),
        lastName="Ørsted & <Zoë>",
        email=f"{username}@{DOMAIN}",
        quota=20,
        groups=listed(own, "StringArray", ["blocked"]),
    )


for username in ("alice", "bob"):
    added = sip.addAccount(person(username))
    print("account", added.id.username, added.lastName)
alice = make(own, "SipId", username="alice", domain=DOMAIN)
office = make(own, "SipId", username="office", domain=DOMAIN)
alias = sip.addAlias(make(own, "SipAlias", id=office, target=alice))
print("alias", alias.id.username, alias.target.username)

number_range = make(own, "EnumRangeId", prefix=PREFIX, tld="e164.arpa")
number = make(own, "EnumId", number=f"{PREFIX}567", tld="e164.arpa")
added = enum.addRange(make(own, "EnumRange", id=number_range, size=1000))
print("range", added.id.prefix, added.size)
mapping = make(own, "EnumMapping", type="sip", mapto=f"sip:alice@{DOMAIN}")
added = enum.addNumber(make(own, "EnumNumber", id=number, mappings=listed(own, "EnumMappingArray", [mapping])))
mappings = items(added.mappings)
print("number", added.id.number, len(mappings), mappings[0].mapto)

servers = listed(own, "StringArray", ["ns1.example.net", "ns2.example.net"])
added = dns.addZone(make(own, "DnsZone", name=ZONE, nameservers=servers))
print("zone", added.name, *items(added.nameservers))
record = dns.addRecord(make(own, "DnsRecord", zone=ZONE, name=f"www.{ZONE}", type="A", value="192.0.2.1"))
print("record", record.name, record.type, record.value)


def query(start, count, **members):
    return make(
        own,
        "SipQuery",
        filter=make(own, "SipFilter", **members),
        orderBy=make(own, "SipOrderBy", attribute="username", direction="ASC"),
        range=make(own, "Range", start=start, count=count),
    )


page = sip.getAccounts(query(1, 1, domain=DOMAIN))
for account in items(page.accounts):
    print("listed", account.id.username, "of", page.total)
none = sip.getAccounts(query(0, 1, domain=DOMAIN, username="nobody"))
print("none", len(items(none.accounts)), "of", none.total)

account = sip.getAccount(alice)
account.quota += 5
account.firstName = "Alicia"
sip.updateAccount(account)
account = sip.getAccount(alice)
print("updated", account.firstName, account.quota, *items(account.groups))

fault(lambda: sip.addAccount(person("alice")))
fault(lambda: own.service["CustomerPort"].getAccount(customer.id + 1000))

dns.deleteRecord(record.id)
dns.deleteZone(ZONE)
enum.deleteNumber(number)
enum.deleteRange(number_range)
sip.deleteAlias(office)
sip.deleteAccount(alice)
fault(lambda: sip.getAccount(alice))
sip.deleteAccount(make(own, "SipId", username="bob", domain=DOMAIN))
sip.deleteDomain(DOMAIN)
customers.deleteAccount(customer.id)
fault(lambda: sip.getAccounts(query(0, 1)))
