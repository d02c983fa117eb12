"""StateFlow's own modules of entities."""

import json
import unittest

from exporting import CHECKOUT, entity, export, let_tests_package_be_imported, needs_stateflow

GOLDEN = CHECKOUT / "test" / "golden" / "stateflow" / "demo.metadata.json"


@needs_stateflow
class Upstream(unittest.TestCase):
    @unittest.skipUnless(GOLDEN.exists(), "outside of the gateway's checkout")
    def test_the_demo_gives_the_document_that_the_gateway_s_tests_use(self):
        document, report = export("demo_common")
        self.assertEqual(json.dumps(document, indent=2) + "\n", GOLDEN.read_text(encoding="utf-8"))
        self.assertEqual(report.as_text(), "")

    def test_the_benchmark(self):
        document, report = export("demo_ycsb")
        (transfer,) = [m for m in entity(document, "YCSBEntity")["methods"] if m["name"] == "transfer"]
        self.assertEqual(transfer["params"][1], {"name": "other_entity", "entity": "YCSBEntity"})
        self.assertEqual(transfer["runtime"]["request"], "EventFlow")
        self.assertEqual(report.as_text(), "")

    def test_the_classes_of_its_tests(self):
        let_tests_package_be_imported()
        document, report = export("tests.common.common_classes")
        self.assertEqual(document["application"], "tests_common_common_classes")
        names = [found["name"] for found in document["entities"]]
        self.assertEqual(names, ["Item", "User", "ExperimentalB", "ExperimentalA", "OtherNestClass", "NestClass"])
        self.assertEqual(entity(document, "NestClass")["key"]["generated"], True)
        self.assertEqual(report.unsupported_count, 0)


if __name__ == "__main__":
    unittest.main()
