"""What the tests share: a document of one of the modules beside them, and StateFlow's own modules."""

import importlib
import importlib.util
import sys
import types
import unittest
from pathlib import Path
from typing import Any, Dict, Optional, Tuple

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parent
CHECKOUT = PACKAGE.parent.parent
MODULES = HERE / "modules"

sys.path[:0] = [path for path in (str(PACKAGE), str(MODULES)) if path not in sys.path]

from stateflow_gateway_export.compiled import compile_module  # noqa: E402
from stateflow_gateway_export.document import build_document  # noqa: E402
from stateflow_gateway_export.report import Report  # noqa: E402

Document = Dict[str, Any]


def stateflow_home() -> Optional[Path]:
    found = importlib.util.find_spec("stateflow")
    return Path(found.origin).resolve().parent.parent if found and found.origin else None


needs_stateflow = unittest.skipUnless(stateflow_home(), "StateFlow is not on PYTHONPATH")


def export(module: str) -> Tuple[Document, Report]:
    forget_entities()
    report = Report()
    return build_document(compile_module(module), module, "stateflow", report), report


def forget_entities() -> None:
    """StateFlow's registry is one for the process: it is emptied, and modules of entities are imported anew."""
    importlib.import_module("stateflow.core").clear()
    for name in [name for name, loaded in sys.modules.items() if has_entities(name, loaded)]:
        del sys.modules[name]


def has_entities(name: str, module: types.ModuleType) -> bool:
    file = str(getattr(module, "__file__", None) or "")
    return file.startswith(str(MODULES)) or name.startswith(("demo_", "tests."))


def entity(document: Document, name: str) -> Document:
    return next(item for item in document["entities"] if item["name"] == name)


def method(document: Document, name: str) -> Document:
    """The method of that name in the document's last entity."""
    return next(item for item in document["entities"][-1]["methods"] if item["name"] == name)


def params(found: Document) -> Dict[str, Any]:
    return {param["name"]: param.get("schema", {"entity": param.get("entity")}) for param in found["params"]}


def lines_about(report: Report, where: str) -> str:
    return "\n".join(str(finding) for finding in report.findings if finding.where.startswith(where))


def let_tests_package_be_imported() -> None:
    """StateFlow's tests/__init__.py wants Docker; its modules of entities don't."""
    home = stateflow_home()
    package = types.ModuleType("tests")
    package.__path__ = [str(home / "tests")]
    sys.modules["tests"] = package
