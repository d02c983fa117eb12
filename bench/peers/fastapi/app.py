"""StateFlow's own FastAPI client in front of Kafka, as a contender of the benchmark; nothing of it is changed."""

import os

import stateflow.dataflow.dataflow
import stateflow.descriptors.class_descriptor
import uvicorn

# The client imports this name from a module that does not have it.
stateflow.dataflow.dataflow.ClassDescriptor = stateflow.descriptors.class_descriptor.ClassDescriptor

from demo_common import stateflow as demo  # noqa: E402
from stateflow.client.fastapi.kafka import KafkaFastAPIClient  # noqa: E402

kafka = {"bootstrap_servers": os.environ["BENCH_BROKERS"]}
client = KafkaFastAPIClient(demo.init(), producer_config=dict(kafka), consumer_config=dict(kafka))

uvicorn.run(client.get_app(), host="127.0.0.1", port=int(os.environ["BENCH_PORT"]), log_level="error", access_log=False)
