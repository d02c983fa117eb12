import copy
import unittest

from exporting import export, lines_about, method, needs_stateflow


@needs_stateflow
class EntityState(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.document, cls.report = export("entity_state")

    def test_every_request_for_an_argument_s_state_has_its_key(self):
        for name, expected in {"two": 2, "in_one": 63, "of_two": 2, "between": 9}.items():
            with self.subTest(name):
                runtime = runtime_with("a", "b", "c")
                self.assertEqual(answer(runtime, method(self.document, name), {"other": "b", "third": "c"}), [expected])
                self.assertEqual(lines_about(self.report, f"Tank.{name}"), "")

    def test_an_attribute_that_stateflow_does_not_fetch_is_reported(self):
        own = dict.fromkeys(("condition", "condition_in_loop", "condition_after_split"), "other.level")
        texts = {**own, "looked_up": "others[0].level"}
        for name, text in texts.items():
            with self.subTest(name):
                line = lines_about(self.report, f"Tank.{name}")
                self.assertIn(f"fetches nothing for {text},", line)
                self.assertIn("would end the runtime", line)
        for name in ("condition", "condition_after_split"):
            with self.subTest(name), self.assertRaisesRegex(AttributeError, "has no attribute 'level'"):
                runtime = runtime_with("a", "b", "c")
                answer(runtime, method(self.document, name), {"other": "b", "third": "c"})

    def test_an_attribute_that_is_fetched_is_not(self):
        self.assertEqual(lines_about(self.report, "Tank.in_loop"), "")

    def test_a_result_that_stateflow_loses_is_reported(self):
        self.assertIn("loses the result of fill,", lines_about(self.report, "Tank.result_then_attribute"))
        for name in ("attribute_then_result", "no_result_then_attribute"):
            with self.subTest(name):
                self.assertEqual(lines_about(self.report, f"Tank.{name}"), "")
        results = {"result_then_attribute": ["__Null__"], "attribute_then_result": [8], "no_result_then_attribute": [9]}
        for name, expected in results.items():
            with self.subTest(name):
                runtime = runtime_with("a", "b")
                self.assertEqual(answer(runtime, method(self.document, name), {"other": "b"}), expected)

    def test_a_request_for_a_state_that_stateflow_tells_no_key_is_reported(self):
        texts = {
            "calls_split": "begins with an attribute of an argument",
            "split_then_attribute": "right after a call of a split method",
            "second_after_a_call": "an attribute of a second entity",
            "second_in_loop": "an attribute of a second entity",
        }
        for name, text in texts.items():
            with self.subTest(name):
                line = lines_about(self.report, f"Tank.{name}")
                self.assertRegex(line, f"{text}; .* answered by 404$")
                self.assertEqual(line.count("\n"), 0)
        for name in ("calls_split", "split_then_attribute", "second_after_a_call"):
            with self.subTest(name):
                runtime = runtime_with("a", "b", "c")
                reply = answer(runtime, method(self.document, name), {"other": "b", "third": "c"})
                self.assertIn("does not exist", reply["error_message"])
        self.assertEqual(lines_about(self.report, "Tank.fills"), "")

    def test_an_attribute_of_another_entity_that_is_set_is_reported_and_stays_as_it_was(self):
        self.assertIn("other.level is set on a copy", lines_about(self.report, "Tank.sets"))
        runtime = runtime_with("a", "b")
        self.assertEqual(answer(runtime, method(self.document, "sets"), {"other": "b", "amount": 1}), [True])
        self.assertEqual(answer(runtime, method(self.document, "in_one"), {"other": "b"}), [63])


def runtime_with(*names):
    """StateFlow's own routers and operators, with a tank for each name."""
    import stateflow.core as core
    from stateflow.util.local_runtime import LocalRuntime

    runtime = LocalRuntime(core._build_dataflow(core.registered_classes, core.meta_classes))
    (tank,) = core.meta_classes
    for name in names:
        tank(name)
    return runtime


def answer(runtime, found, arguments):
    """What the tank a answers to the method, sent as the document says."""
    from stateflow.dataflow.event import Event, EventType
    from stateflow.dataflow.event_flow import EventFlowGraph

    flow = found["runtime"]["flow"]
    graph = copy.deepcopy(flow["graph"])
    for pointer in flow["bind"]["key"]:
        put(graph, pointer, "a")
    for name, places in flow["bind"]["params"].items():
        for place in places:
            put(graph, place["pointer"], reference(arguments[name]) if place["as"] == "ref" else arguments[name])
    (operator,) = runtime.flow.operators
    address = operator.function_type.to_address()
    address.key = "a"
    read = EventFlowGraph.from_dict(graph)
    for node in read.graph:
        node.method_id = graph[str(node.id)]["method_id"]  # Upstream's from_dict leaves it out.
    event = Event("1", address, EventType.Request.EventFlow, {"flow": read})
    reply = runtime.execute_event(runtime.serializer.serialize_event(event))
    return reply.payload.get("return_results", reply.payload)


def put(graph, pointer, value):
    *path, last = pointer.split("/")[1:]
    for segment in path:
        graph = graph[segment]
    graph[last] = value


def reference(key):
    import stateflow.core as core

    return core.service_by_id(core.meta_classes[0], key)


if __name__ == "__main__":
    unittest.main()
