"""Two changes under keys that the caller keeps, the second in the name of the customer whom the first makes."""
import os
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[2] / "examples/python")
from ngnpro import Ngnpro, NgnproFault  # noqa: E402

NAME = os.environ["NGN_NAME"]
KEY = os.environ["NGN_KEY"]

admin = Ngnpro(os.environ["NGN_URL"], "admin", os.environ["NGN_PASSWORD"], admin=True)
try:
    customer = admin.once(f"{KEY}-customer").customer.addAccount(
        {
            "username": NAME,
            "password": f"{NAME}-password",
            "firstName": "Ada",
            "lastName": "Example",
            "email": f"ada@{NAME}.example.com",
            "resellerActive": True,
        }
    )
    print(f"customer {customer['username']}")
    theirs = admin.acting_for(customer["id"]).once(f"{KEY}-domain")
    domain = theirs.sip.addDomain({"domain": f"{NAME}.example.com"})
    print(f"domain {domain['domain']} is theirs {str(domain['customer'] == customer['id']).lower()}")
except NgnproFault as fault:
    print(f"fault {fault.code}")
    sys.exit()
try:
    admin.once("two\r\nlines")
except ValueError:
    print("refused key")
