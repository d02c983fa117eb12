import unittest

from exporting import entity, export, lines_about, method, needs_stateflow, params

PART = {"entity": "Part"}
PARTS = {"type": "array", "items": PART}


@needs_stateflow
class Links(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.document, cls.report = export("links")

    def params(self, name):
        return params(method(self.document, name))

    def runtime(self, name):
        return method(self.document, name)["runtime"]

    def test_an_entity_and_a_list_of_entities_are_references(self):
        self.assertEqual(self.params("one")["part"], PART)
        self.assertEqual(self.params("many"), {"parts": PARTS})
        self.assertEqual(self.params("ignored"), {"part": PART})

    def test_other_forms_make_no_link_and_are_reported(self):
        forms = {
            "single_quoted": {"part": {"unsupported": "Part"}},
            "single_quoted_list": {"parts": {"unsupported": "List[Part]"}},
            "builtin_list": {"parts": {"unsupported": "list[Part]"}},
            "maybe": {"part": {"unsupported": "Optional[Part]"}},
            "by_name": {"parts": {"unsupported": "Dict[str, Part]"}},
        }
        for name, expected in forms.items():
            with self.subTest(name):
                self.assertEqual(self.params(name), expected)
                self.assertEqual(self.runtime(name), {"request": "InvokeStateful"})
                self.assertRegex(lines_about(self.report, f"Machine.{name}("), r"Part (or|and) List\[Part\]")

    def test_answers_and_state_may_hold_references(self):
        self.assertEqual(method(self.document, "first")["returns"], PART)
        self.assertEqual(method(self.document, "all")["returns"], PARTS)
        state = entity(self.document, "Machine")["state"]
        self.assertEqual(state["parts"], PARTS)
        self.assertEqual(state["spare"], {"anyOf": [PART, {"type": "null"}]})
        self.assertEqual(state["next"], {"entity": "Machine"})

    def test_a_split_method_carries_its_flow_without_arguments(self):
        flow = self.runtime("one")["flow"]
        self.assertEqual(set(flow), {"graph", "bind", "unbound"})
        for pointer in [*flow["bind"]["key"], *(p["pointer"] for ps in flow["bind"]["params"].values() for p in ps)]:
            self.assertIsNone(value_at(flow["graph"], pointer), pointer)
        start = flow["graph"][str(flow["graph"]["current"])]
        self.assertEqual((start["type"], start["previous"]), ("REQUEST_STATE", 0))

    def test_arguments_are_bound_by_their_use(self):
        one = self.runtime("one")["flow"]
        self.assertEqual({place["as"] for place in one["bind"]["params"]["part"]}, {"key"})
        self.assertEqual({place["as"] for place in one["bind"]["params"]["amount"]}, {"value"})
        reference = self.runtime("by_reference")["flow"]["bind"]["params"]["part"]
        self.assertEqual([(place["as"], place["entity"]) for place in reference], [("ref", "Part")])
        many = self.runtime("many")["flow"]["bind"]["params"]["parts"]
        self.assertEqual([(place["as"], place["entity"]) for place in many], [("refs", "Part")])

    def test_an_argument_that_the_split_method_never_uses_is_unbound(self):
        self.assertEqual(self.runtime("one")["flow"]["unbound"], [])
        self.assertEqual(self.runtime("ignored")["flow"]["unbound"], ["part"])
        self.assertIn("never uses", lines_about(self.report, "Machine.ignored(part)"))

    def test_a_built_in_that_stateflow_takes_for_a_variable_is_reported(self):
        self.assertIn("takes str for a variable", lines_about(self.report, "Machine.uses_a_built_in"))
        self.assertEqual(lines_about(self.report, "Machine.many"), "")

    def test_nodes_have_what_a_flow_needs_after_its_first_hop(self):
        for name in ("one", "many"):
            for identifier, node in self.runtime(name)["flow"]["graph"].items():
                if identifier != "current":
                    self.assertLessEqual({"method_id", "status", "previous"}, set(node))
        loops = [n for n in self.runtime("many")["flow"]["graph"].values() if n != 1 and n.get("type") == "INVOKE_FOR"]
        self.assertTrue(loops)
        self.assertNotEqual(loops[0]["iter_name"], loops[0]["iter_target"])

    def test_a_module_that_has_compiled_itself_gives_the_same_entities(self):
        again, _ = export("compiles_itself")
        self.assertEqual(again["entities"], self.document["entities"])


@needs_stateflow
class EntityInConstructor(unittest.TestCase):
    def test_a_constructor_takes_no_entity(self):
        document, report = export("entity_in_constructor")
        self.assertEqual(params(entity(document, "Dog")["create"])["owner"], {"unsupported": "Owner"})
        self.assertIn("would end the runtime", lines_about(report, "Dog.__init__"))


def value_at(document, pointer):
    for segment in pointer.split("/")[1:]:
        name = segment.replace("~1", "/").replace("~0", "~")
        document = document[int(name) if isinstance(document, list) else name]
    return document


if __name__ == "__main__":
    unittest.main()
