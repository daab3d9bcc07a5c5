"""`userdir group`: find groups, and change them and their members."""

from collections.abc import Sequence
from typing import Annotated

import typer
from userdirectory.errors import DirectoryError
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.change_pb2 import GroupChange, GroupValue
from userdirectory.v1.filter_pb2 import Comparison, Filter
from userdirectory.v1.group_pb2 import Group, Member

from clients.cli.context import Session, command
from clients.cli.texts import noun
from clients.cli.user import Yes
from clients.cli.user import find as find_user
from clients.cli.values import local

app = noun("Find groups, and change them and their members.")
COMMANDS = {"group": app}

Which = Annotated[str, typer.Argument(metavar="GROUP", help="An id or a display name.")]
Members = Annotated[
    list[str], typer.Argument(metavar="USER...", help="Ids or user names, one or more.")
]


@command(app, "userdir group list --name design", name="list")
def list_(
    session: Session,
    name: Annotated[str, typer.Option(help="Part of the display name.")] = "",
    limit: Annotated[int, typer.Option(min=0, help="At most so many; 0 is all.")] = 100,
) -> None:
    """List groups; where groups are roles, the roles."""
    request = api.ListGroupsRequest(order_by="display_name")
    if name:
        request.filter.contains.field = "display_name"
        request.filter.contains.text = name
    answer = session.pages(request, limit)
    session.out.rows(
        answer,
        ("id", "name", "members"),
        [(group.id, group.display_name, group.member_count) for group in answer.groups],
        empty="No group passes.",
    )
    if answer.next_page_token and not session.out.as_json:
        session.out.note(f"The first {len(answer.groups)}. All: --limit 0")


@command(app, "userdir group show Engineering", "userdir group show Engineering --members")
def show(
    session: Session,
    which: Which,
    members: Annotated[bool, typer.Option("--members", help="List the members too.")] = False,
) -> None:
    """Show a group."""
    answer = session.ask(api.GetGroupRequest(id=find(session, which).id))
    group = answer.group
    people: list[Member] = []
    if members:
        for page in session.connection.pages(api.ListGroupMembersRequest(id=group.id)):
            people.extend(page.members)
        group.members.extend(people)
    session.out.details(
        answer,
        [
            ("id", group.id),
            ("name", group.display_name),
            ("members", group.member_count),
            ("", "\n".join(f"{member.display_name} {member.member_id}" for member in people)),
            ("external id", group.external_id),
            ("created", local(group, "create_time")),
            ("last change", local(group, "update_time")),
            ("etag", group.etag),
        ],
    )


@command(app, "userdir group create Engineering -w group-mirror")
def create(
    session: Session, name: Annotated[str, typer.Argument(metavar="NAME", help="The display name.")]
) -> None:
    """Create a group."""
    answer = session.ask(api.CreateGroupRequest(group=Group(display_name=name)))
    session.out.said(answer, f"{answer.group.display_name} is created: {answer.group.id}")


@command(app, "userdir group rename Engineering Development -w group-mirror")
def rename(
    session: Session,
    which: Which,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new display name.")],
) -> None:
    """Give a group another display name."""
    group = Group(id=find(session, which).id, display_name=name)
    answer = session.ask(
        api.UpdateGroupRequest(group=group, update_mask={"paths": ["display_name"]})
    )
    session.out.said(answer, f"The group is called {answer.group.display_name} now.")


@command(app, "userdir group delete Engineering -w group-mirror --yes")
def delete(session: Session, which: Which, yes: Yes = False) -> None:
    """Delete a group for good; its members stay."""
    group = find(session, which)
    session.confirm(f"Delete the group {group.display_name} ({group.id})?", yes=yes)
    answer = session.ask(api.DeleteGroupRequest(id=group.id))
    session.out.said(answer, f"{group.display_name} is gone.")


@command(app, "userdir group add Engineering grace@example.com -w group-mirror")
def add(session: Session, which: Which, who: Members) -> None:
    """Make users members of a group, or give them the role that the group is."""
    _patch(session, which, who, "add", "added to")


@command(app, "userdir group remove Engineering grace@example.com -w group-mirror")
def remove(session: Session, which: Which, who: Members) -> None:
    """Take users out of a group, or take the role from them that the group is."""
    _patch(session, which, who, "discard", "removed from")


def _patch(session: Session, which: str, who: Sequence[str], step: str, done: str) -> None:
    group = find(session, which)
    members = [Member(member_id=find_user(session, each).id) for each in who]
    value = GroupValue(field="members", value=Group(members=members))
    request = api.PatchGroupRequest(id=group.id, changes=[GroupChange(**{step: value})])  # type: ignore[arg-type]
    answer = session.ask(request)
    session.out.said(answer, f"{len(members)} {done} {group.display_name}.")
    session.out.notices(answer)


def find(session: Session, which: str) -> Group:
    """
    Return the group that a person means by an id or a display name.

    Raises:
        DirectoryError: GROUP_NOT_FOUND.
    """
    try:
        found: Group = session.ask(api.GetGroupRequest(id=which)).group
        return found
    except DirectoryError as error:
        if error.reason != "GROUP_NOT_FOUND":
            raise
        refusal = error
    named = Filter(equal=Comparison(field="display_name", text=which))
    groups = session.ask(api.ListGroupsRequest(filter=named, page_size=2)).groups
    if not groups:
        raise refusal
    if len(groups) > 1:
        raise typer.BadParameter(f"Several groups are called {which!r}. Name one by its id.")
    only: Group = groups[0]
    return only
