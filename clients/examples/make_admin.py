"""
Make somebody an admin, after a look at who it is.

The role is set only if nobody has changed the person since; exits with 1 if it was not.
"""

import argparse
import sys

import grpc
from userdirectory.v1.role_pb2 import ROLE_KIND_ADMIN, Role
from userdirectory.v1.user_pb2 import User

from clients.directory import Directory, DirectoryError
from clients.examples import connection
from clients.examples.find_people import find_people

ADVICE = {
    "ADMIN_ROLE_LOCKED": "Use the credential of a product: here no integration makes admins.",
    "ETAG_MISMATCH": "Somebody else has just changed this person. Run it again and look once more.",
    "LAST_ADMIN": "The person is the last active admin and stays one. Make somebody else admin.",
    "NO_SEAT": "Free a seat or book one, and run it again.",
    "NOT_FOUND": "The person or the role has gone meanwhile. Look for them again.",
    "SCOPE_MISSING": "Use a credential with the scopes users.write, users.read and roles.read.",
}
"""What to do about a refusal, by its reason or the end of it."""


def choose_user(directory: Directory, address: str) -> User:
    """Return the one person with an address; SystemExit if there is none, or more than one."""
    [(_, users)] = find_people(directory, [address])
    if len(users) != 1:
        known = "".join(f"\n  {user.id}  {user.user_name}" for user in users)
        sys.exit(f"{len(users)} people have the address {address}; it must be one.{known}")
    return users[0]


def choose_role(directory: Directory, name: str) -> Role:
    """Return the admin role of that name, the only one without; SystemExit if that is not one."""
    roles = [role for role in directory.list_roles() if role.kind == ROLE_KIND_ADMIN]
    chosen = [role for role in roles if name in ("", role.name)]
    if len(chosen) != 1:
        known = ", ".join(role.name for role in roles)
        sys.exit(f"Say with --role which role it shall be. The roles of admins are: {known}.")
    return chosen[0]


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(prog="make_admin", description=__doc__)
    parser.add_argument("address", help="the e-mail address of the person")
    parser.add_argument("--role", default="", help="which, if there are several for admins")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    connection.add_options(parser)
    options = parser.parse_args()
    try:
        with connection.connect(parser, options) as directory:
            user = choose_user(directory, options.address.strip())
            role = choose_role(directory, options.role)
            state = "active" if user.active else "inactive"
            print(f"{user.display_name} <{user.user_name}>, {state}, {user.workplace.user_role}")
            if user.role_id == role.id:
                sys.exit(f"This is an {role.name} already.")
            if not options.yes and input(f"Make them {role.name}? [y/N] ").lower() != "y":
                sys.exit("Nothing was changed.")
            made = directory.set_role(user.id, role.id, etag=user.etag)
            if made.user.role_id != role.id:
                sys.exit("\n".join(notice.message for notice in made.notices))
            print(f"Done: {role.name}.")
    except EOFError:
        sys.exit("\nNobody agreed. Nothing was changed.")
    except (DirectoryError, grpc.RpcError) as error:
        reason = getattr(error, "reason", "")
        advice = next((text for end, text in ADVICE.items() if reason.endswith(end)), "")
        sys.exit(f"{connection.sentence(error)}\n{advice}".strip())


if __name__ == "__main__":
    main()
