"""Random requests of several callers; after each, everything that must hold does."""

from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from userdirectory.v1 import policy_pb2, role_pb2, workspace_pb2
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1 import workspace_admin_pb2 as admin
from userdirectory.v1.change_pb2 import GroupChange, GroupValue, Removal, UserChange, UserValue
from userdirectory.v1.filter_pb2 import Comparison, Filter
from userdirectory.v1.group_pb2 import Group, Member
from userdirectory.v1.user_pb2 import (
    Email,
    EnterpriseUser,
    Manager,
    Name,
    RoleGrant,
    User,
    UserRef,
    Workplace,
)

from tests.stateful.house import House, Who

_ROLE_NAMES = ("Admin", "Manager", "Member", "", "", "Guest", "Nobody")
_FIELDS = ("title", "user_name", "emails", "workplace", "active", "enterprise", "roles", "name")
_TEAMS = ("Design", "Support", "Nothing")

_who = st.integers(0, 5)
# The products, and seldom an integration, which may not.
_product = st.sampled_from((0, 3, 0, 3, 0, 3, 1))
_pick = st.integers(0, 20)
_person = st.integers(0, 5)
_preset = st.sampled_from(policy_pb2.Preset.values()[1:])
_flag = st.sampled_from((None, True, True, False))


class Machine(RuleBasedStateMachine):
    """Six callers of two workspaces: the product and two integrations of each."""

    house: House
    everywhere = True

    @staticmethod
    def new_house() -> House:
        """Return a house where nothing has happened yet."""
        raise NotImplementedError

    def __init__(self) -> None:
        """Begin with two workspaces, one admin in each."""
        super().__init__()
        self.house = self.new_house()

    def teardown(self) -> None:
        """End."""
        self.house.close()

    @initialize(presets=st.lists(_preset, min_size=2, max_size=2))
    def choose_policies(self, presets: list[int]) -> None:
        """Begin with any two presets."""
        for who, preset in zip((0, 3), presets, strict=True):
            self.set_policy(who, preset)

    @rule(who=_who, person=_person, role=st.sampled_from(_ROLE_NAMES), active=_flag, manager=_pick)
    def create_user(
        self, who: int, person: int, role: str, active: bool | None, manager: int
    ) -> None:
        """Create, link or refuse a user; few names, so that workspaces share accounts."""
        user = self._user(self._who(who), person, role, active)
        if manager % 3 == 0:
            user.enterprise.CopyFrom(self._boss(manager))
        self._ask(who, api.CreateUserRequest(user=user))

    @rule(
        who=_who,
        user=_pick,
        person=_person,
        role=st.sampled_from(_ROLE_NAMES),
        active=_flag,
        fields=st.lists(st.sampled_from(_FIELDS), max_size=3, unique=True),
        whole=st.booleans(),
    )
    def update_user(
        self,
        who: int,
        user: int,
        person: int,
        role: str,
        active: bool | None,
        fields: list[str],
        whole: bool,
    ) -> None:
        """Set some fields, among them name, address, role and whether the user is active."""
        sent = self._user(self._who(who), person, role, active)
        sent.id = self._one(who, self.house.users, user)
        mask = FieldMask(paths=["*"] if whole else fields)
        self._ask(who, api.UpdateUserRequest(user=sent, update_mask=mask, whole=whole))

    @rule(
        who=_who,
        user=_pick,
        person=_person,
        role=st.sampled_from(_ROLE_NAMES),
        active=_flag,
        fields=st.lists(st.sampled_from(_FIELDS), min_size=1, max_size=3),
        step=st.sampled_from(("add", "set", "remove")),
    )
    def patch_user(
        self,
        who: int,
        user: int,
        person: int,
        role: str,
        active: bool | None,
        fields: list[str],
        step: str,
    ) -> None:
        """Add, set or remove a few fields, all or none of them."""
        value = self._user(self._who(who), person, role, active)
        changes = []
        for field in fields:
            only = User()
            FieldMask(paths=[field]).MergeMessage(value, only)
            change: dict[str, Any] = {
                step: Removal(field=field)
                if step == "remove"
                else UserValue(field=field, value=only)
            }
            changes.append(UserChange(**change))
        ref = UserRef(id=self._one(who, self.house.users, user))
        self._ask(who, api.PatchUserRequest(user=ref, changes=changes))

    @rule(who=_who, user=_pick, active=st.booleans())
    def switch_user(self, who: int, user: int, active: bool) -> None:
        """Deactivate a user, or activate one again."""
        sent = User(id=self._one(who, self.house.users, user), active=active)
        self._ask(who, api.UpdateUserRequest(user=sent))

    @rule(who=_who, user=_pick)
    def delete_user(self, who: int, user: int) -> None:
        """Delete a user as the policy says."""
        self._ask(
            who, api.DeleteUserRequest(user=UserRef(id=self._one(who, self.house.users, user)))
        )

    @rule(who=_product, user=_pick, purge=st.booleans())
    def restore_or_purge(self, who: int, user: int, purge: bool) -> None:
        """Bring a user back, or remove one for good; integrations may neither."""
        id_ = self._one(who, self.house.users, user)
        answer = self._ask(
            who, api.PurgeUserRequest(id=id_) if purge else api.RestoreUserRequest(id=id_)
        )
        assert answer is None or self._who(who).product

    @rule(who=_who, name=st.integers(0, 3), member=_pick)
    def create_group(self, who: int, name: int, member: int) -> None:
        """Create a group with a member of any workspace."""
        group = Group(
            display_name=f"{self._who(who).canary} {name}",
            members=[Member(member_id=self._one(who, self.house.users, member))],
        )
        self._ask(who, api.CreateGroupRequest(group=group))

    @rule(
        who=_who, group=_pick, member=_pick, step=st.sampled_from(("add", "set", "discard", "wipe"))
    )
    def patch_group(self, who: int, group: int, member: int, step: str) -> None:
        """Let a user or a group join or leave a group or a role."""
        ids = self.house.users + self.house.groups
        members = Group(members=[Member(member_id=self._one(who, ids, member))])
        value: dict[str, Any] = {step: GroupValue(field="members", value=members)}
        change = (
            GroupChange(remove=Removal(field="members")) if step == "wipe" else GroupChange(**value)
        )
        self._ask(who, api.PatchGroupRequest(id=self._group(who, group), changes=[change]))

    @rule(who=_who, group=_pick, name=st.integers(0, 3))
    def update_group(self, who: int, group: int, name: int) -> None:
        """Rename a group and empty it."""
        sent = Group(id=self._group(who, group), display_name=f"{self._who(who).canary} {name}")
        self._ask(who, api.UpdateGroupRequest(group=sent, update_mask=FieldMask(paths=["*"])))

    @rule(who=_who, group=_pick)
    def delete_group(self, who: int, group: int) -> None:
        """Delete a group."""
        self._ask(who, api.DeleteGroupRequest(id=self._group(who, group)))

    @rule(
        who=_product,
        role=_pick,
        kind=st.sampled_from(role_pb2.RoleKind.values()),
        name=st.integers(0, 2),
        new=st.booleans(),
    )
    def write_role(self, who: int, role: int, kind: int, name: int, new: bool) -> None:
        """Make a role, or rename one and change its kind."""
        sent = role_pb2.Role(name=f"{self._who(who).canary} {name}", kind=kind)  # type: ignore[arg-type]
        if new:
            self._ask(who, admin.CreateRoleRequest(role=sent))
            return
        sent.id = self._one(who, self.house.roles, role)
        self._ask(who, admin.UpdateRoleRequest(role=sent))

    @rule(who=_product, role=_pick, heir=_pick)
    def delete_role(self, who: int, role: int, heir: int) -> None:
        """Delete a role in favour of another."""
        id_, heir_id = (
            self._one(who, self.house.roles, role),
            self._one(who, self.house.roles, heir),
        )
        self._ask(who, admin.DeleteRoleRequest(id=id_, replacement_id=heir_id))

    @rule(who=_product, total=st.integers(0, 4), automatic=st.booleans())
    def set_seats(self, who: int, total: int, automatic: bool) -> None:
        """Pay for more seats or fewer."""
        plan = workspace_pb2.SeatPlan(total=total, automatic_booking=automatic)
        wanted = workspace_pb2.Workspace(seat_plan=plan)
        mask = FieldMask(paths=["seat_plan"])
        self._ask(who, admin.UpdateWorkspaceRequest(workspace=wanted, update_mask=mask))

    @rule(who=_product, preset=_preset)
    def set_policy(self, who: int, preset: Any) -> None:
        """Choose another preset."""
        policy = policy_pb2.Policy(preset=preset, plan_needed=policy_pb2.PLAN_NEEDED_NONE)
        self._ask(who, admin.UpdatePolicyRequest(policy=policy))

    @rule(
        who=_product, team=st.sampled_from(_TEAMS), name=st.sampled_from(_TEAMS), gone=st.booleans()
    )
    def write_team(self, who: int, team: str, name: str, gone: bool) -> None:
        """Rename a team or remove it."""
        request = (
            admin.DeleteTeamRequest(name=team)
            if gone
            else admin.RenameTeamRequest(name=team, new_name=name)
        )
        self._ask(who, request)

    @rule(who=_who, user=_pick, group=_pick, person=_person)
    def batch(self, who: int, user: int, group: int, person: int) -> None:
        """Make a user and a group that it is in, and delete others, in one call."""
        caller = self._who(who)
        made = self._user(caller, person, "Member", None)
        joined = Group(display_name=f"{caller.canary} 9", members=[Member(member_id="ref:a")])
        gone = UserRef(id=self._one(who, self.house.users, user))
        operations = [
            api.WriteOperation(ref="a", create_user=api.CreateUserRequest(user=made)),
            api.WriteOperation(create_group=api.CreateGroupRequest(group=joined)),
            api.WriteOperation(delete_user=api.DeleteUserRequest(user=gone)),
            api.WriteOperation(delete_group=api.DeleteGroupRequest(id=self._group(who, group))),
        ]
        answer = self._ask(who, api.BatchWriteRequest(operations=operations))
        assert answer is None or len(answer.results) == len(operations)

    @rule(who=_who, person=_person, user=_pick)
    def read(self, who: int, person: int, user: int) -> None:
        """Look for a person by name, by the other workspace's words, and by id."""
        caller = self._who(who)
        for field, text in (("user_name", self._mail(person)), ("title", caller.foreign)):
            test = Filter(contains=Comparison(field=field, text=text))
            found = self._ask(who, api.ListUsersRequest(filter=test))
            assert field != "title" or found is None or found.total_size == 0
        self._ask(
            who, api.ListGroupsRequest(read_mask=FieldMask(paths=["display_name", "members"]))
        )
        id_ = self._one(who, self.house.users, user)
        got = self._ask(who, api.GetUserRequest(user=UserRef(id=id_)))
        assert got is None or self.house.owner[id_] == caller.workspace_id

    @invariant()
    def everything_holds(self) -> None:
        """Every rule's own check finds nothing, and each workspace has an active admin."""
        assert [] == self.house.findings(everywhere=self.everywhere)
        assert all(self.house.active_admins().values())

    def _who(self, number: int) -> Who:
        return self.house.whos[number]

    def _ask(self, who: int, request: Any) -> Any:
        return self.house.ask(self._who(who), request)

    def _one(self, who: int, ids: list[str], number: int) -> str:
        """Return one of *ids*: most often of the caller's workspace, now and then of any."""
        own = [id_ for id_ in ids if self.house.owner[id_] == self._who(who).workspace_id]
        chosen = own if own and number % 5 else ids
        return chosen[number % len(chosen)]

    def _group(self, who: int, number: int) -> str:
        """Return the id of a group, or of a role, which is a group by some policies."""
        ids = self.house.roles if number % 2 else self.house.groups or self.house.roles
        return self._one(who, ids, number)

    def _mail(self, person: int) -> str:
        return f"n{person}@{self.house.domain}"

    def _boss(self, number: int) -> EnterpriseUser:
        return EnterpriseUser(
            manager=Manager(user_id=self.house.users[number % len(self.house.users)])
        )

    def _user(self, who: Who, person: int, role: str, active: bool | None) -> User:
        mail = self._mail(person)
        user = User(
            user_name=mail if person % 2 else mail.upper(),
            external_id=f"{who.canary}-{person}",
            name=Name(given_name="Grace", family_name="Hopper"),
            title=who.canary,
            emails=[Email(value=mail, type="work"), Email(value=f"{who.canary}@a.example")],
            workplace=Workplace(teams=_TEAMS[person % 3 : 2]),
            enterprise=self._boss(person),
            active=active,
        )
        if role:
            user.workplace.user_role = role
            user.roles.append(RoleGrant(value=role))
        return user
