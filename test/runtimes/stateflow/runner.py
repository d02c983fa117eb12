"""
StateFlow's own routers and operators between Kafka topics, without Flink: what the gateway's tests talk to.

It does what StateFlow's PyFlink job (routing `dataflow`) or its StateFun functions (routing `statefun`) do with each
record, one after the other, with the state in memory. An exception ends the process, as it ends the job.
It says `ready` on stdout when the position in every partition is fixed, and ends when its stdin does.
"""

import argparse
import contextlib
import importlib
import os
import sys
import threading
from typing import Any, Callable, Dict, Iterator, List, Optional

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

REQUEST, INTERNAL, REPLY, PING = "client_request", "internal", "client_reply", "globals_ping"
#: As StateFlow's client makes them.
PARTITIONS = 10
TIMEOUT_S = 15.0

Send = Callable[[str, Optional[str], bytes], None]


class Operators:
    """The compiled entities and their states."""

    def __init__(self, flow: Any):
        self._by_name = {operator.function_type.get_full_name(): operator for operator in flow.operators}
        self._states: Dict[Any, Optional[bytes]] = {}

    def names(self) -> List[str]:
        return list(self._by_name)

    def find(self, name: str) -> Optional[Any]:
        return self._by_name.get(name)

    def run(self, name: str, key: Any, event: Any) -> Any:
        address = (name, key)
        event, state = self._by_name[name].handle(event, self._states.get(address))
        self._states[address] = state
        return event


class Routers:
    def __init__(self, serializer: Any):
        from stateflow.dataflow.dataflow import EgressRouter, IngressRouter

        self.serializer = serializer
        self.ingress = IngressRouter(serializer)
        self.egress = EgressRouter(serializer, serialize_on_return=False)


class DataflowJob:
    """`stateflow/runtime/flink/pyflink.py`: one request topic; replies carry no record key."""

    def __init__(self, operators: Operators, routers: Routers, send: Send, hops: str):
        self._operators = operators
        self._routers = routers
        self._send = send
        self._hops = hops
        self.topics = {REQUEST: PARTITIONS, INTERNAL: PARTITIONS, REPLY: PARTITIONS}
        self.reads = [REQUEST, INTERNAL]

    def take(self, record: Message) -> None:
        from stateflow.dataflow.dataflow import RouteDirection

        value: Optional[bytes] = record.value()
        while value is not None:
            outgoing = self._step(self._routers.ingress.parse_and_route(value))
            if outgoing is None:
                return
            value = self._routers.serializer.serialize_event(outgoing.value)
            if outgoing.direction == RouteDirection.CLIENT:
                self._send(REPLY, None, value)
                value = None
            elif self._hops == "kafka":
                self._send(INTERNAL, None, value)
                value = None

    def _step(self, route: Any) -> Optional[Any]:
        from stateflow.dataflow.dataflow import RouteDirection

        if route.direction == RouteDirection.EGRESS:
            return self._routers.egress.route_and_serialize(route.value)
        operator = self._operators.find(route.route_name)
        if operator is None:
            return None  # The job's filters let no operator have it: nobody answers.
        key, event = route.key, route.value
        if key is None:
            event = operator.handle_create(event)
            key = event.fun_address.key
        return self._routers.egress.route_and_serialize(self._operators.run(route.route_name, key, event))


class StatefunModule:
    """`stateflow/runtime/flink/statefun.py`: topics per entity; the record's key is the function's id."""

    def __init__(self, operators: Operators, routers: Routers, send: Send):
        self._operators = operators
        self._routers = routers
        self._send = send
        self._functions = {PING: self._ping}
        for name in operators.names():
            topic = name.replace("/", "_")
            self._functions[topic] = self._entity(name)
            self._functions[f"{topic}_create"] = self._create(name)
        self.reads = list(self._functions)
        self.topics = {**{topic: 1 for topic in self.reads}, REPLY: PARTITIONS}

    def take(self, record: Message) -> None:
        key = record.key()
        if key is None:
            raise ValueError(f"StateFun's ingress needs a record key, {record.topic()} had one without.")
        self._functions[record.topic()](key.decode("utf-8"), record.value())

    def _ping(self, _id: str, value: bytes) -> None:
        from stateflow.dataflow.event import EventType

        event = self._routers.serializer.deserialize_event(value)
        if event.event_type != EventType.Request.Ping:
            raise ValueError(f"{PING} had a {event.event_type}.")
        self._reply(self._routers.ingress.route(event).value)

    def _entity(self, name: str) -> Callable[[str, bytes], None]:
        def run(function_id: str, value: bytes) -> None:
            from stateflow.dataflow.dataflow import RouteDirection

            event = self._operators.run(name, function_id, self._routers.serializer.deserialize_event(value))
            outgoing = self._routers.egress.route_and_serialize(event)
            if outgoing.direction == RouteDirection.CLIENT:
                self._reply(outgoing.value)
                return
            incoming = self._routers.ingress.route(outgoing.value)
            if incoming.direction == RouteDirection.EGRESS:
                self._reply(incoming.value)
            else:
                self._tell(incoming.route_name, incoming.key, incoming.value)

        return run

    def _create(self, name: str) -> Callable[[str, bytes], None]:
        def run(_id: str, value: bytes) -> None:
            operator = self._operators.find(name)
            event = operator.handle_create(self._routers.serializer.deserialize_event(value))
            self._tell(event.fun_address.function_type.get_full_name(), event.fun_address.key, event)

        return run

    def _tell(self, name: str, function_id: Any, event: Any) -> None:
        if not isinstance(function_id, str):
            raise TypeError(f"A StateFun id is text, not {type(function_id).__name__}.")
        self._functions[name.replace("/", "_")](function_id, self._routers.serializer.serialize_event(event))

    def _reply(self, event: Any) -> None:
        self._send(REPLY, event.event_id, self._routers.serializer.serialize_event(event))


def make_topics(brokers: str, wanted: Dict[str, int]) -> None:
    admin = AdminClient({"bootstrap.servers": brokers})
    there = admin.list_topics(timeout=TIMEOUT_S).topics
    new = [NewTopic(name, partitions, 1) for name, partitions in wanted.items() if name not in there]
    for made in (admin.create_topics(new) if new else {}).values():
        try:
            made.result(TIMEOUT_S)
        except KafkaException as error:
            if error.args[0].name() != "TOPIC_ALREADY_EXISTS":
                raise


def consume_from_end(brokers: str, topics: List[str]) -> Consumer:
    """A reader of all partitions, from where each ends now. It needs no group, but the client wants a name."""
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": "stateflow-runner",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 10,
            "topic.metadata.refresh.interval.ms": 1000,
        }
    )
    partitions = [(topic, number) for topic in topics for number in partitions_of(consumer, topic)]
    consumer.assign([TopicPartition(topic, number, end_of(consumer, topic, number)) for topic, number in partitions])
    return consumer


def partitions_of(consumer: Consumer, topic: str) -> List[int]:
    for _ in attempts():
        partitions = consumer.list_topics(topic, timeout=TIMEOUT_S).topics[topic].partitions
        if partitions and all(partition.leader >= 0 for partition in partitions.values()):
            return sorted(partitions)
    raise TimeoutError(f"{topic} has partitions without a leader.")


def end_of(consumer: Consumer, topic: str, partition: int) -> int:
    for _ in attempts():
        try:
            return consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=TIMEOUT_S)[1]
        except KafkaException as error:
            last = error
    raise last


def attempts() -> Iterator[int]:
    """A topic that was made just now has no leaders at first, and its brokers are still learning who leads."""
    count = 100
    for attempt in range(count):
        yield attempt
        threading.Event().wait(TIMEOUT_S / count)


def serializer_named(name: str) -> Any:
    if name == "json":
        from stateflow.serialization.json_serde import JsonSerializer

        return JsonSerializer()
    from stateflow.serialization.pickle_serializer import PickleSerializer

    return PickleSerializer()


def compile_entities(module: str) -> Any:
    """Stdout is for `ready` alone."""
    with contextlib.redirect_stdout(sys.stderr):
        importlib.import_module(module)
        return importlib.import_module("stateflow").init()


def end_with_stdin() -> None:
    def wait() -> None:
        while os.read(0, 4096):
            pass
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--brokers", required=True)
    parser.add_argument("--serializer", choices=("pickle", "json"), default="pickle")
    parser.add_argument("--routing", choices=("dataflow", "statefun"), default="dataflow")
    parser.add_argument("--module", default="demo_common")
    parser.add_argument("--hops", choices=("inside", "kafka"), default="inside", help="of dataflow routing")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    end_with_stdin()
    operators = Operators(compile_entities(options.module))
    routers = Routers(serializer_named(options.serializer))
    producer = Producer({"bootstrap.servers": options.brokers, "linger.ms": 0})

    def send(topic: str, key: Optional[str], value: bytes) -> None:
        producer.produce(topic, value, key=key)

    if options.routing == "dataflow":
        job: Any = DataflowJob(operators, routers, send, options.hops)
    else:
        job = StatefunModule(operators, routers, send)
    make_topics(options.brokers, job.topics)
    consumer = consume_from_end(options.brokers, job.reads)
    print("ready", flush=True)
    sys.stdout = sys.stderr  # The methods' own prints.
    try:
        while True:
            for record in consumer.consume(500, 0.02):
                if record.error() is None:
                    job.take(record)
            producer.poll(0)
    finally:
        producer.flush(TIMEOUT_S)


if __name__ == "__main__":
    main()
