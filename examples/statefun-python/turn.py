"""A function's turn: what comes of one message.

Behaviours return it instead of doing it, so that a turn happens whole or, if the behaviour raises, not at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Union

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Reply:
    """To whoever has made the call."""

    correlation_id: str
    answer: Json


@dataclass(frozen=True)
class Send:
    """To a function: `typename` is `shop/user` or `shop/item`."""

    typename: str
    id: str
    message: Json


@dataclass(frozen=True)
class SendLater:
    """The same after some time, unless it is cancelled by its token before."""

    send: Send
    seconds: float
    token: str


@dataclass(frozen=True)
class Cancel:
    token: str


Effect = Union[Reply, Send, SendLater, Cancel]


@dataclass(frozen=True)
class Turn:
    effects: tuple[Effect, ...] = ()
    #: None: as it was.
    state: Json | None = None


def returned(call: Json, result: object) -> Reply:
    return Reply(call["correlation_id"], {"ok": True, "result": result})


def failed(call: Json, code: str, message: str) -> Reply:
    return Reply(call["correlation_id"], {"ok": False, "error": {"code": code, "message": message}})
