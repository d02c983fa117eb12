"""Serves the shop's functions: `python functions.py`. PORT and REPLY_TOPIC say where and to which topic they answer."""

import json
import os
import traceback
from collections.abc import Callable
from datetime import timedelta

from statefun import (
    Context,
    Message,
    StatefulFunctions,
    ValueSpec,
    kafka_egress_message,
    make_json_type,
    message_builder,
)

from endpoint import serve
from item import on_item_message, on_item_request
from turn import Cancel, Effect, Json, Reply, Send, SendLater, Turn, failed
from user import on_user_message, on_user_request

# A JSON type is a name and nothing more: the bytes are plain JSON. `module.yaml` gives the first to both request topics.
REQUEST = make_json_type("shop/request")
MESSAGE = make_json_type("shop/message")
STATE = make_json_type("shop/state")

# The operator's choice and never a caller's: a topic that does not exist stops the cluster.
REPLY_TOPIC = os.environ.get("REPLY_TOPIC", "shop-replies")

Behaviour = Callable[[str, Json | None, Json], Turn]


def bind(functions: StatefulFunctions, typename: str, on_request: Behaviour, on_message: Behaviour) -> None:
    """Makes a function of the SDK out of two behaviours."""

    def function(context: Context, message: Message) -> None:
        turn = guarded(context, message, on_request if message.is_type(REQUEST) else on_message)
        if turn.state is not None:
            context.storage.state = turn.state
        for effect in turn.effects:
            perform(context, effect)

    functions.register(typename, function, [ValueSpec("state", STATE)])


def guarded(context: Context, message: Message, behave: Behaviour) -> Turn:
    """A function that raises is called with the same message again and again, and then stops everybody's job: so a
    failure is an answer, and a message that can't even be read is dropped."""
    call = None
    try:
        call = message.as_type(REQUEST)
        return behave(context.address.id, context.storage.state, call)
    except Exception:
        traceback.print_exc()
        if not isinstance(call, dict) or not isinstance(call.get("correlation_id"), str):
            return Turn()
        return Turn((failed(call, "INTERNAL", "The function failed; its log says why."),))


def perform(context: Context, effect: Effect) -> None:
    match effect:
        case Reply(correlation_id, answer):
            # The record that the gateway waits for: its key is the call's id, and so is a member of its value.
            value = json.dumps({"correlation_id": correlation_id, "id": context.address.id, **answer})
            context.send_egress(kafka_egress_message("shop/replies", REPLY_TOPIC, value, key=correlation_id))
        case Send():
            context.send(to_function(effect))
        case SendLater(send, seconds, token):
            context.send_after(timedelta(seconds=seconds), to_function(send), token)
        case Cancel(token):
            context.cancel_delayed_message(token)


def to_function(send: Send) -> Message:
    return message_builder(send.typename, send.id, value=send.message, value_type=MESSAGE)


if __name__ == "__main__":
    functions = StatefulFunctions()
    bind(functions, "shop/user", on_user_request, on_user_message)
    bind(functions, "shop/item", on_item_request, on_item_message)
    serve(functions, int(os.environ.get("PORT", "8700")))
