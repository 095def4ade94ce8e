"""The apps of bench/apps, written for WSGI servers; BENCH_FILE is the file."""
import json
import os

rows = [{"id": n, "name": "Item %d" % n, "price": n * 1.5} for n in range(10)]
chunk = b"x" * 4096
path = os.environ.get("BENCH_FILE", "")


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


def stream(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return (chunk for _ in range(16))


def file(environ, start_response):
    opened = open(path, "rb")
    length = str(os.fstat(opened.fileno()).st_size)
    fields = [("Content-Type", "application/octet-stream"), ("Content-Length", length)]
    start_response("200 OK", fields)
    return environ["wsgi.file_wrapper"](opened)
