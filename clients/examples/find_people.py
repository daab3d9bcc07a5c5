"""
Look people up by their e-mail addresses.

Prints id, name, role and whether active, with tabs between, in the order asked; addresses come as
arguments, else one a line on standard input. Exits with 1 if somebody was not found.
"""

import argparse
import itertools
import sys
from collections.abc import Iterable, Iterator

import grpc
from userdirectory.v1.filter_pb2 import Comparison, ElementFilter, Filter, FilterList
from userdirectory.v1.user_pb2 import User

from clients.directory import Directory, DirectoryError
from clients.examples import connection

BATCH = 100
"""Addresses in one filter: each needs two comparisons, and a filter has at most 200."""


def find_people(directory: Directory, addresses: Iterable[str]) -> Iterator[tuple[str, list[User]]]:
    """Yield each address with whoever signs in with it or has it among the e-mails."""
    asked = iter(addresses)
    while batch := list(itertools.islice(asked, BATCH)):
        anyone = Filter(any_of=FilterList(filters=map(_has, batch)))
        found = list(directory.list_users(anyone, page_size=1000))
        for address in batch:
            yield address, [user for user in found if address.casefold() in _addresses(user)]


def _has(address: str) -> Filter:
    value = Filter(equal=Comparison(field="value", text=address))
    mail = Filter(element=ElementFilter(field="emails", where=value))
    name = Filter(equal=Comparison(field="user_name", text=address))
    return Filter(any_of=FilterList(filters=[name, mail]))


def _addresses(user: User) -> set[str]:
    return {text.casefold() for text in (user.user_name, *(mail.value for mail in user.emails))}


def main() -> int:
    """Run the program; return its exit status."""
    parser = argparse.ArgumentParser(prog="find_people", description=__doc__)
    parser.add_argument("address", nargs="*", help="an e-mail address; none: standard input")
    connection.add_options(parser)
    options = parser.parse_args()
    lines = filter(None, (line.strip() for line in options.address or sys.stdin))
    status = 0
    try:
        with connection.connect(parser, options) as directory:
            for address, users in find_people(directory, lines):
                if not users:
                    print(f"Nobody has the address {address}.", file=sys.stderr)
                    status = 1
                for user in users:
                    active = "active" if user.active else "inactive"
                    print(user.id, user.display_name, user.workplace.user_role, active, sep="\t")
    except (DirectoryError, grpc.RpcError) as error:
        print(connection.sentence(error), file=sys.stderr)
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main())
