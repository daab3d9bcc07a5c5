"""`userdir integration`: the connections of a workspace with identity providers."""

from typing import Annotated, Literal, cast

import typer
from userdirectory.v1 import workspace_admin_pb2 as api
from userdirectory.v1.integration_pb2 import Integration, Provider, Token

from clients.cli.context import REFUSED, Session, command
from clients.cli.texts import noun
from clients.cli.user import Yes
from clients.cli.values import duration, local, number, word

app = noun("Connect workspaces with identity providers.")
COMMANDS = {"integration": app}

ProviderWord = Literal["okta", "entra", "onelogin", "generic"]

Which = Annotated[
    str,
    typer.Argument(
        metavar="INTEGRATION", help="An id or a label. Default: the workspace's only one."
    ),
]
Label = Annotated[str, typer.Option(help="A name for people.")]
Lifetime = Annotated[str, typer.Option(metavar="TIME", help="How long it is good: 90d.")]
Subject = Annotated[str, typer.Option(metavar="USER NAME", help="The person who uses it.")]
ReadOnly = Annotated[bool, typer.Option("--read-only", help="Reads and never writes.")]

_USE = "Put this token into the identity provider."


@command(app, "userdir integration create --provider okta --label 'Okta of Acme'")
def create(
    session: Session,
    provider: Annotated[ProviderWord, typer.Option(help="Whose product it is.")] = "generic",
    label: Label = "",
) -> None:
    """Connect the workspace with an identity provider, and show the token once."""
    chosen = cast(Provider, number(Provider.DESCRIPTOR, provider))
    answer = session.ask(api.CreateIntegrationRequest(provider=chosen, label=label))
    session.out.secret(answer, answer.token, f"{_named(answer.integration)} is created. {_USE}")
    if not session.out.as_json and not answer.integration.enabled:
        session.out.note(f"Switch it on: userdir integration enable {answer.integration.id}")


@command(app, "userdir integration list", name="list")
def list_(session: Session) -> None:
    """List the integrations of the workspace, oldest first."""
    answer = session.ask(api.ListIntegrationsRequest())
    session.out.rows(
        answer,
        ("id", "provider", "label", "state", "tokens"),
        [
            (
                each.id,
                word(Provider.DESCRIPTOR, each.provider),
                each.label,
                "on" if each.enabled else "off",
                len(each.tokens),
            )
            for each in answer.integrations
        ],
        empty="No integration is there. Make one: userdir integration create --provider okta",
    )


@command(app, "userdir integration show", "userdir integration show Demo")
def show(session: Session, which: Which = "") -> None:
    """Show an integration with its tokens."""
    answer = session.ask(api.GetIntegrationRequest(id=find(session, which).id))
    found = answer.integration
    session.out.details(
        answer,
        [
            ("id", found.id),
            ("label", found.label),
            ("provider", word(Provider.DESCRIPTOR, found.provider)),
            ("state", "on" if found.enabled else "off"),
            ("created", local(found, "create_time")),
            ("last use", local(found, "last_use_time", "never")),
            *((f"token {token.id}", _described(token)) for token in found.tokens),
        ],
    )


@command(app, "userdir integration rotate --overlap 1h", "userdir integration rotate Demo")
def rotate(
    session: Session,
    which: Which = "",
    overlap: Annotated[
        str, typer.Option(metavar="TIME", help="How long the old tokens are still good.")
    ] = "1h",
    label: Label = "",
    lifetime: Lifetime = "",
    subject: Subject = "",
    read_only: ReadOnly = False,
) -> None:
    """Give an integration a new token, and end the old ones after an overlap."""
    request = api.RotateTokenRequest(
        integration_id=find(session, which).id,
        overlap=duration(overlap),
        label=label,
        lifetime=duration(lifetime),
        subject=subject,
        read_only=read_only,
    )
    answer = session.ask(request)
    session.out.secret(answer, answer.secret, f"The old tokens end in {overlap}. {_USE}")


@command(
    app,
    "userdir integration issue --read-only --label Audit --lifetime 30d",
    "userdir integration issue Demo --subject ada.admin@single-role.example",
)
def issue(
    session: Session,
    which: Which = "",
    label: Label = "",
    lifetime: Lifetime = "",
    subject: Subject = "",
    read_only: ReadOnly = False,
) -> None:
    """Give an integration one more token, beside those it has."""
    request = api.IssueTokenRequest(
        integration_id=find(session, which).id,
        label=label,
        lifetime=duration(lifetime),
        subject=subject,
        read_only=read_only,
    )
    answer = session.ask(request)
    session.out.secret(answer, answer.secret, f"Token {answer.token.id}.")


@command(app, "userdir integration revoke 0k2m4p6r8t0v2x4z --yes")
def revoke(
    session: Session,
    text: Annotated[str, typer.Argument(metavar="TOKEN", help="Its id, or the token itself.")],
    yes: Yes = False,
) -> None:
    """End one token at once."""
    public_id = text.split("_")[1] if text.startswith("ud_") else text
    integrations = session.ask(api.ListIntegrationsRequest()).integrations
    owner = next(
        (each for each in integrations if any(one.id == public_id for one in each.tokens)), None
    )
    if owner is None:
        raise typer.BadParameter(f"No integration of the workspace has the token {public_id!r}.")
    session.confirm(f"End token {public_id} of {_named(owner)} at once?", yes=yes)
    answer = session.ask(api.RevokeTokenRequest(integration_id=owner.id, token_id=public_id))
    session.out.said(answer, f"Token {public_id} is good for nothing now.")


@command(app, "userdir integration check", "userdir integration check Demo --json")
def check(session: Session, which: Which = "") -> int | None:
    """Check an integration; with something to mend, the exit status is 1."""
    answer = session.ask(api.CheckIntegrationRequest(id=find(session, which).id))
    session.out.rows(
        answer,
        ("", "check", "what was found, and what to do"),
        [
            ("ok" if each.passed else "no", each.name, f"{each.finding}\n{each.remedy}".strip())
            for each in answer.checks
        ],
        empty="There is nothing to check.",
    )
    return None if all(each.passed for each in answer.checks) else REFUSED


@command(app, "userdir integration enable")
def enable(session: Session, which: Which = "") -> None:
    """Let an integration read and write users and groups."""
    _switch(session, which, enabled=True)


@command(app, "userdir integration disable --yes")
def disable(session: Session, which: Which = "", yes: Yes = False) -> None:
    """Let an integration read and write nothing, until it is enabled again."""
    found = find(session, which)
    session.confirm(f"Switch {_named(found)} off? Provisioning stops.", yes=yes)
    _switch(session, found.id, enabled=False)


@command(app, "userdir integration delete Demo --yes")
def delete(session: Session, which: Which = "", yes: Yes = False) -> None:
    """Delete an integration with its tokens; its users stay."""
    found = find(session, which)
    session.confirm(f"Delete {_named(found)} with its tokens? Its users stay.", yes=yes)
    answer = session.ask(api.DeleteIntegrationRequest(id=found.id))
    session.out.said(answer, f"{_named(found)} is gone.")


def find(session: Session, which: str) -> Integration:
    """Return the integration that a person means by an id, a label, or nothing."""
    found = list(session.ask(api.ListIntegrationsRequest()).integrations)
    meant = [each for each in found if not which or which in (each.id, each.label)]
    if len(meant) == 1:
        return cast(Integration, meant[0])
    if not found:
        raise typer.BadParameter("The workspace has no integration. Make one first.")
    names = ", ".join(f"{each.id} ({each.label})" for each in found)
    many = f"{len(meant)} integrations are meant" if meant else f"None is called {which!r}"
    raise typer.BadParameter(f"{many}. Name one of {names}.")


def _switch(session: Session, which: str, *, enabled: bool) -> None:
    request = api.UpdateIntegrationRequest(id=find(session, which).id, enabled=enabled)
    answer = session.ask(request)
    session.out.said(answer, f"{_named(answer.integration)} is {'on' if enabled else 'off'}.")


def _named(integration: Integration) -> str:
    label = f"{integration.label}, " if integration.label else ""
    return f"Integration {label}{integration.id}"


def _described(token: Token) -> str:
    parts = [
        token.label,
        "reads only" if token.read_only else "",
        f"of {token.subject}" if token.subject else "",
        f"good until {local(token, 'expire_time')}" if token.HasField("expire_time") else "",
        f"last used {local(token, 'last_use_time', 'never')}",
    ]
    return ", ".join(part for part in parts if part)
