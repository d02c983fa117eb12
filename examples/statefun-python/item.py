"""Something the shop sells. State: `item_name`, `price`, `stock`, and the pieces of each reservation."""

from turn import Cancel, Json, Send, SendLater, Turn, failed, returned


def on_item_request(id: str, state: Json | None, call: Json) -> Turn:
    """What the gateway asks: the arguments fit `metadata.json`, or it had refused the call."""
    method, args = call["method"], call["args"]
    if method == "create":
        if state is not None:
            return Turn((failed(call, "ALREADY_EXISTS", f"There is an item {id} already."),))
        created = {"item_name": id, "price": args["price"], "stock": 0, "reservations": {}}
        return Turn((returned(call, None),), created)
    if state is None:
        return Turn((failed(call, "KEY_NOT_FOUND", f"There is no item {id}."),))
    match method:
        case "get":
            return Turn((returned(call, state),))
        case "get_price":
            return Turn((returned(call, state["price"]),))
        case "update_stock":
            if state["stock"] + args["amount"] < 0:
                return Turn((returned(call, False),))
            return Turn((returned(call, True),), stocked(state, args["amount"]))
        case "set_stock":
            return Turn((returned(call, None),), {**state, "stock": args["amount"]})
        case "reserve":
            return reserve(id, state, call)
        case "collect":
            return collect(state, call)
    return Turn((failed(call, "UNKNOWN_METHOD", "Items have no such method."),))


def on_item_message(id: str, state: Json | None, message: Json) -> Turn:
    """What other functions, or it itself some time ago, tell an item."""
    if state is None:
        return Turn((failed(message, "KEY_NOT_FOUND", f"There is no item {id}."),))
    match message["kind"]:
        case "sell":
            return sell(id, state, message)
        case "put-back":
            return Turn(state=stocked(state, message["amount"]))
        case "expire":
            pieces = state["reservations"].get(message["reservation"], 0)
            return Turn(state=without(stocked(state, pieces), message["reservation"]))
        case _:
            return visit(state, message)


def sell(id: str, state: Json, call: Json) -> Turn:
    amount, total = call["amount"], call["amount"] * state["price"]
    if total > call["budget"] or amount > state["stock"]:
        return Turn((returned(call, False),))
    bill = {"correlation_id": call["correlation_id"], "kind": "pay", "item": id, "amount": amount, "total": total}
    return Turn((Send("shop/user", call["user"], bill),), stocked(state, -amount))


def reserve(id: str, state: Json, call: Json) -> Turn:
    """Takes pieces off the shelf until they are collected or the time is over: a message to itself puts them back then."""
    amount, seconds = call["args"]["amount"], call["args"]["seconds"]
    if amount > state["stock"]:
        return Turn((failed(call, "OutOfStock", f"Only {state['stock']} are left."),))
    # Nobody else's call has this id.
    reservation = call["correlation_id"]
    expiry = Send("shop/item", id, {"correlation_id": reservation, "kind": "expire", "reservation": reservation})
    reservations = {**state["reservations"], reservation: amount}
    return Turn(
        (SendLater(expiry, seconds, reservation), returned(call, reservation)),
        {**stocked(state, -amount), "reservations": reservations},
    )


def collect(state: Json, call: Json) -> Turn:
    reservation = call["args"]["reservation"]
    if reservation not in state["reservations"]:
        return Turn((returned(call, False),))
    return Turn((Cancel(reservation), returned(call, True)), without(state, reservation))


def visit(state: Json, message: Json) -> Turn:
    """One stop of a tour over several items. The last one answers the caller."""
    (here, *stops), stock, total = message["stops"], state["stock"], message["total"]
    for step in here["steps"]:
        if step == "read":
            total += stock
        elif total > 0 or not step.get("when_positive"):
            stock = step["set"]
    state = {**state, "stock": stock}
    if not stops:
        return Turn((returned(message, total),), state)
    return Turn((Send("shop/item", stops[0]["item"], {**message, "stops": stops, "total": total}),), state)


def stocked(state: Json, amount: int) -> Json:
    return {**state, "stock": state["stock"] + amount}


def without(state: Json, reservation: str) -> Json:
    rest = {name: pieces for name, pieces in state["reservations"].items() if name != reservation}
    return {**state, "reservations": rest}
