"""`gateway/dispatch`, for entities with `"correlation": "dispatch"`.

Takes a call from the gateway's topic, asks the function that is meant, and writes what that function answers to the reply topic.
So functions only answer their caller, and know neither Kafka nor correlation ids. Each call has an instance of its own: its id is
the call's.
"""

import base64
import json
import traceback
from datetime import timedelta

from statefun import (
    Context,
    Message,
    StatefulFunctions,
    ValueSpec,
    kafka_egress_message,
    make_json_type,
    message_builder,
    simple_type,
)


def bind_dispatch(
    functions: StatefulFunctions,
    *,
    egress: str,
    reply_topic: str,
    forget_after: timedelta = timedelta(minutes=10),
    max_answer_bytes: int = 900_000,
) -> None:
    """Adds the function.

    `egress` is the Kafka egress of module.yaml. `reply_topic` is the operator's choice and never a caller's: a topic that does not
    exist stops the cluster. A call that nobody answers is forgotten after `forget_after`. An answer of more than
    `max_answer_bytes` is not sent: a record that the topic does not take would stop the cluster too.
    """

    def reply(context: Context, answer: dict) -> None:
        key = context.address.id
        value = json.dumps({"correlation_id": key, **answer})
        context.send_egress(kafka_egress_message(egress, reply_topic, value, key=key))

    def on_answer(context: Context, message: Message) -> None:
        call = context.storage.call
        if call is None:  # Answered already, or forgotten.
            return
        del context.storage.call
        reply(context, {**call, "type": message.value_typename(), **packed(message, max_answer_bytes)})

    def dispatch(context: Context, message: Message) -> None:
        try:
            if context.caller is not None:  # Only what comes from the topic has no caller.
                return on_answer(context, message)
            request = json.loads(message.raw_value())
            if request.get("ping") is True:
                return reply(context, {"pong": True})
            ask(context, request)
        except Exception:
            # A function that raises is called with the same message again and again, and then stops everybody's job.
            traceback.print_exc()

    functions.register(
        "gateway/dispatch",
        dispatch,
        [ValueSpec("call", make_json_type("gateway/call"), expire_after_write=forget_after)],
    )


def ask(context: Context, request: dict) -> None:
    typename, id = request["function"], request["id"]
    namespace, _, name = typename.rpartition("/")
    if not namespace or not name:
        raise ValueError(f"{typename!r} is no function's type")
    value = request["text"].encode() if "text" in request else base64.b64decode(request["base64"])
    as_it_is = simple_type(request["type"], serialize_fn=bytes, deserialize_fn=bytes)
    context.send(message_builder(typename, id, value=value, value_type=as_it_is))
    context.storage.call = {"function": typename, "id": id}


def packed(message: Message, max_bytes: int) -> dict:
    """The answer as it is: whoever parses JSON on its way may lose digits."""
    value = message.raw_value()
    if value is None:
        return {"problem": "The function answered without a value."}
    try:
        answer = {"text": value.decode()}
    except UnicodeDecodeError:
        answer = {"base64": base64.b64encode(value).decode()}
    if len(json.dumps(answer)) > max_bytes:
        return {"problem": f"The answer has {len(value)} bytes, more than the reply topic takes."}
    return answer
