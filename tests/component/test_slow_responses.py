"""A response that arrives byte by byte ends with the time of the call, not with its last byte."""

from __future__ import annotations

import gzip
import io
from typing import TYPE_CHECKING, Any

import pytest
import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from connector.deadline import SAVE_SECONDS, Deadline
from connector.http_session import WHOLE_SECONDS, HttpSession

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

TEXT = b"0123456789" * 30
URL = "https://plezi.example/contacts"


class SlowStream(io.BytesIO):
    """A stream that delivers one byte a second; `now` is the time in seconds."""

    def __init__(self, content: ReadableBuffer) -> None:
        super().__init__(content)
        self.now = 0.0

    def read1(self, size: int | None = -1, /) -> bytes:
        self.now += 1.0
        return super().read1(1 if size else 0)

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(size)
        self.now += len(content)
        return content


class SlowAdapter(BaseAdapter):
    """A transport whose responses are the bytes of a stream."""

    def __init__(self, stream: SlowStream, **headers: str) -> None:
        super().__init__()
        self._stream = stream
        self._headers = headers

    def send(
        self, request: requests.PreparedRequest, *_args: object, **_kwargs: Any
    ) -> requests.Response:
        response = requests.Response()
        response.status_code = 200
        response.request = request
        response.raw = HTTPResponse(
            self._stream, headers=self._headers, status=200, preload_content=False
        )
        return response

    def close(self) -> None:
        """Nothing is open."""


def slow_session(stream: SlowStream, **headers: str) -> HttpSession:
    session = HttpSession(monotonic=lambda: stream.now)
    session.mount("https://", SlowAdapter(stream, **headers))
    return session


def test_a_response_that_arrives_byte_by_byte_ends_with_the_deadline() -> None:
    stream = SlowStream(TEXT)
    session = slow_session(stream)
    deadline = Deadline(lambda: stream.now)
    deadline.start(remaining=SAVE_SECONDS + 40)
    session.limit_time(deadline)

    with pytest.raises(requests.ConnectionError, match="takes too long"):
        session.get(URL)

    assert stream.now <= 42


def test_a_response_without_a_deadline_has_a_longest_time_too() -> None:
    stream = SlowStream(TEXT)

    with pytest.raises(requests.ConnectionError, match="takes too long"):
        slow_session(stream).get(URL)

    assert WHOLE_SECONDS < stream.now <= WHOLE_SECONDS + 2


def test_a_slow_response_that_ends_in_time_is_complete() -> None:
    stream = SlowStream(TEXT[:100])
    assert slow_session(stream).get(URL).content == TEXT[:100]


def test_a_compressed_response_is_complete() -> None:
    stream = SlowStream(gzip.compress(TEXT))
    session = slow_session(stream, **{"Content-Encoding": "gzip"})
    assert session.get(URL).content == TEXT
