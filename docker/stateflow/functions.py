"""Serves the entities of the module MODULE to Flink StateFun, on PORT."""
import importlib
import os

import stateflow
from aiohttp import web

importlib.import_module(os.environ["MODULE"])

from stateflow.runtime.flink.statefun import StatefunRuntime  # noqa: E402
from stateflow.serialization.pickle_serializer import PickleSerializer  # noqa: E402

runtime = StatefunRuntime(stateflow.init(), serializer=PickleSerializer())
web.run_app(runtime.get_app(), host=os.environ.get("HOST", "0.0.0.0"), port=int(os.environ.get("PORT", "8000")))
