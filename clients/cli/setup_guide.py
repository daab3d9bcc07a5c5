"""`userdir setup-guide`: how to connect an identity provider with this workspace."""

from typing import Annotated, Literal

import typer
from google.protobuf.struct_pb2 import Struct
from userdirectory.v1.policy_pb2 import ADMIN_ROLE_ASSIGNABLE, GROUPS_MODE_ROLES, Policy, Preset
from userdirectory.v1.role_pb2 import ROLE_KIND_ADMIN, ROLE_KIND_GUEST, Role
from userdirectory.v1.user_directory_pb2 import ListRolesRequest
from userdirectory.v1.workspace_admin_pb2 import GetPolicyRequest, GetWorkspaceRequest

from clients.cli.context import Session, command
from clients.cli.guides import Facts, filled
from clients.cli.texts import verb
from clients.cli.values import word

app = verb()
COMMANDS = {"setup-guide": app}

ProviderWord = Literal["okta", "entra", "onelogin"]
Language = Literal["en", "de"]


@command(
    app,
    "userdir setup-guide okta",
    "userdir setup-guide entra --language de --raw",
    "userdir setup-guide onelogin --base-url https://example.com/scim/v2",
)
def setup_guide(
    session: Session,
    provider: Annotated[
        ProviderWord, typer.Argument(metavar="PROVIDER", help="Whose product it is.")
    ],
    language: Annotated[Language, typer.Option(help="The language of the guide.")] = "en",
    base_url: Annotated[
        str,
        typer.Option(
            envvar="USERDIR_BASE_URL",
            metavar="URL",
            help="Where SCIM is. Default: what demo.json says.",
            show_default=False,
        ),
    ] = "",
    raw: Annotated[bool, typer.Option("--raw", help="Print Markdown.")] = False,
) -> None:
    """Print how to connect an identity provider, with the values of this workspace filled in."""
    facts = _facts(session, base_url)
    guide = filled(provider, language, facts)
    if session.out.as_json:
        document = Struct()
        document.update({"workspace": facts.workspace, "language": language, "markdown": guide})
        session.out.document(document)
    elif raw:
        session.out.line(guide.rstrip())
    else:
        session.out.markdown(guide)


def _can_be_given(role: Role, policy: Policy) -> bool:
    """Whether provisioning can give a role that is not for guests."""
    admins = policy.admin_role == ADMIN_ROLE_ASSIGNABLE
    return policy.groups == GROUPS_MODE_ROLES and (admins or role.kind != ROLE_KIND_ADMIN)


def _facts(session: Session, base_url: str) -> Facts:
    workspace = session.ask(GetWorkspaceRequest()).workspace
    policy = session.ask(GetPolicyRequest()).policy
    roles = [role for role in session.ask(ListRolesRequest()).roles if role.kind != ROLE_KIND_GUEST]
    chosen = [role.name for role in roles if role.id == workspace.default_role_id]
    return Facts(
        workspace=workspace.id,
        preset=word(Preset.DESCRIPTOR, policy.preset),
        base_url=(base_url or session.base_urls.get(workspace.id, "")).rstrip("/"),
        roles=[role.name for role in roles if _can_be_given(role, policy)],
        default_role=chosen[0] if chosen else roles[-1].name,
        teams=workspace.teams,
        regions=workspace.absence_regions,
        languages=policy.languages.tags,
        attributes=[
            (f"{each.urn}:{each.name}", each.description) for each in workspace.custom_attributes
        ],
    )
