"""A server on this machine that sends a file as badly as it is told to, and stops itself."""

from __future__ import annotations

import re
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTENT = bytes(range(256)) * 4096  # one MiB
TAG = '"one"'


class Server:
    """What it is told to do. behave: called with the handler, the request's number and where it asks to begin.

    asked: the headers of every request.
    """

    def __init__(self, behave):
        self.behave, self.asked, self.address = behave, [], ""


def send(handler, content, *, status=200, length=None, tag=TAG, **headers):
    """Send a status, headers and content; length None states the true one, -1 none at all."""
    handler.send_response(status)
    if length != -1:
        handler.send_header("Content-Length", str(len(content) if length is None else length))
    if tag:
        handler.send_header("ETag", tag)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(content)


def whole(handler, number, start):
    """As a good server: the rest where it is asked for and the file is the same, else all of it."""
    del number
    if start is None or handler.headers.get("If-Range") != TAG:
        send(handler, CONTENT)
        return
    said = f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
    send(handler, CONTENT[start:], status=206, Content_Range=said)


def cut_once(then, *, at=300_000):
    """The first answer breaks off at a byte; afterwards `then`."""

    def behave(handler, number, start):
        if number == 0:
            send(handler, CONTENT[:at], length=len(CONTENT))
        else:
            then(handler, number, start)

    return behave


@contextmanager
def serving(behave):
    """The server, on a free port of 127.0.0.1, until the block ends."""
    server = Server(behave)

    class Handler(BaseHTTPRequestHandler):
        timeout = 20

        def do_GET(self):
            number = len(server.asked)
            server.asked.append(dict(self.headers))
            found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            with suppress(BrokenPipeError, ConnectionResetError):
                server.behave(self, number, int(found[1]) if found else None)
            self.close_connection = True

        def log_message(self, *said):
            """Say nothing."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    server.address = f"http://127.0.0.1:{listening.server_address[1]}/model.zip"
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join(5)


def trickle(handler, number, start, *, every_s=0.05, n_bytes=50_000):
    """Send slowly, as told, from where it is asked to begin."""
    del number
    begin = start or 0
    handler.send_response(206 if start else 200)
    handler.send_header("Content-Length", str(len(CONTENT) - begin))
    handler.send_header("ETag", TAG)
    if start:
        handler.send_header("Content-Range", f"bytes {begin}-{len(CONTENT) - 1}/{len(CONTENT)}")
    handler.end_headers()
    for k in range(begin, len(CONTENT), n_bytes):
        handler.wfile.write(CONTENT[k : k + n_bytes])
        handler.wfile.flush()
        time.sleep(every_s)
