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
from stateflow_gateway_export.failure import hint_of

TIMEOUT_S = 60


def run(*arguments, path=None, seed="0", **environment):
    folders = [PACKAGE, stateflow_home()] if path is None else [PACKAGE, *path]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders)), "PYTHONHASHSEED": seed, **environment}
    command = [sys.executable, "-W", "ignore", "-m", "stateflow_gateway_export", *arguments]
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(command, env=env, cwd=folder, capture_output=True, encoding="utf-8", timeout=TIMEOUT_S)


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

    def test_keeps_off_stdout_what_programs_and_the_end_of_the_process_write(self):
        done = run("writes_to_stdout", "--src", str(MODULES), PYTHONIOENCODING="latin-1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["entities"][0]["description"], "Größer.")
        self.assertIn("from the module", done.stderr)
        self.assertIn("at the end", done.stderr)

    def test_a_module_that_ends_the_process_gives_no_document_and_1(self):
        done = run_here("ends_itself", "--src", str(MODULES))
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("SystemExit: 0 (ends_itself.py, line 15)", done.stderr)

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
        self.assertIn("(default_argument.py, line 4, at __init__)", done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_says_where_the_module_failed(self):
        done = run_here("raises_while_imported", "--src", str(MODULES))
        self.assertIn("(raises_while_imported.py, line 3)", done.stderr)

    def test_names_the_method_that_stateflow_can_not_split_in_one_line(self):
        done = run_here("two_calls_in_a_condition", "--src", str(MODULES))
        self.assertEqual(done.returncode, 1)
        self.assertIn("StateFlow can't compile Gate.both: AttributeError: Multiple calls in an if", done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1)

    def test_shows_code_that_stateflow_made_and_can_not_read(self):
        for module in ("none_in_a_split_method", "compiles_in_vain"):
            with self.subTest(module):
                done = run_here(module, "--src", str(MODULES))
                self.assertEqual(done.returncode, 1)
                self.assertIn("can't compile Gate: SyntaxError: invalid syntax. It made this code", done.stderr)
                self.assertIn("def nothing_1(self, None", done.stderr)
                self.assertIn("takes a None in a split method for a variable", done.stderr)

    def test_blames_no_method_for_what_happens_behind_the_splitting_of_them(self):
        done = run_here("calls_itself_on_another", "--src", str(MODULES))
        self.assertEqual(done.returncode, 1)
        self.assertIn("StateFlow can't compile the module: RecursionError: ", done.stderr)
        done = run_here("decorated_by_a_lambda", "--src", str(MODULES))
        self.assertIn("StateFlow can't compile Gate: TypeError: ", done.stderr)

    def test_says_of_code_that_stateflow_made_only_what_it_shows(self):
        for line in ("def pay_1(self, amount: None, x y):", "x = = None"):
            with self.subTest(line):
                hint = hint_of(SyntaxError("invalid syntax", ("", 1, 1, line)))
                self.assertEqual(hint, f"It made this code of it: {line}")

    def test_explains_that_a_file_with_split_methods_has_no_package(self):
        done = run_here("with_dots.gates", "--src", str(MODULES))
        self.assertEqual(done.returncode, 1)
        self.assertIn("can't compile Gate: ModuleNotFoundError", done.stderr)
        self.assertIn("no import with leading dots", done.stderr)

    def test_a_part_of_a_package_that_is_not_there_is_no_matter_of_src(self):
        done = run_here("with_dots.nothing", "--src", str(MODULES))
        self.assertIn("No module named 'with_dots.nothing'", done.stderr)
        self.assertNotIn("--src", done.stderr)

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
