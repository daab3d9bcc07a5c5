"""The directory for programs without asyncio: the methods of `AsyncDirectory`, blocking."""

from collections.abc import Callable, Generator, Iterator
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import grpc
import tenacity
from userdirectory.v1.user_directory_pb2_grpc import UserDirectoryStub
from userdirectory.v1.workspace_admin_pb2_grpc import WorkspaceAdminStub

from clients import groups, users, watching
from clients.calls import OPTIONS, Client, Tls
from clients.steps import Call, Pages, Steps, Stream, presented_as
from clients.watching import Change

P = ParamSpec("P")
T = TypeVar("T")


def _steps(written: Callable[P, Steps[T]]) -> "Callable[Concatenate[Directory, P], T]":
    @presented_as(written)
    def method(self: "Directory", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._result(written(*args, **kwargs))

    return method


def _pages(written: Callable[P, Pages[T]]) -> "Callable[Concatenate[Directory, P], Iterator[T]]":
    @presented_as(written, Iterator)
    def method(self: "Directory", /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        return self._items(written(*args, **kwargs))

    return method


def _changes(
    written: Callable[P, Stream[Change]],
) -> "Callable[Concatenate[Directory, P], Generator[Change, None, None]]":
    @presented_as(written, Generator)
    def method(
        self: "Directory", /, *args: P.args, **kwargs: P.kwargs
    ) -> Generator[Change, None, None]:
        return watching.watch(
            self._client, self._admin.WatchChanges, written(*args, **kwargs).request
        )

    return method


class Directory:
    """
    The directory, for programs without asyncio; one may be used by many threads.

    Every method raises DirectoryError when the directory refuses, and grpc.RpcError, whose
    `code()` tells why, when it does not answer: UNAVAILABLE, DEADLINE_EXCEEDED, INTERNAL.

        with Directory("127.0.0.1:50051", token) as directory:
            user = directory.find_user("ada@example.com")

    Args:
        target: `host:port`, or a channel, which is then the caller's to close.
        token: The credential.
        workspace_id: The workspace; empty means the credential's own.
        timeout_seconds: How long a call may take, further tries included.
        tls: How to secure the connection; None: not at all.
    """

    def __init__(
        self,
        target: str | grpc.Channel,
        token: str,
        *,
        workspace_id: str = "",
        timeout_seconds: float = 10.0,
        tls: Tls | None = None,
    ) -> None:
        """Make a client; ValueError if the token cannot be sent."""
        self._client = Client(token, workspace_id, timeout_seconds)
        self._own = isinstance(target, str)
        self._channel = _channel(target, tls) if isinstance(target, str) else target
        self._stub: Any = UserDirectoryStub(self._channel)  # type: ignore[no-untyped-call]
        self._admin: Any = WorkspaceAdminStub(self._channel)  # type: ignore[no-untyped-call]

    def __enter__(self) -> Self:
        """Return the directory."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection, unless it was given."""
        if self._own:
            self._channel.close()

    get_user = _steps(users.get_user)
    find_user = _steps(users.find_user)
    batch_get_users = _steps(users.batch_get_users)
    list_users = _pages(users.list_users)
    count_users = _steps(users.count_users)
    create_user = _steps(users.create_user)
    update_user = _steps(users.update_user)
    replace_user = _steps(users.replace_user)
    patch_user = _steps(users.patch_user)
    set_role = _steps(users.set_role)
    delete_user = _steps(users.delete_user)
    list_deleted_users = _pages(users.list_deleted_users)
    restore_user = _steps(users.restore_user)
    purge_user = _steps(users.purge_user)
    get_org_chart = _pages(users.get_org_chart)

    get_group = _steps(groups.get_group)
    batch_get_groups = _steps(groups.batch_get_groups)
    list_groups = _pages(groups.list_groups)
    count_groups = _steps(groups.count_groups)
    list_members = _pages(groups.list_members)
    create_group = _steps(groups.create_group)
    update_group = _steps(groups.update_group)
    replace_group = _steps(groups.replace_group)
    patch_group = _steps(groups.patch_group)
    add_members = _steps(groups.add_members)
    remove_members = _steps(groups.remove_members)
    delete_group = _steps(groups.delete_group)
    get_role = _steps(groups.get_role)
    list_roles = _steps(groups.list_roles)

    watch_changes = _changes(watching.watch_changes)

    def _result(self, steps: Steps[T]) -> T:
        answer = None
        while True:
            try:
                call = steps.send(answer)
            except StopIteration as end:
                result: T = end.value
                return result
            answer = self._answer(call)

    def _items(self, pages: Pages[T]) -> Iterator[T]:
        while True:
            page = self._answer(Call(pages.request))
            yield from getattr(page, pages.field)
            if not page.next_page_token:
                return
            pages.request.page_token = page.next_page_token

    def _answer(self, call: Call) -> Any:
        prepared = self._client.prepare(call)
        try:
            for attempt in tenacity.Retrying(**self._client.tries(prepared)):
                with attempt:
                    rpc = getattr(self._stub, prepared.method)
                    answer = rpc(call.request, **prepared.terms())
        except grpc.RpcError as error:
            self._client.refuse(error)
        self._client.budget.answered()
        return answer


def _channel(target: str, tls: Tls | None) -> grpc.Channel:
    if tls is None:
        return grpc.insecure_channel(target, options=OPTIONS)
    return grpc.secure_channel(target, tls.credentials(), options=OPTIONS)
