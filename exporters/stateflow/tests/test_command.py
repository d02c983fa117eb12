import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from exporting import MODULES, PACKAGE, forget_entities, needs_stateflow, stateflow_home
from stateflow_gateway_export.command import main

TIMEOUT_S = 60


def run(*arguments, path=None, seed="0"):
    folders = [PACKAGE, stateflow_home()] if path is None else [PACKAGE, *path]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders)), "PYTHONHASHSEED": seed}
    command = [sys.executable, "-W", "ignore", "-m", "stateflow_gateway_export", *arguments]
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S)


def run_here(*arguments):
    """Without a process of its own, which takes a second for StateFlow's imports."""
    forget_entities()
    out, err, path = io.StringIO(), io.StringIO(), list(sys.path)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(list(arguments))
        except SystemExit as ended:
            code = ended.code
    sys.path[:] = path
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


@needs_stateflow
class Command(unittest.TestCase):
    def test_prints_the_document_and_nothing_else_on_stdout(self):
        done = run("compiles_itself", "--src", str(MODULES), "--application", "plant", "--runtime", "line-2")
        self.assertEqual(done.returncode, 0, done.stderr)
        document = json.loads(done.stdout)
        self.assertEqual(document["application"], "plant")
        self.assertEqual(document["runtime"], {"name": "line-2", "namespace": "global"})
        self.assertIn("compiling", done.stderr)
        self.assertIn("unsupported: Machine.maybe(part)", done.stderr)

    def test_two_runs_give_the_same_bytes(self):
        runs = [run("links", "--src", str(MODULES), seed=seed) for seed in ("1", "2")]
        self.assertEqual(runs[0].stdout, runs[1].stdout)
        self.assertEqual(runs[0].stderr, runs[1].stderr)

    def test_writes_files(self):
        with tempfile.TemporaryDirectory() as folder:
            output, report = Path(folder, "entities.json"), Path(folder, "report.txt")
            done = run_here("links", "--src", str(MODULES), "-o", str(output), "--report", str(report))
            self.assertEqual((done.returncode, done.stdout), (0, ""))
            self.assertEqual(json.loads(output.read_text(encoding="utf-8"))["formatVersion"], 1)
            self.assertIn("unsupported: Machine.maybe(part)", report.read_text(encoding="utf-8"))

    def test_strict_ends_with_1_when_a_type_could_not_be_expressed(self):
        self.assertEqual(run_here("links", "--src", str(MODULES), "--strict").returncode, 1)
        self.assertEqual(run_here("demo_common", "--strict").returncode, 0)

    def test_names_what_can_not_be_imported(self):
        done = run_here("no_such_module")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("no_such_module can't be imported", done.stderr)
        self.assertIn("--src", done.stderr)

    def test_passes_on_what_stateflow_refuses(self):
        done = run_here("default_argument", "--src", str(MODULES))
        self.assertEqual(done.returncode, 1)
        self.assertIn("Default values are currently not supported", done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_explains_that_stateflow_takes_functions_for_methods(self):
        done = run_here("function_without_self", "--src", str(MODULES))
        self.assertEqual(done.returncode, 1)
        self.assertIn("each function of the file as a method", done.stderr)

    def test_a_module_without_entities_gives_no_document(self):
        done = run_here("no_entities", "--src", str(MODULES))
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("no_entities has no entities", done.stderr)

    def test_wrong_usage_ends_with_2(self):
        for arguments in ([], ["shop.py"], ["folder/shop"], ["demo_common", "--no-such-option"]):
            with self.subTest(arguments):
                self.assertEqual(run_here(*arguments).returncode, 2)


class WithoutStateflow(unittest.TestCase):
    def test_says_where_stateflow_goes(self):
        done = run("demo_common", path=[])
        self.assertEqual(done.returncode, 1)
        self.assertIn("StateFlow can't be imported", done.stderr)
        self.assertIn("PYTHONPATH", done.stderr)

    def test_names_the_packages_that_stateflow_does_not_declare(self):
        with tempfile.TemporaryDirectory() as folder:
            package = Path(folder, "stateflow")
            package.mkdir()
            package.joinpath("__init__.py").write_text("import a_package_that_is_not_there\n", encoding="utf-8")
            done = run("demo_common", path=[folder])
        self.assertEqual(done.returncode, 1)
        self.assertIn("pip install a_package_that_is_not_there", done.stderr)


if __name__ == "__main__":
    unittest.main()
