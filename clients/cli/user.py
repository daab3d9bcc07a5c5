"""`userdir user`: find users, and change them as the product would."""

from typing import Annotated, Any

import typer
from userdirectory.errors import DirectoryError
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.filter_pb2 import Comparison, ElementFilter, Filter, FilterList
from userdirectory.v1.user_pb2 import Email, Name, User, UserRef, Workplace

from clients.cli.context import Session, command
from clients.cli.texts import noun
from clients.cli.values import listed, local

app = noun("Find users, and change them as the product would.")
COMMANDS = {"user": app}

Who = Annotated[str, typer.Argument(metavar="USER", help="An id or a user name.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@command(
    app,
    "userdir user list --role Admin",
    "userdir user list --email ada@example.com --json",
    name="list",
)
def list_(
    session: Session,
    name: Annotated[str, typer.Option(help="Part of the display or the user name.")] = "",
    email: Annotated[str, typer.Option(help="The user name or one of the addresses.")] = "",
    role: Annotated[str, typer.Option(help="The role, by its exact name.")] = "",
    inactive: Annotated[bool, typer.Option("--inactive", help="Only who cannot sign in.")] = False,
    deleted: Annotated[bool, typer.Option("--deleted", help="Only who can be restored.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="At most so many; 0 is all.")] = 100,
) -> None:
    """List users, with those only that pass every option."""
    tests = _tests(name, email, role, inactive=inactive)
    if deleted and tests:
        raise typer.BadParameter("--deleted lists all who can be restored; no other option goes.")
    request: Any = api.ListDeletedUsersRequest()
    if not deleted:
        request = api.ListUsersRequest(order_by="user_name")
        if tests:
            request.filter.all_of.filters.extend(tests)
    answer = session.pages(request, limit)
    session.out.rows(
        answer,
        ("id", "user name", "role", "state"),
        [(user.id, user.user_name, user.workplace.user_role, state(user)) for user in answer.users],
        empty="No user passes.",
    )
    if answer.next_page_token and not session.out.as_json:
        session.out.note(f"The first {len(answer.users)}. All: --limit 0")


@command(app, "userdir user show ada.admin@single-role.example")
def show(session: Session, who: Who) -> None:
    """Show a user."""
    answer = session.ask(api.GetUserRequest(user=UserRef(id=find(session, who).id)))
    session.out.details(answer, _details(answer.user))


@command(
    app,
    "userdir user create grace@example.com --given-name Grace",
    "userdir user create lin@example.com --role Manager --team Design",
)
def create(
    session: Session,
    user_name: Annotated[str, typer.Argument(metavar="NAME", help="The name to sign in with.")],
    given_name: Annotated[str, typer.Option(help="The given name.")] = "",
    family_name: Annotated[str, typer.Option(help="The family name.")] = "",
    role: Annotated[str, typer.Option(help="The role. Default: the workspace's.")] = "",
    team: Annotated[list[str] | None, typer.Option(help="A team; again for more.")] = None,
    email: Annotated[str, typer.Option(help="A work address. Default: none.")] = "",
    inactive: Annotated[bool, typer.Option("--inactive", help="Without access yet.")] = False,
) -> None:
    """Create a user, as somebody in the product would."""
    user = User(
        user_name=user_name,
        name=Name(given_name=given_name or None, family_name=family_name or None),
        emails=[Email(value=email, type="work")] if email else [],
        active=not inactive,
    )
    if role or team:
        user.workplace.CopyFrom(Workplace(user_role=role or None, teams=team or ()))
    answer = session.ask(api.CreateUserRequest(user=user))
    verb = "was there and is now linked" if answer.existed else "is created"
    session.out.said(answer, f"{answer.user.user_name} {verb}: {answer.user.id}")
    session.out.notices(answer)


@command(app, "userdir user set-role grace@example.com Manager", name="set-role")
def set_role(
    session: Session,
    who: Who,
    role: Annotated[str, typer.Argument(metavar="ROLE", help="By its exact name.")],
) -> None:
    """Give a user another role."""
    request = api.UpdateUserRequest(user=User(id=find(session, who).id))
    request.user.workplace.user_role = role
    request.update_mask.paths.append("workplace.user_role")
    answer = session.ask(request)
    session.out.said(answer, f"{answer.user.user_name} has the role {role}.")
    session.out.notices(answer)


@command(app, "userdir user restore grace@example.com")
def restore(session: Session, who: Who) -> None:
    """Make a user active again who was deactivated, deleted or unlinked."""
    answer = session.ask(api.RestoreUserRequest(id=find(session, who).id))
    session.out.said(answer, f"{answer.user.user_name} is active again: {answer.user.id}")
    session.out.notices(answer)


@command(app, "userdir user purge grace@example.com", "userdir user purge grace@example.com --yes")
def purge(session: Session, who: Who, yes: Yes = False) -> None:
    """Remove a user for good; the account goes with its last user."""
    user = find(session, who)
    session.confirm(f"Remove {user.user_name} ({user.id}) for good?", yes=yes)
    answer = session.ask(api.PurgeUserRequest(id=user.id))
    session.out.said(answer, f"{user.user_name} is gone.")


def find(session: Session, who: str) -> User:
    """
    Return the user that a person means by an id or a user name.

    Raises:
        DirectoryError: USER_NOT_FOUND, for the user name.
    """
    fields = {"paths": ["id", "user_name"]}
    if "@" not in who:
        try:
            request = api.GetUserRequest(user=UserRef(id=who), read_mask=fields)
            found: User = session.ask(request).user
            return found
        except DirectoryError as error:
            if error.reason != "USER_NOT_FOUND":
                raise
    named: User = session.ask(
        api.GetUserRequest(user=UserRef(user_name=who), read_mask=fields)
    ).user
    return named


def state(user: User) -> str:
    """Return in a word whether a user can sign in, and if not, why."""
    if user.HasField("delete_time"):
        return "deleted"
    if user.HasField("unlink_time"):
        return "unlinked"
    return "active" if user.active else "inactive"


def _tests(name: str, email: str, role: str, *, inactive: bool) -> list[Filter]:
    tests = []
    if name:
        fields = ("display_name", "user_name")
        tests.append(_any(*(Filter(contains=Comparison(field=f, text=name)) for f in fields)))
    if email:
        address = Filter(equal=Comparison(field="value", text=email))
        tests.append(
            _any(
                Filter(equal=Comparison(field="user_name", text=email)),
                Filter(element=ElementFilter(field="emails", where=address)),
            )
        )
    if role:
        tests.append(Filter(equal=Comparison(field="workplace.user_role", text=role)))
    if inactive:
        tests.append(Filter(equal=Comparison(field="active", flag=False)))
    return tests


def _any(*filters: Filter) -> Filter:
    return Filter(any_of=FilterList(filters=filters))


def _details(user: User) -> list[tuple[str, object]]:
    return [
        ("id", user.id),
        ("user name", user.user_name),
        ("display name", user.display_name),
        ("state", state(user)),
        ("role", user.workplace.user_role),
        ("teams", listed(user.workplace.teams)),
        ("absence region", user.workplace.absence_region),
        ("title", user.title),
        ("position", user.position),
        ("emails", "\n".join(_typed(email) for email in user.emails)),
        ("phones", "\n".join(_typed(phone) for phone in user.phone_numbers)),
        ("language", user.preferred_language),
        ("time zone", user.time_zone),
        ("department", user.enterprise.department),
        ("manager", user.enterprise.manager.display_name or user.enterprise.manager.user_id),
        ("groups", "\n".join(group.display for group in user.groups)),
        ("external id", user.external_id),
        ("managed by", user.managed_by),
        ("created", local(user, "create_time")),
        ("last change", local(user, "update_time")),
        ("last sync", local(user, "last_sync_time")),
        ("last trace", user.last_trace_id),
        ("etag", user.etag),
    ]


def _typed(value: Any) -> str:
    primary = ", primary" if value.primary else ""
    return f"{value.value} ({value.type or 'no type'}{primary})"
