import unittest

from exporting import entity, export, lines_about, needs_stateflow, stateflow_home


@needs_stateflow
class Constructors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.document, cls.report = export("constructors")

    def test_an_attribute_that_the_constructor_does_not_set_is_reported(self):
        for name in ("declared", "begun"):
            with self.subTest(name):
                self.assertIn("each create would end the runtime", lines_about(self.report, f"Unset.{name}"))
        self.assertIn("does not always set it", lines_about(self.report, "Unset.size"))

    def test_attributes_that_are_set_by_whatever_way_are_not(self):
        self.assertEqual(lines_about(self.report, "Whole.size"), "")
        self.assertEqual(lines_about(self.report, "Whole.count"), "")
        self.assertNotIn("create", lines_about(self.report, "Whole.limit"))
        for name in ("made", "origin"):
            with self.subTest(name):
                self.assertEqual(lines_about(self.report, f"Calling.{name}"), "")
        for name in ("prepared", "entered", "asked", "last", "waited"):
            with self.subTest(name):
                self.assertEqual(lines_about(self.report, f"InHeads.{name}"), "")

    def test_what_only_a_base_class_sets_is_reported_as_no_state(self):
        for name in ("Calling", "Explicit"):
            with self.subTest(name):
                line = lines_about(self.report, f"{name}.__init__")
                self.assertIn("what only the constructor of Dated sets is no state", line)

    def test_a_constructor_that_calls_none_of_a_base_class_sets_nothing_there(self):
        self.assertEqual(lines_about(self.report, "Registering.__init__"), "")

    def test_a_constructor_outside_of_the_class_s_own_body_gives_no_create(self):
        for name in ("Inheriting", "Generated"):
            with self.subTest(name):
                self.assertNotIn("create", entity(self.document, name))
                self.assertIn("there is no create", lines_about(self.report, f"{name}.__init__"))
                self.assertEqual(lines_about(self.report, f"{name}.__key__"), "")

    def test_a_class_without_any_constructor_is_created_without_arguments(self):
        self.assertEqual(entity(self.document, "Bare")["create"], {"params": []})

    def test_an_entity_that_derives_from_an_entity_is_reported(self):
        self.assertIn("derives from the entity Whole", lines_about(self.report, "Derived.__init__"))
        self.assertNotIn("derives", lines_about(self.report, "Inheriting"))

    def test_a_constructor_that_refuses_is_reported(self):
        self.assertIn("raise or assert would end the runtime", lines_about(self.report, "Refusing.__init__"))
        self.assertEqual(lines_about(self.report, "Whole.__init__"), "")

    def test_what_is_reported_is_what_stateflow_does(self):
        import stateflow.core as core
        from stateflow.dataflow.args import Arguments

        fails = {}
        wrappers = {wrapper.class_desc.class_name: wrapper for wrapper in core.registered_classes}
        for name, arguments in {
            "Whole": {"name": "w", "big": False},
            "Unset": {"name": "u", "big": True},
            "Calling": {"name": "c"},
            "InHeads": {"name": "h"},
            "Generated": {},
            "Bare": {},
            "Derived": {"name": "d"},
            "Refusing": {"name": "x"},
        }.items():
            fails[name] = wrappers[name].init_class(Arguments(arguments)).return_results is None
        expected = {"Unset", "Generated", "Derived", "Refusing"}
        self.assertEqual({name for name, failed in fails.items() if failed}, expected)


if __name__ == "__main__":
    unittest.main()
