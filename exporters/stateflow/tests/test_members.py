import unittest

from exporting import entity, export, lines_about, method, needs_stateflow, params
from stateflow_gateway_export.compiled import ExportError


@needs_stateflow
class Members(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.document, cls.report = export("members")

    def test_docstrings_describe_the_entity_its_constructor_and_its_methods(self):
        member = entity(self.document, "Member")
        self.assertEqual(member["description"], "A member.\n\nWith a second paragraph.")
        self.assertEqual(member["create"]["description"], "Takes a name.")
        self.assertEqual(method(self.document, "documented")["description"], "Says the name.")

    def test_names_with_an_underscore_and_properties_are_no_methods(self):
        names = [found["name"] for found in entity(self.document, "Member")["methods"]]
        self.assertNotIn("_private", names)
        self.assertNotIn("__key__", names)
        self.assertNotIn("label", names)
        self.assertIn("property", lines_about(self.report, "Member.label"))

    def test_what_stateflow_does_not_see_is_left_out_and_reported(self):
        names = [found["name"] for found in entity(self.document, "Member")["methods"]]
        self.assertNotIn("inherited", names)
        self.assertIn("inherited", lines_about(self.report, "Member.inherited"))
        self.assertEqual(list(entity(self.document, "Member")["state"]), ["name", "notes"])
        self.assertIn("class attribute", lines_about(self.report, "Member.kind"))

    def test_read_only_is_what_the_compiler_says_right_or_wrong(self):
        self.assertTrue(method(self.document, "documented")["readOnly"])
        self.assertFalse(method(self.document, "writes")["readOnly"])
        self.assertTrue(method(self.document, "writes_inside")["readOnly"])

    def test_a_method_without_a_returned_value_returns_null(self):
        for name in ("writes", "lies", "bare_return", "only_inside"):
            with self.subTest(name):
                self.assertEqual(method(self.document, name)["returns"], {"type": "null"})

    def test_functions_inside_a_method_are_not_its_signature(self):
        nested = method(self.document, "nested")
        self.assertEqual(params(nested), {"x": {"type": "integer"}})
        self.assertEqual(nested["returns"], {"type": "integer"})
        self.assertIn("takes y", lines_about(self.report, "Member.nested"))
        self.assertNotIn("returns", method(self.document, "with_lambda"))

    def test_a_generator_has_no_json_form(self):
        self.assertEqual(method(self.document, "yields")["returns"], {"unsupported": "generator"})
        self.assertIn("unsupported: Member.yields", self.report.as_text())

    def test_a_name_that_the_gateway_does_not_take_is_left_out_and_reported(self):
        document, report = export("unusual_names")
        cafe = entity(document, "Cafe")
        self.assertEqual([found["name"] for found in cafe["methods"]], ["plain"])
        self.assertEqual(list(cafe["state"]), ["name"])
        self.assertEqual(cafe["key"], {"name": "key", "schema": {"type": "string"}, "generated": True})
        for member, name in {"größe": "größe", "öffnen": "öffnen", "ask": "wofür"}.items():
            with self.subTest(member):
                self.assertIn(f"{name} is not so, left out", lines_about(report, f"Cafe.{member}"))
        self.assertIn("at most 128; long_name", lines_about(report, "Cafe.long_name"))

    def test_an_entity_or_a_constructor_with_such_a_name_is_refused(self):
        with self.assertRaisesRegex(ExportError, r"ASCII letters.*; not so Café, Café\.__init__\(straße\)"):
            export("unusual_entity_name")

    def test_decorators_are_reported(self):
        self.assertIn("decorators", lines_about(self.report, "Member.cached"))


@needs_stateflow
class LooseFunctions(unittest.TestCase):
    def test_a_function_beside_the_class_is_no_method(self):
        document, report = export("loose_function")
        self.assertEqual(entity(document, "Loose")["methods"], [])
        self.assertIn("outside of the class", lines_about(report, "Loose.helper"))


if __name__ == "__main__":
    unittest.main()
