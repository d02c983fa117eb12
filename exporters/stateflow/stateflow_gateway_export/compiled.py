"""Imports the user's module and lets StateFlow compile it."""

import contextlib
import importlib
import importlib.util
import io
import sys
from dataclasses import dataclass
from typing import Any, List, Tuple

from .failure import compile_failure, in_one_line, place_of

#: What StateFlow imports somewhere without declaring it.
UNDECLARED = ("libcst", "pytest", "graphviz", "ujson", "pandas")


class ExportError(Exception):
    """The message is for the person at the terminal."""


@dataclass(frozen=True)
class Compiled:
    #: StateFlow's ClassDescriptor.
    descriptor: Any
    #: The class as a client has it.
    cls: type
    #: Public functions of base classes, which StateFlow does not see.
    inherited: Tuple[str, ...]
    #: Entities among the base classes. The runtime has their stand-ins, unless it has written the class anew.
    base_entities: Tuple[str, ...]


def compile_module(name: str) -> List[Compiled]:
    """Whatever the module or StateFlow prints goes to stderr: stdout is the document's."""
    with contextlib.redirect_stdout(sys.stderr):
        core = import_stateflow()
        import_module(name)
        if not core.registered_classes:
            raise ExportError(f"{name} has no entities: no class in it is decorated with @stateflow.stateflow.")
        refuse_repeats(core)
        link_and_split(core)
    return [
        Compiled(wrapper.class_desc, meta, inherited_methods(meta, wrapper.class_desc), base_entities(wrapper, meta))
        for wrapper, meta in zip(core.registered_classes, core.meta_classes)
    ]


def import_stateflow() -> Any:
    try:
        importlib.import_module("stateflow")
    except ImportError as error:
        missing = [name for name in UNDECLARED if importlib.util.find_spec(name) is None]
        if error.name == "stateflow":
            hint = "Put the folder that holds its sources on PYTHONPATH, or name it with --src."
        else:
            wanted = [error.name, *missing] if error.name else missing
            names = " ".join(dict.fromkeys(wanted))
            hint = f"It imports packages that it does not declare. Missing here: {names} (pip install {names})."
        raise ExportError(f"StateFlow can't be imported: {error}. {hint}") from error
    return importlib.import_module("stateflow.core")


def import_module(name: str) -> None:
    try:
        importlib.import_module(name)
    except (Exception, SystemExit) as error:  # The user's code, and StateFlow's refusals of it, may raise anything.
        text = f"{name} can't be imported: {in_one_line(error)}{place_of(error)}. {hint_for(error, name)}"
        raise ExportError(compile_failure(error) or text.rstrip()) from error


def hint_for(error: BaseException, module: str) -> str:
    if isinstance(error, ModuleNotFoundError) and module.split(".")[0] == error.name:
        return "Name the folder it is in with --src."
    if "requires the first attribute to be 'self'" in str(error):
        return "StateFlow reads each function of the file as a method: put those beside the classes elsewhere."
    return ""


def refuse_repeats(core: Any) -> None:
    names = [wrapper.class_desc.class_name for wrapper in core.registered_classes]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ExportError(f"There are two entities named {', '.join(repeated)}; StateFlow knows them by name only.")


def link_and_split(core: Any) -> None:
    methods = [method for wrapper in core.registered_classes for method in wrapper.class_desc.methods_dec]
    if any(method.other_class_links for method in methods):
        return  # The module has called stateflow.init() itself; a second time would link and split twice.
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            core.init()
    except (Exception, SystemExit) as error:  # The compiler has no error class of its own.
        text = f"StateFlow can't compile the module: {in_one_line(error)}."
        raise ExportError(compile_failure(error) or text) from error


def inherited_methods(cls: type, descriptor: Any) -> Tuple[str, ...]:
    own = {method.method_name for method in descriptor.methods_dec}
    found = [
        name
        for base in cls.__mro__[1:]
        for name, value in vars(base).items()
        if base is not object and callable(value) and not name.startswith("_") and name not in own
    ]
    return tuple(dict.fromkeys(found))


def base_entities(wrapper: Any, cls: type) -> Tuple[str, ...]:
    if isinstance(wrapper.cls, str):
        return ()
    return tuple(base.__name__ for base in cls.__mro__[1:] if isinstance(base, type(cls)))
