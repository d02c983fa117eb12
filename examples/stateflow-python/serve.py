"""Serves a module's StateFlow classes as StateFun functions: `python serve.py MODULE`.

StateFlow does the work (its `StatefunRuntime`, unmodified); this gives it a port. PORT and REPLY_TOPIC say where it
listens and which topic its answers name; the gateway's default for the latter is StateFlow's own.
"""

import argparse
import asyncio
import contextlib
import importlib
import os
import sys
from typing import Any

from aiohttp import web


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("module", help="the module with the decorated classes, in this folder or on PYTHONPATH")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8710")))
    parser.add_argument("--reply-topic", default=os.environ.get("REPLY_TOPIC", "client_reply"))
    parser.add_argument(
        "--serializer", choices=("pickle", "json"), default="pickle", help="json has no split methods in StateFlow"
    )
    return parser.parse_args()


def serializer_named(name: str) -> Any:
    if name == "json":
        from stateflow.serialization.json_serde import JsonSerializer

        return JsonSerializer()
    from stateflow.serialization.pickle_serializer import PickleSerializer

    return PickleSerializer()


def compile_runtime(options: argparse.Namespace) -> Any:
    import stateflow
    from stateflow.runtime.flink.statefun import StatefunRuntime

    importlib.import_module(options.module)
    serializer = serializer_named(options.serializer)
    return StatefunRuntime(stateflow.init(), serializer=serializer, reply_topic=options.reply_topic)


async def serve(app: web.Application, host: str, port: int) -> None:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    bound_port = runner.addresses[0][1]
    print(f"functions at http://{host}:{bound_port}/statefun", file=sys.__stdout__, flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def main() -> None:
    options = arguments()
    # The classes' own prints, and StateFlow's, are its log.
    sys.stdout = sys.stderr
    # One's own module is looked for first where one is, as `python -m` does it, and then beside this file.
    sys.path.insert(0, os.getcwd())
    app = compile_runtime(options).get_app()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(app, options.host, options.port))


if __name__ == "__main__":
    main()
