"""``python -m stateflow_gateway_export MODULE``. Exit codes: 0 done, 1 no (or no whole) document, 2 usage."""

import argparse
import json
import os
import sys
from typing import List, Optional, TextIO

from .compiled import ExportError, compile_module
from .document import build_document
from .report import Report


def main(argv: Optional[List[str]] = None) -> int:
    options = parser().parse_args(argv)
    stdout = stdout_for_the_document()
    # `python -m` puts the working folder first; the installed script does not.
    sys.path[:0] = [os.path.abspath(path) for path in [*options.src, "."]]
    report = Report()
    try:
        compiled = compile_module(options.module)
        document = build_document(compiled, options.application or options.module, options.runtime, report)
        write(json.dumps(document, indent=2, ensure_ascii=False) + "\n", options.output, stdout)
        write_report(report, options)
    except (ExportError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 1 if options.strict and report.unsupported_count else 0


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="stateflow_gateway_export",
        description="Prints the gateway's metadata document of a module with @stateflow.stateflow classes.",
    )
    result.add_argument("module", metavar="MODULE", type=module_name, help="the module's dotted name")
    result.add_argument("--src", action="append", default=[], metavar="DIR", help="import from DIR too (repeatable)")
    result.add_argument("-o", "--output", metavar="FILE", help="write the document to FILE instead of stdout")
    result.add_argument("--application", metavar="NAME", help="the document's application (default: the module's name)")
    result.add_argument("--runtime", metavar="NAME", default="stateflow", help="the gateway's runtime instance")
    result.add_argument("--report", metavar="FILE", help="write the report to FILE instead of stderr")
    result.add_argument("--strict", action="store_true", help="end with 1 when a type could not be expressed")
    return result


def module_name(text: str) -> str:
    if not all(part.isidentifier() for part in text.split(".")) or text.endswith(".py"):
        raise argparse.ArgumentTypeError(f"{text!r} is no module name; for folder/shop.py say: --src folder shop")
    return text


def stdout_for_the_document() -> TextIO:
    """
    From here to the end of the process, what else is written to stdout goes to stderr: a module may start programs,
    and print when the process ends. The document is UTF-8, whatever the terminal is.
    """
    try:
        sys.stdout.flush()
        kept = os.dup(sys.stdout.fileno())
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    except (AttributeError, OSError):  # Not a file: who calls this function has put something else there.
        return sys.stdout
    return open(kept, "w", encoding="utf-8", newline="\n")


def write_report(report: Report, options: argparse.Namespace) -> None:
    write(report.as_text(), options.report, sys.stderr)
    if report.unsupported_count:
        print(
            f"{report.unsupported_count} types have no JSON form. The gateway will not start with them "
            "until they are changed, or their members hidden in its overrides file.",
            file=sys.stderr,
        )


def write(text: str, path: Optional[str], stream: TextIO) -> None:
    if path is None:
        stream.write(text)
        stream.flush()
        return
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
