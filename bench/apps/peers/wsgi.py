"""hello and json, as bench/apps has them, for WSGI servers."""
import json

rows = [{"id": n, "name": "Item %d" % n, "price": n * 1.5} for n in range(10)]


def hello(environ, start_response):
    body = b"Hello, World!\n"
    fields = [("Content-Type", "text/plain;charset=utf-8"), ("Content-Length", str(len(body)))]
    start_response("200 OK", fields)
    return [body]


def to_json(environ, start_response):
    body = json.dumps({"message": "Hello, World!", "rows": rows}).encode()
    fields = [("Content-Type", "application/json;charset=utf-8"), ("Content-Length", str(len(body)))]
    start_response("200 OK", fields)
    return [body]
