"""Reads pickles (base64, one a line) and prints what each holds as a line of JSON, with the Python type of every value."""

import base64
import enum
import json
import pickle
import sys

sys.path.insert(0, sys.argv[1])

import stateflow.dataflow.event_flow  # noqa: E402, F401


def attributes(value):
    names = set(getattr(value, "__dict__", {}))
    for cls in type(value).__mro__:
        slots = getattr(cls, "__slots__", ())
        names.update([slots] if isinstance(slots, str) else slots)
    # Only the compiler reads the ids of blocks; upstream's JSON does not carry them.
    return {name: describe(getattr(value, name)) for name in sorted(names) if not name.endswith("_block_id")}


def describe(value):
    kind = type(value).__name__
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, enum.Enum):
        return f"{kind}.{value.name}"
    if isinstance(value, (int, float)):
        return f"{kind} {value!r}"
    if isinstance(value, str):
        return f"str {value!r}"
    if isinstance(value, (list, tuple)):
        items = [describe(item) for item in value]
        # A graph's nodes are looked up by their ids; their order says nothing.
        items.sort(key=lambda item: item["id"] if isinstance(item, dict) and "id" in item else "")
        return {kind: items}
    if isinstance(value, dict):
        return {kind: {str(name): describe(member) for name, member in sorted(value.items())}}
    return {"class": f"{type(value).__module__}.{kind}", **attributes(value)}


for line in sys.stdin:
    print(json.dumps(describe(pickle.loads(base64.b64decode(line)))))
