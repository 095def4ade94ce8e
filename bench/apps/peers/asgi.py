"""The apps of bench/apps, written for ASGI servers; BENCH_FILE is the file."""
import json
import os

rows = [{"id": n, "name": "Item %d" % n, "price": n * 1.5} for n in range(10)]
chunk = b"x" * 4096
path = os.environ.get("BENCH_FILE", "")


async def start(send, content_type, length=None):
    headers = [(b"content-type", content_type)]
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def send_all(send, content_type, body):
    await start(send, content_type, len(body))
    await send({"type": "http.response.body", "body": body})


async def hello(scope, receive, send):
    if scope["type"] == "http":
        await send_all(send, b"text/plain;charset=utf-8", b"Hello, World!\n")


async def to_json(scope, receive, send):
    if scope["type"] == "http":
        body = json.dumps({"message": "Hello, World!", "rows": rows}).encode()
        await send_all(send, b"application/json;charset=utf-8", body)


async def stream(scope, receive, send):
    if scope["type"] == "http":
        await start(send, b"application/octet-stream")
        for _ in range(16):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def file(scope, receive, send):
    if scope["type"] != "http":
        return
    await start(send, b"application/octet-stream", os.stat(path).st_size)
    # Servers that can send a file themselves say so.
    if "http.response.pathsend" in (scope.get("extensions") or {}):
        await send({"type": "http.response.pathsend", "path": path})
        return
    with open(path, "rb") as opened:
        while piece := opened.read(65536):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
