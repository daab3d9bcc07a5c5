"""Clients that write without a pause, and remember what they were told."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from urllib.parse import quote

from tests.scim import NO_ANSWER, Answer, Scim, person

CLIENTS = 8


@dataclass(slots=True)
class Written:
    """
    What one client knows of one of its users.

    Attributes:
        id: Empty while no create was answered.
        acknowledged: The last mark that was answered with success; -1 for none.
        tried: Marks sent since then, of which any may have been stored.
    """

    user_name: str
    id: str = ""
    acknowledged: int = -1
    tried: list[int] = field(default_factory=list)


class Load:
    """
    Eight clients of one integration that create and patch users until told to stop.

    Each write carries a mark twice, in `displayName` and in `title`, so that a write that was half
    applied would show. A client whose request got no answer, or 503, sends the same write again.
    """

    def __init__(self, base_url: str, token: str) -> None:
        """Start the clients."""
        self._base_url = base_url
        self._token = token
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._written: list[Written] = []
        self.answers: dict[int, int] = {}
        self.unanswered = 0
        self._threads = [
            threading.Thread(target=self._run, args=(number,), daemon=True)
            for number in range(CLIENTS)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def acknowledged(self) -> int:
        """How many writes were answered with success."""
        with self._lock:
            return sum(count for status, count in self.answers.items() if status < 300)

    def wait_for(self, more: int, seconds: float = 30.0) -> None:
        """Return when *more* writes than now have been acknowledged."""
        wanted = self.acknowledged + more
        ends = time.monotonic() + seconds
        while self.acknowledged < wanted:
            assert time.monotonic() < ends, f"only {self.answers} answers, {self.unanswered} none"
            self._stop.wait(0.01)

    def stop(self) -> list[Written]:
        """Let every client end its request; return what they know."""
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()
        return self._written

    def _run(self, number: int) -> None:
        with Scim(self._base_url, self._token) as client:
            turn = 0
            while not self._stop.is_set():
                user = Written(f"load.{number}.{turn}@example.com")
                self._written.append(user)
                self._write(user, 0, partial(_create, client, user))
                for mark in range(1, 4):
                    self._write(user, mark, partial(_patch, client, user, mark))
                turn += 1

    def _write(self, user: Written, mark: int, send: Callable[[], Answer]) -> None:
        """Send one write until it is acknowledged or the load stops."""
        while not self._stop.is_set():
            user.tried.append(mark)
            try:
                answer = send()
            except NO_ANSWER:
                self._note(None)
                self._stop.wait(0.1)
                continue
            self._note(answer.status)
            if answer.status in (200, 201):
                user.id, user.acknowledged, user.tried = answer.body["id"], mark, []
                return
            self._stop.wait(0.1)

    def _note(self, status: int | None) -> None:
        with self._lock:
            if status is None:
                self.unanswered += 1
            else:
                self.answers[status] = self.answers.get(status, 0) + 1


def _create(client: Scim, user: Written) -> Answer:
    """Create the user; if it is there after all, because the answer was lost, find it."""
    sent = person(user.user_name, externalId=user.user_name, **_marks(0))
    answer = client.post("/Users", sent)
    if answer.status != 409:
        return answer
    wanted = quote(f'userName eq "{user.user_name}"')
    found = client.get(f"/Users?filter={wanted}")
    return replace(found, body=found.body["Resources"][0]) if found.status == 200 else found


def _patch(client: Scim, user: Written, mark: int) -> Answer:
    return client.patch(
        f"/Users/{user.id}",
        *({"op": "replace", "path": key, "value": value} for key, value in _marks(mark).items()),
    )


def _marks(mark: int) -> dict[str, Any]:
    return {"displayName": f"Mark {mark}", "title": f"Mark {mark}"}


def problems(written: list[Written], client: Scim) -> list[str]:
    """Return what is lost or half applied of what was acknowledged, one sentence each."""
    found = []
    for user in written:
        stored = client.find("Users", f'userName eq "{user.user_name}"')
        found += _of_one(user, stored)
    return found


def _of_one(user: Written, stored: list[dict[str, Any]]) -> list[str]:
    if len(stored) > 1:
        return [f"{user} is there {len(stored)} times"]
    if not stored:
        return [f"{user} is lost"] if user.acknowledged >= 0 or user.id else []
    allowed = {f"Mark {mark}" for mark in (user.acknowledged, *user.tried) if mark >= 0}
    marks = {stored[0].get("displayName"), stored[0].get("title")}
    if len(marks) > 1:
        return [f"{user} is half applied: {marks}"]
    if not marks <= allowed:
        return [f"{user} is at {marks}"]
    if user.id and stored[0]["id"] != user.id:
        return [f"{user} has the id {stored[0]['id']}"]
    return []
