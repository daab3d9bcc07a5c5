"""
Take rules out one by one and see that a test fails: `python tests/mutants.py [R-150 ...]`.

Every mutant is applied in a temporary copy of the tree, which shadows the installed packages; the
working tree is never touched. Ends with 1 if a mutant survives, and with 2 if one cannot be judged:
its text is not in its file exactly once, or its test fails without it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_COPIED = ("core_service", "scim_gateway", "clients", "protos", "tests", "docs", "pyproject.toml")


@dataclass(frozen=True, slots=True)
class Mutant:
    """
    A rule taken out.

    Attributes:
        rule: Its number.
        file: Where it is, relative to the tree.
        old: The text that makes it; there once.
        new: The text without it.
        test: What must fail then, a name in `tests/coverage`: `test_roles.py::test_x`.
    """

    rule: str
    file: str
    old: str
    new: str
    test: str


RULES = "core_service/rules/"
MUTANTS = [
    Mutant(
        "R-002",
        "core_service/users.py",
        "from collections.abc import Sequence\n",
        "import http.client\nfrom collections.abc import Sequence\n",
        "test_scope.py::test_nothing_is_sent_to_an_identity_provider",
    ),
    Mutant(
        "R-005",
        "core_service/policy.py",
        "put=policy_pb2.PUT_MODE_MERGE",
        "put=policy_pb2.PUT_MODE_REPLACE",
        "test_scope.py::test_what_is_not_mapped_is_not_overwritten",
    ),
    Mutant(
        "R-023",
        RULES + "existing.py",
        "if found.linked and found.external_id and not sent_external_id:",
        "if found.linked:",
        "test_features.py::test_a_deactivated_user_is_assigned_again",
    ),
    Mutant(
        "R-030",
        "core_service/policy.py",
        "password=policy_pb2.PASSWORD_WRITES_ACCEPT,  # Okta's Sync Password",
        "password=policy_pb2.PASSWORD_WRITES_IGNORE,",
        "test_features.py::test_a_password_is_taken_and_never_told",
    ),
    Mutant(
        "R-033",
        RULES + "existing.py",
        "if refuse or (found.active and found.linked):",
        "if refuse or found.active:",
        "test_matching.py::test_an_existing_user_is_matched_and_updated",
    ),
    Mutant(
        "R-033",
        RULES + "emails.py",
        "return fold(text.strip())",
        "return text.strip()",
        "test_matching.py::test_an_existing_user_is_matched_and_updated",
    ),
    Mutant(
        "R-036",
        "core_service/user_writes.py",
        "taken = masked(write, before, wanted, [], whole=False)",
        "taken = masked(write, before, before, [], whole=False)",
        "test_matching.py::test_an_existing_user_is_matched_and_updated",
    ),
    Mutant(
        "R-037",
        "core_service/policy.py",
        "on_existing=policy_pb2.ON_EXISTING_REFUSE,",
        "on_existing=policy_pb2.ON_EXISTING_LINK,",
        "test_matching.py::test_who_is_there_is_never_made_twice",
    ),
    Mutant(
        "R-044",
        RULES + "seats.py",
        "if not facts.metered or taking < 1 or missing < 1:",
        "if True:",
        "test_accounts_and_groups.py::test_no_seat_no_user",
    ),
    Mutant(
        "R-067",
        "core_service/logins.py",
        "if policy.user_name == policy_pb2.USER_NAME_FORM_EMAIL:",
        "if False:",
        "test_providers.py::test_the_user_name_is_an_address_or_any_principal_name",
    ),
    Mutant(
        "R-076",
        "core_service/role_groups.py",
        'if row.id in wanted and context.roles[row.id].kind != "guest":',
        "if row.id in wanted:",
        "test_providers.py::test_the_guest_role_is_never_shown",
    ),
    Mutant(
        "R-088",
        "scim_gateway/quirks.py",
        ".get(value.lower())",
        ".get(value)",
        "test_providers.py::test_switch_expressions_yield_text",
    ),
    Mutant(
        "R-089",
        "core_service/policy.py",
        "missing_element=policy_pb2.MISSING_ELEMENT_CREATE",
        "missing_element=policy_pb2.MISSING_ELEMENT_REFUSE",
        "test_providers.py::test_a_work_mail_that_is_missing_is_made",
    ),
    Mutant(
        "R-094",
        "core_service/writing.py",
        "if self.context.policy.unknown_attributes == policy_pb2.UNKNOWN_ATTRIBUTES_REFUSE:",
        "if True:",
        "test_providers.py::test_a_longer_template_is_taken_as_far_as_it_is_known",
    ),
    Mutant(
        "R-104",
        "scim_gateway/quirks.py",
        'return {"value": value} if isinstance(value, str) else value',
        "return value",
        "test_providers.py::test_the_manager_in_every_form",
    ),
    Mutant(
        "R-112",
        RULES + "languages.py",
        "return Language(kept, unsupported=True)",
        "return Language(asked[0], unsupported=True)",
        "test_fields.py::test_languages_of_new_users",
    ),
    Mutant(
        "R-114",
        RULES + "timezones.py",
        "return windows | iana",
        "return iana",
        "test_fields.py::test_time_zones",
    ),
    Mutant(
        "R-116",
        RULES + "emails.py",
        'if fold(type_.strip()) == "work":',
        "if primaries[index]:",
        "test_fields.py::test_the_first_work_mail_is_primary",
    ),
    Mutant(
        "R-119",
        "scim_gateway/documents.py",
        'parts = (part.strip() for part in _text(text, shown).split(","))',
        "parts = [_text(text, shown)]",
        "test_features.py::test_teams_are_assigned_by_the_extension",
    ),
    Mutant(
        "R-121",
        RULES + "regions.py",
        "    if before:\n",
        "    if False:\n",
        "test_features.py::test_the_absence_region_is_assigned_by_the_extension",
    ),
    Mutant(
        "R-125",
        "protos/userdirectory/text.py",
        'return unicodedata.normalize("NFC", name.strip())',
        'return unicodedata.normalize("NFC", name.strip().lower())',
        "test_fields.py::test_names_match_exactly",
    ),
    Mutant(
        "R-128",
        "core_service/role_groups.py",
        "await _move(write, user_ids, after.id, only_from=role_id)",
        "await _move(write, user_ids, role_id, only_from=role_id)",
        "test_features.py::test_roles_are_assigned_by_groups",
    ),
    Mutant(
        "R-131",
        RULES + "emails.py",
        "return next(marked_values, written[0][0] if written else user_name)",
        "return user_name",
        "test_fields.py::test_the_first_work_mail_is_primary",
    ),
    Mutant(
        "R-134",
        RULES + "names.py",
        "for part in (given.strip(), family.strip()) if part)",
        "for part in (given.strip(),) if part)",
        "test_fields.py::test_a_display_name_is_made_of_the_names",
    ),
    Mutant(
        "R-138",
        RULES + "managers.py",
        "    if user_id in chain:\n",
        "    if False:\n",
        "test_fields.py::test_managers_who_are_unknown_oneself_or_below",
    ),
    Mutant(
        "R-139",
        "core_service/user_writes.py",
        "    names.required(missing)\n",
        "    names.required([])\n",
        "test_fields.py::test_names_are_required",
    ),
    Mutant(
        "R-142",
        "core_service/views.py",
        'if fold(phone.type) == "mobile"',
        "if phone.value",
        "test_fields.py::test_the_profiles_number_is_the_mobile_one",
    ),
    Mutant(
        "R-143",
        "core_service/role_groups.py",
        'elif kind == "remove" or body.value.display_name.strip() != row.name:',
        "elif False:",
        "test_roles.py::test_writing_the_name_a_role_has_is_no_rename",
    ),
    Mutant(
        "R-145",
        RULES + "roles.py",
        "        if len(primary) != 1:\n            raise _second_role(wishes)\n"
        "        wishes = primary\n",
        "        wishes = primary or wishes\n",
        "test_roles.py::test_two_roles_at_once_are_one_too_many",
    ),
    Mutant(
        "R-150",
        RULES + "admins.py",
        "if losing and facts.active_admins - losing + gaining <= 0:",
        "if False:",
        "test_roles.py::test_the_last_admin_stays_by_every_door",
    ),
    Mutant(
        "R-151",
        "core_service/role_choice.py",
        "    if not name:\n        raise rules.not_removable(before.id)\n",
        "    if not name:\n        return None\n",
        "test_roles.py::test_the_role_cannot_be_removed",
    ),
    Mutant(
        "R-152",
        RULES + "roles.py",
        "return max(usable, key=lambda role: role.rank)",
        "return min(usable, key=lambda role: role.rank)",
        "test_roles.py::test_a_new_user_gets_the_role_that_may_least",
    ),
    Mutant(
        "R-153",
        "core_service/role_choice.py",
        "chosen = by_extension or by_grants or current or write.context.default_role",
        "chosen = by_extension or by_grants or write.context.default_role",
        "test_roles.py::test_no_update_changes_a_role_that_it_does_not_name",
    ),
    Mutant(
        "R-154",
        RULES + "admins.py",
        "    if had != after.admin:\n",
        "    if False:\n",
        "test_roles.py::test_the_admin_role_is_the_products",
    ),
    Mutant(
        "R-155",
        RULES + "guests.py",
        "if by_provisioning and named is not None:",
        "if False:",
        "test_roles.py::test_no_request_makes_a_guest",
    ),
    Mutant(
        "R-156",
        RULES + "standing.py",
        "return self.active and not self.guest",
        "return self.active",
        "test_roles.py::test_an_existing_guest_is_synced_and_stays_one",
    ),
    Mutant(
        "R-157",
        "core_service/role_groups.py",
        'if row.id == role_id and write.context.roles[row.id].kind != "guest":',
        "if row.id == role_id:",
        "test_roles.py::test_the_guest_role_is_no_group",
    ),
    Mutant(
        "R-161",
        RULES + "accounts.py",
        "    if workspaces > 1:\n        raise",
        "    if False:\n        raise",
        "test_accounts_and_groups.py::test_a_shared_account_is_the_persons",
    ),
    Mutant(
        "R-163",
        RULES + "accounts.py",
        "return workspaces > 0",
        "return True",
        "test_accounts_and_groups.py::test_an_address_is_free_when_its_user_is_purged",
    ),
    Mutant(
        "R-164",
        RULES + "accounts.py",
        "if not policy_allows or not linked:",
        "if not linked:",
        "test_accounts_and_groups.py::test_a_user_name_may_be_the_products",
    ),
    Mutant(
        "R-168",
        "core_service/policy.py",
        "on_deactivate=policy_pb2.ON_DEACTIVATE_RECYCLE",
        "on_deactivate=policy_pb2.ON_DEACTIVATE_DEACTIVATE",
        "test_accounts_and_groups.py::test_out_of_scope_and_back",
    ),
    Mutant(
        "R-171",
        RULES + "deletion.py",
        "return Deletion.PURGE if purges or not by_provisioning else Deletion.UNLINK",
        "return Deletion.PURGE if not by_provisioning else Deletion.UNLINK",
        "test_accounts_and_groups.py::test_what_deleting_means",
    ),
    Mutant(
        "R-173",
        "core_service/policy.py",
        "on_delete=policy_pb2.ON_DELETE_UNLINK",
        "on_delete=policy_pb2.ON_DELETE_PURGE",
        "test_accounts_and_groups.py::test_what_deleting_means",
    ),
    Mutant(
        "R-176",
        RULES + "groups.py",
        "return fold(display_name.strip())",
        "return display_name",
        "test_accounts_and_groups.py::test_names_of_groups_are_unique",
    ),
    Mutant(
        "R-177",
        RULES + "groups.py",
        "if nested is Nested.REFUSE:",
        "if False:",
        "test_accounts_and_groups.py::test_a_group_in_a_group",
    ),
]


def main(wanted: list[str]) -> int:
    """Judge the mutants of the rules *wanted*, all if none is; return the exit code."""
    chosen = [mutant for mutant in MUTANTS if not wanted or mutant.rule in wanted]
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = Path(folder)
        _copy(tree)
        tests = sorted({mutant.test for mutant in chosen})
        if not _shadows(tree) or not _pass(tree, *tests):
            print("The tests fail before a rule is taken out.")
            return 2
        survived = [mutant for mutant in chosen if not _killed(tree, mutant)]
    print(f"{len(chosen) - len(survived)} of {len(chosen)} mutants killed.")
    return 1 if survived else 0


def _copy(tree: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__", "*.db")
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=ignored)
        else:
            shutil.copy(source, tree / name)


def _killed(tree: Path, mutant: Mutant) -> bool:
    file = tree / mutant.file
    text = file.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        print(f"{mutant.rule}: {mutant.file} does not have the text once: {mutant.old!r}")
        sys.exit(2)
    began = time.monotonic()
    file.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        killed = not _pass(tree, mutant.test)
    finally:
        file.write_text(text, encoding="utf-8")
    verdict = "killed" if killed else "SURVIVED"
    seconds = time.monotonic() - began
    print(f"{mutant.rule} {verdict:8} {seconds:4.1f} s  {mutant.test}", flush=True)
    return killed


def _pass(tree: Path, *tests: str) -> bool:
    paths = [f"tests/coverage/{test}" for test in tests]
    done = _run(tree, "-m", "pytest", "-x", "-k", "not postgresql", *paths)
    # 1: a test failed. Anything else says nothing of the rule.
    if done.returncode not in (0, 1):
        print(done.stdout, done.stderr)
        sys.exit(2)
    return done.returncode == 0


def _shadows(tree: Path) -> bool:
    """Return whether programs in the copy import the copy."""
    code = "import core_service.core as c, userdirectory.text as t; print(c.__file__, t.__file__)"
    return _run(tree, "-c", code).stdout.count(str(tree)) == 2


def _run(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(tree), str(tree / "protos"))),
        # Two versions of a file within a second would share their bytecode.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
