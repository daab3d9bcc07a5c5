"""`userdir role`: the roles of a workspace."""

from typing import Annotated, Literal

import typer
from userdirectory.errors import DirectoryError
from userdirectory.v1 import workspace_admin_pb2 as api
from userdirectory.v1.role_pb2 import Role, RoleKind
from userdirectory.v1.user_directory_pb2 import ListRolesRequest

from clients.cli.context import Session, command
from clients.cli.texts import noun
from clients.cli.user import Yes
from clients.cli.values import number, word

app = noun("List, create, rename and delete the roles of a workspace.")
COMMANDS = {"role": app}

Kind = Literal["admin", "regular", "guest"]
Which = Annotated[str, typer.Argument(metavar="ROLE", help="An id or the exact name.")]


@command(app, "userdir role list", name="list")
def list_(session: Session) -> None:
    """List the roles by rank, the one that may most first."""
    answer = session.ask(ListRolesRequest())
    session.out.rows(
        answer,
        ("rank", "name", "kind", "id"),
        [
            (role.rank, role.name, word(RoleKind.DESCRIPTOR, role.kind), role.id)
            for role in answer.roles
        ],
        empty="No role is there.",
    )


@command(app, "userdir role create Auditor", "userdir role create Owner --kind admin --rank 1")
def create(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name.")],
    kind: Annotated[Kind, typer.Option(help="What the role is to the directory.")] = "regular",
    rank: Annotated[int, typer.Option(min=0, help="1 may most; 0 is last.")] = 0,
) -> None:
    """Create a role."""
    role = Role(name=name, kind=number(RoleKind.DESCRIPTOR, kind), rank=rank)  # type: ignore[arg-type]
    answer = session.ask(api.CreateRoleRequest(role=role))
    session.out.said(answer, f"{name} is created: {answer.role.id}")


@command(app, "userdir role rename Manager Lead")
def rename(
    session: Session,
    which: Which,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new name.")],
) -> None:
    """Give a role another name; its users keep it."""
    answer = session.ask(api.UpdateRoleRequest(role=Role(id=find(session, which).id, name=name)))
    session.out.said(answer, f"The role is called {answer.role.name} now.")
    session.out.notices(answer)


@command(app, "userdir role delete Manager --replacement Member --yes")
def delete(
    session: Session,
    which: Which,
    replacement: Annotated[
        str, typer.Option(metavar="ROLE", help="What its users get; needed if it has any.")
    ] = "",
    yes: Yes = False,
) -> None:
    """Delete a role; its users get another one."""
    role = find(session, which)
    other = find(session, replacement).id if replacement else ""
    session.confirm(f"Delete the role {role.name}?", yes=yes)
    answer = session.ask(api.DeleteRoleRequest(id=role.id, replacement_id=other))
    session.out.said(answer, f"{role.name} is gone.")


def find(session: Session, which: str) -> Role:
    """
    Return the role that a person means by an id or a name.

    Raises:
        DirectoryError: ROLE_NOT_FOUND.
    """
    roles: list[Role] = list(session.ask(ListRolesRequest()).roles)
    for role in roles:
        if which in (role.id, role.name):
            return role
    names = ", ".join(role.name for role in roles)
    raise DirectoryError("ROLE_NOT_FOUND", f"No role is called {which!r}. There are {names}.")
