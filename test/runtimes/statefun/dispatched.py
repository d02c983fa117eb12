"""`gateway/dispatch` of examples/statefun-python, and a counter that knows nothing but its caller."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "examples" / "statefun-python"))

from statefun import Context, Message, StatefulFunctions, ValueSpec, LongType, make_json_type, message_builder  # noqa: E402

from dispatch import bind_dispatch  # noqa: E402
from endpoint import serve  # noqa: E402

REQUEST = make_json_type("demo/request")
ANSWER = make_json_type("demo/answer")

functions = StatefulFunctions()
bind_dispatch(functions, egress="shop/replies", reply_topic=os.environ["REPLY_TOPIC"])


@functions.bind("demo/counter", [ValueSpec("count", LongType)])
def counter(context: Context, message: Message) -> None:
    by = message.as_type(REQUEST)["args"]["by"]
    count = (context.storage.count or 0) + by
    if by >= 0:
        context.storage.count = count
        answer = {"ok": True, "result": count}
    else:
        answer = {"ok": False, "error": {"code": "Backwards", "message": "This counter goes up."}}
    caller = context.caller
    context.send(message_builder(caller.typename, caller.id, value=answer, value_type=ANSWER))


serve(functions, int(os.environ["PORT"]))
