"""A customer with a purse. State: `username`, `balance`, `items`."""

from turn import Json, Send, Turn, failed, returned


def on_user_request(id: str, state: Json | None, call: Json) -> Turn:
    """What the gateway asks: the arguments fit `metadata.json`, or it had refused the call."""
    method, args = call["method"], call["args"]
    if method == "create":
        if state is not None:
            return Turn((failed(call, "ALREADY_EXISTS", f"There is a user {id} already."),))
        return Turn((returned(call, None),), {"username": id, "balance": 1, "items": []})
    if state is None:
        return Turn((failed(call, "KEY_NOT_FOUND", f"There is no user {id}."),))
    match method:
        case "get":
            return Turn((returned(call, state),))
        case "get_balance":
            return Turn((returned(call, state["balance"]),))
        case "update_balance":
            return Turn((returned(call, None),), paid(state, args["x"]))
        case "buy_item":
            return buy_item(id, state, call)
        case "simple_for_loop":
            return give_to_all(call)
        case "state_requests":
            return tour_items(call)
    return Turn((failed(call, "UNKNOWN_METHOD", "Users have no such method."),))


def on_user_message(id: str, state: Json | None, message: Json) -> Turn:
    """What other functions tell a user."""
    if state is None:
        return Turn((failed(message, "KEY_NOT_FOUND", f"There is no user {id}."),))
    return pay(state, message) if message["kind"] == "pay" else take_gift(state, message)


def buy_item(id: str, state: Json, call: Json) -> Turn:
    """The item knows the price, so it decides; `budget` is what can be spent as far as we know now."""
    args = call["args"]
    message = onward(call, kind="sell", user=id, amount=args["amount"], budget=state["balance"])
    return Turn((Send("shop/item", args["item"], message),))


def pay(state: Json, message: Json) -> Turn:
    """The pieces are set aside for us. Another purchase may have been quicker with the money: then they go back."""
    if state["balance"] >= message["total"]:
        return Turn((returned(message, True),), paid(state, -message["total"]))
    put_back = Send("shop/item", message["item"], onward(message, kind="put-back", amount=message["amount"]))
    return Turn((put_back, returned(message, False)))


def give_to_all(call: Json) -> Turn:
    """The first gets 4, each other one 9; the gift goes from hand to hand, and the last one answers."""
    users = call["args"]["users"]
    if not users:
        return Turn((returned(call, 0),))
    return Turn((Send("shop/user", users[0], onward(call, kind="gift", x=4, others=users[1:], count=len(users))),))


def take_gift(state: Json, message: Json) -> Turn:
    state, others = paid(state, message["x"]), message["others"]
    if not others:
        return Turn((returned(message, message["count"]),), state)
    gift = onward(message, kind="gift", x=9, others=others[1:], count=message["count"])
    return Turn((Send("shop/user", others[0], gift),), state)


def tour_items(call: Json) -> Turn:
    """Reads and sets the stock of item after item; the last one answers with the sum of what was read."""
    items = call["args"]["items"]
    if not items:
        return Turn((failed(call, "NoItems", "At least one item is needed."),))
    stops = [
        {"item": items[0], "steps": ["read", {"set": 10}, "read", {"set": 0}]},
        *({"item": item, "steps": ["read", {"set": 5}, "read"]} for item in items),
        {"item": items[0], "steps": ["read", {"set": 1, "when_positive": True}, "read"]},
    ]
    return Turn((Send("shop/item", items[0], onward(call, kind="tour", stops=stops, total=0)),))


def onward(call: Json, **message: object) -> Json:
    """What a call sends on carries the call's id, so that the function at which it ends can answer."""
    return {"correlation_id": call["correlation_id"], **message}


def paid(state: Json, x: int) -> Json:
    return {**state, "balance": state["balance"] + x}
