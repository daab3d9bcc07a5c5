"""What the tests of the rules share."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from userdirectory.errors import DirectoryError

Refused = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def refused() -> Refused:
    """Check that a block raises a reason with exactly this metadata, in a message for people."""

    @contextmanager
    def check(reason: str, **metadata: object) -> Iterator[None]:
        with pytest.raises(DirectoryError) as caught:
            yield
        error = caught.value
        assert reason == error.reason
        assert {key: str(value) for key, value in metadata.items()} == error.metadata
        assert error.message.isprintable()
        assert error.message.endswith((".", "?"))
        assert len(error.message) < 1000

    return check
