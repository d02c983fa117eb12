import unittest

from exporting import entity, export, lines_about, method, needs_stateflow, params

INTEGER, NUMBER, TEXT, BOOLEAN, NULL = ({"type": name} for name in ("integer", "number", "string", "boolean", "null"))


def array(items):
    return {"type": "array", "items": items}


def either(*options):
    return {"anyOf": list(options)}


@needs_stateflow
class Types(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.document, cls.report = export("shapes")

    def params(self, name):
        return params(method(self.document, name))

    def returns(self, name):
        return method(self.document, name).get("returns", "left out")

    def test_scalars(self):
        expected = {"text": TEXT, "count": INTEGER, "share": NUMBER, "flag": BOOLEAN, "nothing": NULL}
        self.assertEqual(self.params("scalars"), expected)

    def test_collections(self):
        by_name = {"type": "object", "additionalProperties": array(INTEGER)}
        bare = {"bare": {"type": "array"}, "other": {"type": "object"}}
        self.assertEqual(self.params("collections"), {"grid": array(array(INTEGER)), "by_name": by_name, **bare})
        self.assertEqual(self.params("dotted"), {"values": array(INTEGER)})

    def test_unions_are_flat_and_any_swallows_the_rest(self):
        expected = {"a": either(INTEGER, NULL), "b": either(INTEGER, NULL), "c": either(INTEGER, TEXT, NULL), "d": {}}
        self.assertEqual(self.params("optional"), expected)
        self.assertEqual(self.returns("optional"), either(TEXT, NULL))

    def test_tuples_have_a_schema_for_each_place(self):
        pair = {"type": "array", "prefixItems": [INTEGER, TEXT], "items": False, "minItems": 2, "maxItems": 2}
        self.assertEqual(self.params("tuples")["pair"], pair)
        self.assertEqual(self.params("tuples")["many"], array(INTEGER))
        self.assertEqual(self.returns("returns_pair"), pair)
        self.assertIn("the method gets a list", lines_about(self.report, "Shapes.tuples(many)"))

    def test_literals_are_an_enumeration(self):
        self.assertEqual(self.params("literal"), {"size": {"enum": ["small", "large"]}})

    def test_literals_may_be_negative_and_spell_the_name_of_an_entity(self):
        expected = {"step": {"enum": [-1, 0, 1]}, "about": {"enum": ["Shapes", None]}}
        self.assertEqual(self.params("direction"), expected)

    def test_what_has_no_annotation_may_be_any_json_value(self):
        self.assertEqual(self.params("unannotated"), {"x": {}, "y": {}})
        self.assertEqual(self.returns("unannotated"), "left out")
        self.assertEqual(entity(self.document, "Shapes")["state"]["anything"], {})

    def test_what_json_can_not_carry_stands_in_its_place_and_in_the_report(self):
        self.assertEqual(self.params("raw"), {"data": {"unsupported": "bytes"}})
        self.assertEqual(self.returns("raw"), {"unsupported": "bytes"})
        expected = {
            "items": array({"unsupported": "Set[int]"}),
            "ids": {"unsupported": "Dict[int, str]"},
            "price": either({"unsupported": "Decimal"}, NULL),
        }
        self.assertEqual(self.params("inside"), expected)
        self.assertEqual(entity(self.document, "Shapes")["state"]["seen"], {"unsupported": "Set[str]"})
        places = {finding.where for finding in self.report.findings if finding.kind == "unsupported"}
        expected = {
            "Shapes.seen",
            "Shapes.raw(data)",
            "Shapes.raw (returns)",
            "Shapes.inside(items)",
            "Shapes.inside(ids)",
            "Shapes.inside(price)",
        }
        self.assertEqual(places, expected)


if __name__ == "__main__":
    unittest.main()
