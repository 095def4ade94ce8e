"""A client of HTTP/3 by aioquic: reads commands from standard input, one JSON list each, and answers each with a line."""

import asyncio
import json
import ssl
import sys

from aioquic.asyncio import QuicConnectionProtocol, connect
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, StreamReset


class Client(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = H3Connection(self._quic)
        self.waiting = {}
        self.events = {}

    def quic_event_received(self, event):
        if isinstance(event, ConnectionTerminated):
            for future in self.waiting.values():
                if not future.done():
                    future.set_exception(Exception(f"terminated: {event.error_code} {event.reason_phrase}"))
        if isinstance(event, StreamReset) and event.stream_id in self.waiting:
            future = self.waiting[event.stream_id]
            if not future.done():
                future.set_exception(Exception(f"reset: {event.error_code}"))
        for each in self.http.handle_event(event):
            if isinstance(each, (HeadersReceived, DataReceived)):
                self.events[each.stream_id].append(each)
                if each.stream_ended and not self.waiting[each.stream_id].done():
                    self.waiting[each.stream_id].set_result(None)

    async def request(self, method, path, body):
        stream = self._quic.get_next_available_stream_id()
        self.waiting[stream] = asyncio.get_running_loop().create_future()
        self.events[stream] = []
        names = [("method", method), ("scheme", "https"), ("authority", "localhost"), ("path", path)]
        fields = [(f":{name}".encode(), value.encode()) for name, value in names]
        self.http.send_headers(stream, fields, end_stream=body == 0)
        if body > 0:
            self.http.send_data(stream, b"x" * body, end_stream=True)
        self.transmit()
        await self.waiting[stream]
        events = self.events[stream]
        fields = {name.decode(): value.decode() for name, value in events[0].headers}
        data = b"".join(event.data for event in events if isinstance(event, DataReceived))
        return {"status": int(fields[":status"]), "fields": fields, "body": data.decode()}


async def lines():
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for line in reader:
        yield json.loads(line)


async def main(port, certificate):
    clients = {}
    contexts = []
    tasks = set()

    async def client(name):
        if name not in clients:
            options = {"server_name": "localhost", "verify_mode": ssl.CERT_NONE, "idle_timeout": 600.0}
            configuration = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, **options)
            if certificate:
                configuration.load_cert_chain(*certificate)
            context = connect("127.0.0.1", port, configuration=configuration, create_protocol=Client)
            clients[name] = await context.__aenter__()
            contexts.append(context)
        return clients[name]

    async def run(number, name, method, path, body, count):
        try:
            this = await client(name)
            answers = await asyncio.gather(*(this.request(method, path, body) for _ in range(count)))
            print(json.dumps([number, answers]), flush=True)
        except (Exception, asyncio.CancelledError) as error:
            print(json.dumps([number, repr(error)]), flush=True)

    async for command in lines():
        task = asyncio.create_task(run(*command))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


asyncio.run(main(int(sys.argv[1]), sys.argv[2:]))
