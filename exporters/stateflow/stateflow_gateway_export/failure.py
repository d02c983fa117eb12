"""What went wrong in the user's code or in StateFlow's compiler, and where, in one line."""

import importlib
import os
import re
import sys
import traceback
from typing import Optional

#: Frames that are on the way to the user's code.
ON_THE_WAY = ("<", os.path.dirname(__file__) + os.sep, os.path.dirname(importlib.__file__) + os.sep)
MAX_CHARACTERS = 300
#: What upstream's split_methods calls for one method. Behind what else it calls, its `method` is a class's last one.
FOR_A_METHOD = ("__init__", "visualize", "split_function", "visualize_flow")
NONE_AS_PARAMETER = re.compile(r"def \w+\([^()]*, None[,)]")


def in_one_line(error: BaseException) -> str:
    """StateFlow prints whole syntax trees into some of its messages."""
    # A line of code that nobody has in a file says nothing.
    text = error.msg if isinstance(error, SyntaxError) and not error.filename else str(error)
    first = (text.splitlines() or [""])[0][:MAX_CHARACTERS].rstrip(".")
    return f"{type(error).__name__}: {first}"


def place_of(error: BaseException) -> str:
    """The user's last line before StateFlow took over, and what that was reading: `` (shop.py, line 9, at buy)``."""
    if isinstance(error, SyntaxError):
        return ""  # Its text has the place.
    stateflow = os.path.dirname(sys.modules["stateflow"].__file__ or "") + os.sep
    place = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        file = frame.f_code.co_filename
        if file.startswith(stateflow):
            if frame.f_code.co_name == "visit_FunctionDef":
                return f" ({place}, at {frame.f_locals['node'].name.value})"
        elif not file.startswith(ON_THE_WAY) and "libcst" not in file:
            place = f"{os.path.basename(file)}, line {line}"
    return f" ({place})" if place else ""


def compile_failure(error: BaseException) -> Optional[str]:
    """
    ``None`` for an error that is none of StateFlow's compiler, or of no one class.
    A module may have called the compiler itself.
    """
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    split = next((index for index, frame in enumerate(frames) if frame.f_code.co_name == "split_methods"), None)
    if split is None:
        return None
    behind = next((frame.f_code.co_name for frame in frames[split + 1 :]), "")
    if behind == "execute_merge":
        return None  # The methods of all classes are put together there.
    found = frames[split].f_locals
    entity = found["desc"].class_name
    # StateFlow writes the class anew from its parts and runs its whole file once more, from a text without a name.
    runs_again = isinstance(error, SyntaxError) or any(not frame.f_code.co_filename for frame in frames[split:])
    if runs_again:
        return f"StateFlow can't compile {entity}: {in_one_line(error)}. {hint_of(error)}".rstrip()
    name = f"{entity}.{found['method'].method_name}" if behind in FOR_A_METHOD else entity
    return f"StateFlow can't compile {name}: {in_one_line(error)}."


def hint_of(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        made = (error.text or "").strip()
        reason = " (it takes a None in a split method for a variable)" if NONE_AS_PARAMETER.match(made) else ""
        return f"It made this code of it: {made}{reason}" if made else ""
    if isinstance(error, ImportError):
        return (
            "It runs the file of a class with split methods once more, outside of its package: "
            "there is no import with leading dots then, so write the package's name."
        )
    return "It runs the file of a class with split methods once more; the file must bear that."
