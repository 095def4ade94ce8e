import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { RawClient } from "../support/raw-client.ts";
import { gunicorn, type RunningServer, until } from "../support/server.ts";
import { type Transport, get, get10, post, requestText, transports } from "../support/wire.ts";

setDefaultTimeout(120_000);

/** Each path is another way to keep a client waiting; /notes says what has become of them. */
const app = `
const notes = { asked: 0, aborted: 0, cancelled: 0, answered: 0 };
const never = () => new Promise(() => {});
const watch = ({ signal }) => signal.addEventListener("abort", () => notes.aborted++);
const lines = (write) => new ReadableStream({
  start: (controller) => void write(controller),
  cancel: () => void notes.cancelled++,
});
const routes = {
  "/": () => new Response("ready"),
  "/notes": () => Response.json(notes),
  "/silent-stream": () => new Response(lines((controller) => controller.enqueue("data: first\\n\\n"))),
  "/silent-from-the-start": () => new Response(lines(() => {})),
  "/never": () => never(),
  "/never-reads": () => never(),
  "/stream-by-length": () =>
    new Response(lines((controller) => controller.enqueue("x")), { headers: { "content-length": "9" } }),
  "/talks": () => new Response(lines(async (controller) => {
    for (let count = 0; count < 40; count++) {
      controller.enqueue("x".repeat(250_000));
      await Bun.sleep(100);
    }
    controller.close();
  })),
  // As a proxy does with an upstream.
  "/quiet": async ({ signal }) => {
    const { promise, resolve, reject } = Promise.withResolvers();
    signal.addEventListener("abort", () => reject(signal.reason));
    setTimeout(resolve, 2000);
    await promise;
    notes.answered++;
    return new Response("late");
  },
  "/half-a-body": async (request) => {
    const text = await request.text().catch((error) => error.name);
    return new Response(text);
  },
};
export default (request) => {
  const { pathname } = new URL(request.url);
  if (pathname !== "/notes" && pathname !== "/") {
    notes.asked++;
    watch(request);
  }
  return routes[pathname](request);
};
`;

function serve(transport: Transport, ...args: readonly string[]): Promise<RunningServer> {
  return gunicorn({ files: { "app.ts": app }, secure: transport === "TLS", args });
}

async function notes(server: RunningServer): Promise<Record<string, number>> {
  using client = await RawClient.connect(server);
  const { body } = await client.ask(get("/notes", "Connection: close"));
  return JSON.parse(body.toString());
}

async function noted(server: RunningServer, name: string, count: number): Promise<void> {
  await until(`${name} to be ${count}`, async () => (await notes(server))[name] === count, 25_000);
}

/** Clients that ask and leave as a browser's tab does that is closed. */
async function visit(server: RunningServer, request: string, count: number, told: string) {
  const clients = await Promise.all(
    Array.from({ length: count }, async () => {
      const client = await RawClient.connect(server);
      client.send(request);
      if (told !== "") await client.seen(told);
      return client;
    }),
  );
  return () => clients.forEach((client) => client[Symbol.dispose]());
}

const grace = ["--asgi-disconnect-grace-period", "1"];
const unread = requestText("POST", "/never-reads", ["Content-Length: 900000"]) + "x".repeat(90_000);

type Wait = readonly [claim: string, request: string, told: string, note: "cancelled" | "aborted"];

const waits: readonly Wait[] = [
  ["a stream that is silent after its first event", get("/silent-stream"), "first", "cancelled"],
  [
    "a stream that is silent from its start",
    get("/silent-from-the-start"),
    "HTTP/1.1 200",
    "cancelled",
  ],
  ["a stream of a known length", get("/stream-by-length"), "x", "cancelled"],
  ["a stream to HTTP/1.0", get10("/silent-stream"), "first", "cancelled"],
  ["a handler that never answers", get("/never"), "", "aborted"],
  ["a handler behind a pipelined answer", get("/notes") + get("/never"), "asked", "aborted"],
  ["an upload that nobody reads", unread, "", "aborted"],
  [
    "a handler with more pipelined behind it than is held",
    get("/never") + get("/never").repeat(2500),
    "",
    "aborted",
  ],
];

describe.each(transports)("%s: clients that leave by FIN are let go of", (transport) => {
  // Each takes seconds: over TLS those that stand still, where a client that isn't read can't say that it leaves.
  const rows = transport === "TLS" ? waits.slice(-4) : waits;

  test.each(rows)("%s", async (_name, request, told, note) => {
    await using server = await serve(transport, "--worker-connections", "20", ...grace);
    const leave = await visit(server, request, 19, told);
    await noted(server, "asked", 19);
    leave();
    await noted(server, note, 19);
    // As many again: nothing is left of the first.
    const leaveAgain = await visit(server, request, 19, told);
    await noted(server, "asked", 38);
    leaveAgain();
    await noted(server, "aborted", 38);
    expect(await server.stop()).toBe(0);
    expect(server.log).not.toContain("graceful_timeout:");
    expect(server.log).not.toContain("[ERROR]");
  });

  test("1,000 of a stream that is silent", async () => {
    await using server = await serve(transport, ...grace);
    const leave = await visit(server, get("/silent-stream"), 1000, "first");
    leave();
    await noted(server, "cancelled", 1000);
  });

  test("while the worker drains", async () => {
    await using server = await serve(transport, ...grace, "--graceful-timeout", "40");
    const leave = await visit(server, get("/silent-stream"), 5, "first");
    const exited = server.stop();
    leave();
    expect(await exited).toBe(0);
    expect(server.log).not.toContain("graceful_timeout:");
  });
});

describe.each(transports)("%s: asgi_disconnect_grace_period", (transport) => {
  test.each<[string, readonly string[], "dispose" | "reset"]>([
    ["0: FIN aborts at once", ["--asgi-disconnect-grace-period", "0"], "dispose"],
    ["a reset aborts at once, whatever it is", ["--asgi-disconnect-grace-period", "600"], "reset"],
  ])("%s", async (_name, args, way) => {
    await using server = await serve(transport, ...args);
    for (const path of ["/never", "/silent-stream"]) {
      const { aborted = 0, asked = 0 } = await notes(server);
      using client = await RawClient.connect(server);
      client.send(get(path));
      await noted(server, "asked", asked + 1);
      if (way === "reset") client.reset();
      else client[Symbol.dispose]();
      await noted(server, "aborted", aborted + 1);
    }
  });

  test.each([
    ["HTTP/1.0", get10("/quiet")],
    ["HTTP/1.1", get("/quiet")],
    ["two pipelined", get("/quiet") + get("/quiet")],
  ])("a quiet app has 3 seconds by default: %s", async (_name, request) => {
    await using server = await serve(transport);
    using client = await RawClient.connect(server);
    client.send(request);
    client.halfClose();
    for (const _ of request.match(/\r\n\r\n/g) ?? []) {
      expect((await client.answer()).body.toString()).toBe("late");
    }
    expect(await client.ended()).toBe("fin");
    expect((await notes(server))["aborted"]).toBe(0);
  });

  test("an app that goes on writing has for ever", async () => {
    // Less than it writes for, and far more than lies between two writes.
    await using server = await serve(transport, "--asgi-disconnect-grace-period", "3");
    using client = await RawClient.connect(server);
    client.send(get("/talks"));
    client.halfClose();
    const { complete, body } = await client.answer();
    expect([complete, body.length]).toEqual([true, 10_000_000]);
  });

  test("a body that ends with the connection ends by a reset when it is cut", async () => {
    await using server = await serve(transport, ...grace);
    using client = await RawClient.connect(server);
    client.send(get10("/silent-stream"));
    client.halfClose();
    expect(await client.ended()).toBe("reset");
  });

  test.each([
    ["by length", post("/half-a-body", "abc").slice(0, -1)],
    ["chunked", `${requestText("POST", "/half-a-body", ["Transfer-Encoding: chunked"])}5\r\nabc`],
  ])(
    "half a body fails at FIN, and what the app makes of it is sent: %s",
    async (_name, request) => {
      await using server = await serve(transport, "--asgi-disconnect-grace-period", "600");
      using client = await RawClient.connect(server);
      client.send(request);
      client.halfClose();
      expect((await client.answer()).body.toString()).toBe("AbortError");
      expect(await client.ended()).toBe("fin");
    },
  );
});
