"""`userdir workspace`: create, show, change and delete workspaces."""

from typing import Annotated, Literal, cast

import typer
from userdirectory.v1 import workspace_admin_pb2 as api
from userdirectory.v1.policy_pb2 import Policy, Preset, SettingOrigin
from userdirectory.v1.role_pb2 import Role, RoleKind
from userdirectory.v1.workspace_pb2 import Plan, SignOn, Workspace

from clients.cli import values
from clients.cli.context import Session, command
from clients.cli.role import find as find_role
from clients.cli.texts import noun
from clients.cli.user import Yes
from clients.cli.values import day, listed, local, number, word

app = noun("Create, show, change and delete workspaces.")
COMMANDS = {"workspace": app}

PresetWord = Literal["single-role", "org-chart", "group-mirror", "strict-rfc"]
PlanWord = Literal["free", "standard", "hosted", "enterprise"]
SignOnWord = Literal["none", "openid-connect"]

Name = Annotated[str, typer.Option(help="The name shown to people.")]
PlanOption = Annotated[PlanWord | None, typer.Option(help="The plan the customer has.")]
SignOnOption = Annotated[SignOnWord | None, typer.Option(help="The single sign-on in use.")]
Seats = Annotated[int | None, typer.Option(min=0, help="How many seats are paid for.")]
Booking = Annotated[
    bool | None, typer.Option("--book-seats/--no-book-seats", help="Book one when none is free.")
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Override a setting of the preset; again for more.",
        autocompletion=lambda: [f"{name}=" for name in values.setting_names()],
    ),
]


@command(
    app,
    "userdir workspace create acme --preset single-role --plan enterprise",
    "userdir workspace create lab --preset strict-rfc --set max_users=1000",
)
def create(
    session: Session,
    workspace_id: Annotated[str, typer.Argument(metavar="ID", help="Letters, digits, hyphens.")],
    preset: Annotated[PresetWord, typer.Option(help="How it answers where products differ.")],
    name: Name = "",
    plan: PlanOption = None,
    sign_on: SignOnOption = None,
    seats: Seats = None,
    book_seats: Booking = None,
    role: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:KIND]",
            help="A role, the one that may most first; the kind is admin, regular or guest. "
            "Default: Admin:admin, Member, Guest:guest.",
        ),
    ] = None,
    team: Annotated[list[str] | None, typer.Option(help="A team; again for more.")] = None,
    region: Annotated[list[str] | None, typer.Option(help="An absence region.")] = None,
    settings: Set = None,
) -> None:
    """Create a workspace with its roles."""
    workspace = _wanted(name, plan, sign_on, seats, book_seats)
    workspace.id = workspace_id
    workspace.policy.preset = _preset(preset)
    workspace.teams.extend(team or ())
    workspace.absence_regions.extend(region or ())
    for assignment in settings or ():
        values.assign(workspace.policy, assignment)
    roles = [_role(text) for text in role or ()]
    answer = session.ask(api.CreateWorkspaceRequest(workspace=workspace, roles=roles))
    session.out.said(
        answer,
        f"{workspace_id} is created. Connect it: userdir integration create -w {workspace_id}",
    )


@command(app, "userdir workspace list", name="list", everywhere=True)
def list_(
    session: Session,
    limit: Annotated[int, typer.Option(min=0, help="At most so many; 0 is all.")] = 0,
) -> None:
    """List the workspaces that the credential is for."""
    answer = session.pages(api.ListWorkspacesRequest(), limit)
    session.out.rows(
        answer,
        ("id", "name", "preset", "plan", "created"),
        [
            (
                each.id,
                each.display_name,
                word(Preset.DESCRIPTOR, each.policy.preset),
                word(Plan.DESCRIPTOR, each.plan),
                day(each, "create_time", ""),
            )
            for each in answer.workspaces
        ],
        empty="No workspace is there.",
    )


@command(app, "userdir workspace show", "userdir workspace show org-chart")
def show(
    session: Session,
    workspace_id: Annotated[
        str, typer.Argument(metavar="ID", help="Default: the one of --workspace.")
    ] = "",
) -> None:
    """Show a workspace."""
    answer = session.ask(api.GetWorkspaceRequest(workspace_id=workspace_id))
    session.out.details(answer, _details(answer.workspace))


@command(
    app,
    "userdir workspace update --seats 80 --book-seats",
    "userdir workspace update -w org-chart --plan enterprise",
)
def update(
    session: Session,
    name: Name = "",
    plan: PlanOption = None,
    sign_on: SignOnOption = None,
    seats: Seats = None,
    book_seats: Booking = None,
    default_role: Annotated[
        str, typer.Option(metavar="ROLE", help="What users get who are created without one.")
    ] = "",
) -> None:
    """Change the name, the plan, the single sign-on, the seats or the default role."""
    workspace = _wanted(name, plan, sign_on, seats, book_seats)
    if workspace.HasField("seat_plan") and (seats is None or book_seats is None):
        # The two are one value: what is not given stays.
        now = session.ask(api.GetWorkspaceRequest()).workspace
        kept = now.seat_plan
        workspace.seat_plan.total = kept.total if seats is None else seats
        workspace.seat_plan.automatic_booking = (
            kept.automatic_booking if book_seats is None else book_seats
        )
        workspace.etag = now.etag
    if default_role:
        workspace.default_role_id = find_role(session, default_role).id
    if workspace == Workspace():
        raise typer.BadParameter("Give at least one thing to change.")
    answer = session.ask(api.UpdateWorkspaceRequest(workspace=workspace))
    session.out.details(answer, _details(answer.workspace))


@command(
    app,
    "userdir workspace policy",
    "userdir workspace policy --set on_existing=refuse --unset max_users",
)
def policy(
    session: Session,
    preset: Annotated[
        PresetWord | None, typer.Option(help="Another preset; all overrides go.")
    ] = None,
    settings: Set = None,
    unset: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Leave a setting to the preset again.",
            autocompletion=values.setting_names,
        ),
    ] = None,
) -> None:
    """Show every setting with its value and where that comes from; change some before."""
    wanted, mask = Policy(), []
    if preset:
        wanted.preset = _preset(preset)
        mask.append("preset")
    mask += [values.assign(wanted, assignment) for assignment in settings or ()]
    mask += [values.named_setting(name).name for name in unset or ()]
    if mask:
        answer = session.ask(api.UpdatePolicyRequest(policy=wanted, update_mask={"paths": mask}))
        session.out.notices(answer)
    else:
        answer = session.ask(api.GetPolicyRequest())
    session.out.rows(
        answer,
        ("setting", "value", "origin"),
        [
            (each.name, values.setting(each.name, each.value), _origin(each.origin, answer.policy))
            for each in answer.settings
        ],
        empty="The policy has no settings.",
    )


@command(app, "userdir workspace delete acme", "userdir workspace delete acme --yes")
def delete(
    session: Session,
    workspace_id: Annotated[str, typer.Argument(metavar="ID", help="The workspace.")],
    yes: Yes = False,
) -> None:
    """Delete a workspace with its users, groups, integrations and log, for good."""
    found = session.ask(api.GetWorkspaceRequest(workspace_id=workspace_id)).workspace
    name = f"{found.display_name} ({found.id})" if found.display_name else found.id
    session.confirm(f"Delete {name} with all that is in it, for good?", yes=yes)
    answer = session.ask(api.DeleteWorkspaceRequest(workspace_id=found.id, etag=found.etag))
    session.out.said(
        answer,
        f"{found.id} is gone, with {answer.user_count} users and {answer.group_count} groups.",
    )


def _wanted(
    name: str,
    plan: str | None,
    sign_on: str | None,
    seats: int | None,
    book_seats: bool | None,
) -> Workspace:
    workspace = Workspace(display_name=name)
    workspace.plan = cast(Plan, number(Plan.DESCRIPTOR, plan or ""))
    workspace.sign_on = cast(SignOn, number(SignOn.DESCRIPTOR, sign_on or ""))
    if seats is not None:
        workspace.seat_plan.total = seats
    if book_seats is not None:
        workspace.seat_plan.automatic_booking = book_seats
    return workspace


def _preset(text: str) -> Preset:
    return cast(Preset, number(Preset.DESCRIPTOR, text))


def _role(text: str) -> Role:
    name, _, kind = text.partition(":")
    chosen = number(RoleKind.DESCRIPTOR, kind or "regular")
    return Role(name=name, kind=cast(RoleKind, chosen))


def _origin(origin: SettingOrigin, policy: Policy) -> str:
    if origin == SettingOrigin.SETTING_ORIGIN_PRESET:
        return f"preset {word(Preset.DESCRIPTOR, policy.preset)}"
    return "this workspace"


def _details(workspace: Workspace) -> list[tuple[str, object]]:
    seats = workspace.seat_plan
    return [
        ("id", workspace.id),
        ("name", workspace.display_name),
        ("preset", word(Preset.DESCRIPTOR, workspace.policy.preset)),
        ("plan", word(Plan.DESCRIPTOR, workspace.plan)),
        ("single sign-on", word(SignOn.DESCRIPTOR, workspace.sign_on)),
        ("seats", f"{seats.total}{', more are booked' if seats.automatic_booking else ''}"),
        ("default role", workspace.default_role_id),
        ("teams", listed(workspace.teams)),
        ("absence regions", listed(workspace.absence_regions)),
        ("own attributes", listed([f"{a.urn}:{a.name}" for a in workspace.custom_attributes])),
        ("link", workspace.link),
        ("created", local(workspace, "create_time")),
        ("last change", local(workspace, "update_time")),
        ("etag", workspace.etag),
    ]
