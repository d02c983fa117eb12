"""
StateFlow's own FlinkRuntime on real PyFlink, with pickle.

It says `ready` on stdout when the job has answered a ping, and ends when its stdin does. The job's records go through
the topics client_request, internal and client_reply, which are made when they are missing.
"""

import argparse
import os
import signal
import sys
import threading
import time
import uuid
from typing import Any

from runner import INTERNAL, PARTITIONS, REPLY, REQUEST, compile_entities, consume_from_end, make_topics

PING_EVERY_S = 1.0
READY_WITHIN_S = 170.0


def build_runtime(options: argparse.Namespace, flow: Any) -> Any:
    from pyflink.common import Configuration
    from pyflink.util.java_utils import get_j_env_configuration
    from stateflow.runtime.flink.pyflink import FlinkRuntime
    from stateflow.serialization.pickle_serializer import PickleSerializer

    brokers = {"bootstrap.servers": options.brokers}
    runtime = FlinkRuntime(
        flow,
        serializer=PickleSerializer(),
        producer_config=brokers,
        consumer_config={**brokers, "auto.offset.reset": "latest", "group.id": str(uuid.uuid4())},
    )
    runtime.env.set_python_executable(sys.executable)
    runtime.env.set_parallelism(1)
    environment = get_j_env_configuration(runtime.env._j_stream_execution_environment)
    configuration = Configuration(j_configuration=environment)
    for setting in options.set:
        configuration.set_string(*setting.split("=", 1))
    return runtime


def announce_pong(brokers: str) -> None:
    """The job reads from the end of its topic, so pings are sent until one is answered."""
    from confluent_kafka import Producer
    from stateflow.dataflow.address import FunctionAddress, FunctionType
    from stateflow.dataflow.event import Event, EventType
    from stateflow.serialization.pickle_serializer import PickleSerializer

    serializer = PickleSerializer()
    consumer = consume_from_end(brokers, [REPLY])
    producer = Producer({"bootstrap.servers": brokers})
    sent, next_ping, deadline = set(), 0.0, time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if time.monotonic() >= next_ping:
            address = FunctionAddress(FunctionType("", "", False), None)
            ping = Event(str(uuid.uuid4()), address, EventType.Request.Ping, {})
            sent.add(ping.event_id)
            producer.produce(REQUEST, serializer.serialize_event(ping), key=ping.event_id)
            producer.flush(PING_EVERY_S)
            next_ping = time.monotonic() + PING_EVERY_S
        record = consumer.poll(0.05)
        if record is None or record.error() is not None:
            continue
        if serializer.deserialize_event(record.value()).event_id in sent:
            consumer.close()
            print("ready", file=sys.__stdout__, flush=True)
            return
    print("The job did not answer a ping.", file=sys.stderr)
    end_group()


def end_group() -> None:
    """Flink's JVM and its Python workers are in this process's group; they do not end by themselves."""
    os.killpg(os.getpgid(0), signal.SIGKILL)


def end_with_stdin() -> None:
    while os.read(0, 4096):
        pass
    end_group()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--brokers", required=True)
    parser.add_argument("--module", default="demo_common")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    threading.Thread(target=end_with_stdin, daemon=True).start()
    make_topics(options.brokers, {REQUEST: PARTITIONS, INTERNAL: PARTITIONS, REPLY: PARTITIONS})
    runtime = build_runtime(options, compile_entities(options.module))
    sys.stdout = sys.stderr
    threading.Thread(target=announce_pong, args=(options.brokers,), daemon=True).start()
    runtime.run()


if __name__ == "__main__":
    main()
