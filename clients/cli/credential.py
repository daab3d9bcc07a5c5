"""`userdir credential`: what products call the directory with."""

from typing import Annotated

import typer
from userdirectory.v1 import workspace_admin_pb2 as api
from userdirectory.v1.service_credential_pb2 import ServiceCredential

from clients.cli.context import Session, command
from clients.cli.texts import noun
from clients.cli.user import Yes
from clients.cli.values import day, duration, listed

app = noun("Give products credentials, and take them away.")
COMMANDS = {"credential": app}

SCOPES = (
    *("users.read", "users.write", "users.admin", "groups.read", "groups.write", "roles.read"),
    *("workspaces.read", "workspaces.write", "accounts.read", "seats.read", "log.read"),
    *("credentials.read", "credentials.write", "*"),
)
"""What a credential can be for; the completion offers them, the directory decides."""

Id = Annotated[str, typer.Argument(metavar="ID", help="The credential, from the list.")]
Lifetime = Annotated[str, typer.Option(metavar="TIME", help="How long it is good: 90d.")]

_USE = "The product sends it as `authorization: Bearer ...`."


@command(
    app,
    "userdir credential create -w single-role --scope users.read --label Reports",
    "userdir credential create --all-workspaces --scope users.read --scope log.read",
    everywhere=True,
)
def create(
    session: Session,
    scope: Annotated[
        list[str],
        typer.Option(help="What it may do; again for more.", autocompletion=lambda: list(SCOPES)),
    ],
    label: Annotated[str, typer.Option(help="A name for people.")] = "",
    all_workspaces: Annotated[
        bool, typer.Option("--all-workspaces", help="For all, instead of one of --workspace.")
    ] = False,
    lifetime: Lifetime = "",
) -> None:
    """Make a credential for a product, and show it once. It can do no more than your own."""
    if all_workspaces == bool(session.workspace):
        raise typer.BadParameter("Name the one --workspace, or say --all-workspaces.")
    credential = ServiceCredential(label=label, workspace_id=session.workspace, scopes=scope)
    request = api.CreateServiceCredentialRequest(credential=credential, lifetime=duration(lifetime))
    answer = session.ask(request)
    session.out.secret(answer, answer.secret, f"Credential {answer.credential.id}. {_USE}")


@command(
    app,
    "userdir credential list",
    "userdir credential list -w single-role --json",
    name="list",
    everywhere=True,
)
def list_(session: Session) -> None:
    """List the credentials of products, oldest first; those of one workspace with -w."""
    answer = session.ask(api.ListServiceCredentialsRequest())
    session.out.rows(
        answer,
        ("id", "label", "workspace", "scopes", "good until", "last use"),
        [
            (
                each.id,
                each.label,
                each.workspace_id or "all",
                listed(each.scopes),
                day(each, "expire_time", "no end"),
                day(each, "last_use_time", "never"),
            )
            for each in answer.credentials
        ],
        empty="No credential is there.",
    )


@command(app, "userdir credential rotate 0k2m4p6r8t0v2x4z --overlap 1h", everywhere=True)
def rotate(
    session: Session,
    credential_id: Id,
    overlap: Annotated[
        str, typer.Option(metavar="TIME", help="How long the old one is still good.")
    ] = "1h",
    lifetime: Lifetime = "",
) -> None:
    """Make a credential like an old one, and end the old one after an overlap."""
    request = api.RotateServiceCredentialRequest(
        id=credential_id, overlap=duration(overlap), lifetime=duration(lifetime)
    )
    answer = session.ask(request)
    session.out.secret(answer, answer.secret, f"{credential_id} ends in {overlap}. {_USE}")


@command(app, "userdir credential revoke 0k2m4p6r8t0v2x4z --yes", everywhere=True)
def revoke(session: Session, credential_id: Id, yes: Yes = False) -> None:
    """End a credential of a product at once."""
    session.confirm(f"End credential {credential_id} at once?", yes=yes)
    answer = session.ask(api.RevokeServiceCredentialRequest(id=credential_id))
    session.out.said(answer, f"{credential_id} is good for nothing now.")
