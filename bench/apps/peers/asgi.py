"""hello and json, as bench/apps has them, for ASGI servers."""
import json

rows = [{"id": n, "name": "Item %d" % n, "price": n * 1.5} for n in range(10)]


async def send_all(send, content_type, body):
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def hello(scope, receive, send):
    if scope["type"] == "http":
        await send_all(send, b"text/plain;charset=utf-8", b"Hello, World!\n")


async def to_json(scope, receive, send):
    if scope["type"] == "http":
        body = json.dumps({"message": "Hello, World!", "rows": rows}).encode()
        await send_all(send, b"application/json;charset=utf-8", body)
