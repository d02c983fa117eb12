import unittest

from exporting import entity, export, lines_about, needs_stateflow

TEXT = {"type": "string"}


@needs_stateflow
class Keys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.document, cls.report = export("keys")

    def key(self, name):
        return entity(self.document, name)["key"]

    def test_a_constructor_argument_that_is_stored_as_it_is_names_the_key(self):
        self.assertEqual(self.key("Renamed"), {"name": "given", "schema": TEXT})
        self.assertEqual(self.key("Numbered"), {"name": "number", "schema": {"type": "integer"}})
        self.assertEqual(self.key("Paired"), {"name": "left", "schema": TEXT})

    def test_a_key_that_the_constructor_makes_up_is_generated(self):
        self.assertEqual(self.key("Generated"), {"name": "id", "schema": TEXT, "generated": True})
        self.assertIn("tells the key", lines_about(self.report, "Generated.__key__"))

    def test_a_key_that_is_an_expression_is_generated(self):
        self.assertEqual(self.key("Joined"), {"name": "key", "schema": TEXT, "generated": True})
        self.assertEqual(self.key("Formatted"), {"name": "key", "schema": TEXT, "generated": True})

    def test_an_argument_that_is_changed_on_its_way_is_not_the_key(self):
        for name in ("Lowered", "Conditional", "Rebound"):
            with self.subTest(name):
                self.assertTrue(self.key(name)["generated"])

    def test_the_annotation_of_the_key_method_gives_a_type_that_the_source_does_not_show(self):
        self.assertEqual(self.key("Declared")["schema"], TEXT)

    def test_a_key_of_unknown_or_impossible_type_is_reported(self):
        self.assertEqual(self.key("Unknown")["schema"], {"unsupported": "an unknown type"})
        self.assertIn("unsupported: Fractional.__key__", self.report.as_text())
        self.assertIn("unsupported", self.key("Fractional")["schema"])


if __name__ == "__main__":
    unittest.main()
