"""Functions behind the standard library's HTTP server: StateFun's request-reply protocol is one POST."""

import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from statefun import RequestReplyHandler, StatefulFunctions

# Of one request: a batch of messages, and the state of one function.
MAX_BODY_BYTES = 64 * 1024 * 1024


def serve(functions: StatefulFunctions, port: int) -> None:
    """Returns when the process is interrupted. Port 0 is any free one."""
    handler = RequestReplyHandler(functions)

    class Endpoint(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body of an answer are two writes; the second must not wait for the other side's acknowledgement.
        disable_nagle_algorithm = True
        # Seconds that an idle connection is kept: longer than whoever calls keeps it.
        timeout = 60

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "-1"))
            if not 0 <= length <= MAX_BODY_BYTES:
                self.close_connection = True
                return self.answer(413)
            try:
                body = handler.handle_sync(self.rfile.read(length))
            except Exception:
                traceback.print_exc()
                return self.answer(500)
            self.answer(200, body)

        def answer(self, status: int, body: bytes = b"") -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """One line a request would be too many."""

    server = EndpointServer(("127.0.0.1", port), Endpoint)
    print(f"functions at http://127.0.0.1:{server.server_port}/", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


class EndpointServer(ThreadingHTTPServer):
    # Connections that wait to be accepted: a cluster opens many at once.
    request_queue_size = 1024
