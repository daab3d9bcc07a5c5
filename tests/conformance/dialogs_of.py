"""Which recorded dialogs a workspace must be able to hold, and how one is replayed."""

import json
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from userdirectory.v1 import policy_pb2

from tests.conformance import replay

R = TypeVar("R", bound=replay.Runner)
HERE = Path(__file__).resolve().parent
WITH_WORKSPACE = frozenset({"client_id", "client_secret"})
"""The placeholders whose values come when there is a workspace, with the tokens."""
SCENARIOS: dict[str, dict[str, Any]] = {
    scenario["id"]: scenario for scenario in replay.load([str(HERE / "dialogs")])
}


@dataclass(frozen=True, slots=True)
class Audience:
    """
    A preset, and what identity providers find there.

    Attributes:
        profile: Features and values for placeholders, as `replay.py --profile` reads them. What
            comes when there is a workspace: `WITH_WORKSPACE`, and the tokens `second`, `revoked`
            and `full_tenant`, whose workspace has no seat left.
    """

    preset: policy_pb2.Preset
    profile: dict[str, Any]

    @property
    def enabled(self) -> list[str]:
        """The ids of the dialogs that the features allow."""
        runner = replay.Runner(_options("http://127.0.0.1", ""), self.profile)
        known = WITH_WORKSPACE | set(self.profile.get("vars", {}))
        return [
            id_
            for id_, scenario in SCENARIOS.items()
            if set(scenario.get("requires", ())) <= runner.features
            and set(scenario.get("requires_vars", ())) <= known
        ]


AUDIENCES = {
    "group-mirror": Audience(
        policy_pb2.PRESET_GROUP_MIRROR,
        {
            "features": ["two-tokens", "cursor", "search-post", "oauth-cc"],
            "vars": {"token_path": "/oauth/token"},
        },
    ),
    "single-role": Audience(
        policy_pb2.PRESET_SINGLE_ROLE, json.loads((HERE / "roles.json").read_text())
    ),
}


def runner(
    base_url: str,
    token: str,
    profile: dict[str, Any],
    make: type[R] = replay.Runner,
    **options: Any,
) -> R:
    """Return a runner against the gateway at *base_url*; *options* are those of `replay.py`."""
    return make(_options(base_url, token, **options), profile)


def _options(base_url: str, token: str, **options: Any) -> Namespace:
    defaults = {
        "base_url": base_url,
        "token": token,
        "var": None,
        "feature": None,
        "no_feature": None,
        "timeout": 30.0,
        "insecure": False,
        "cacert": None,
        "strict": False,
        "no_cleanup": False,
        "verbose": False,
    }
    return Namespace(**(defaults | options))
