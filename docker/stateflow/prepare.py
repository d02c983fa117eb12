"""Writes what the others start from into the folder COMPILED, and makes the topics.

entities.json is the gateway's metadata; module.yaml tells StateFun its topics and where the functions are.
"""
import importlib
import os
import pathlib
import subprocess
import sys
import time

import stateflow
import yaml
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic
from stateflow.util.statefun_module_generator import generate

MODULE = os.environ["MODULE"]
COMPILED = pathlib.Path(os.environ.get("COMPILED", "/compiled"))
BROKERS = os.environ.get("KAFKA_BROKERS", "kafka:9092")
FUNCTIONS = os.environ.get("FUNCTIONS", "http://functions:8000/statefun")
PARTITIONS = int(os.environ.get("PARTITIONS", "4"))
REPLIES = "client_reply"
BROKER_WAIT_S = 60


def metadata() -> str:
    """Written by a process of its own: the exporter compiles the module anew."""
    command = [sys.executable, "-m", "stateflow_gateway_export", MODULE]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def module() -> dict:
    """StateFlow's own module file, with our addresses."""
    importlib.import_module(MODULE)
    document = yaml.safe_load(generate(stateflow.init(), FUNCTIONS))
    spec = document["module"]["spec"]
    for kind in ("ingress", "egress"):
        for one in spec[f"{kind}es"]:
            one[kind]["spec"]["address"] = BROKERS
    return document


def make_topics(names) -> None:
    admin = AdminClient({"bootstrap.servers": BROKERS})
    deadline = time.monotonic() + BROKER_WAIT_S
    while True:
        try:
            there = admin.list_topics(timeout=5).topics
            break
        except KafkaException:
            if time.monotonic() > deadline:
                raise
    missing = [NewTopic(name, PARTITIONS, 1) for name in names if name not in there]
    for future in admin.create_topics(missing).values() if missing else ():
        future.result()


COMPILED.mkdir(parents=True, exist_ok=True)
(COMPILED / "entities.json").write_text(metadata())
document = module()
(COMPILED / "module.yaml").write_text(yaml.safe_dump(document))
topics = [topic["topic"] for one in document["module"]["spec"]["ingresses"] for topic in one["ingress"]["spec"]["topics"]]
make_topics([*topics, REPLIES])
print(f"prepared {MODULE}: {', '.join(topics)}", flush=True)
