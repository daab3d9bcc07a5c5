"""Run scim2-tester and print what does not succeed, as JSON, by names that stay the same."""

import json
import sys
import uuid

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server, filling

_example = filling.get_random_example_value


def address_for_user_name(path):
    """
    Return an e-mail address as the example of a user name.

    The tester makes up a UUID, which workspaces refuse where people sign in by their address.
    """
    return f"{uuid.uuid4()}@example.com" if str(path).endswith("userName") else _example(path)


def main(base_url: str, token: str, user_names: str = "any") -> None:
    """Print `{"succeeded": 12, "failed": {"check_add_attribute Group members": "..."}}`."""
    if user_names == "addresses":
        filling.get_random_example_value = address_for_user_name
    http = Client(base_url=base_url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    results = check_server(SyncSCIMClient(http))
    failed = {}
    for result in results:
        if result.status is not Status.SUCCESS:
            about = result.data.get("urn", "") if isinstance(result.data, dict) else ""
            name = " ".join(filter(None, (result.title, result.resource_type, about)))
            failed[name] = result.reason
    succeeded = sum(result.status is Status.SUCCESS for result in results)
    print(json.dumps({"succeeded": succeeded, "failed": failed}))


main(*sys.argv[1:])
