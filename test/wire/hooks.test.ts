import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../support/server.ts";
import { columns, get, head, post, rowsFor, useWire, type WireRow } from "../support/wire.ts";

/** The hooks note each call: what they were given, and in which order with the app. */
const config = `
import { appendFileSync } from "node:fs";
const note = (line) => appendFileSync(import.meta.dir + "/events", line + "\\n");
export function preRequest(worker, request) {
  const { method, path, query } = request;
  note(["pre", worker.nr > 0, worker.pid === process.pid, method, path, query].join(" "));
  if (path === "/pre-throws") throw new Error("thrown by preRequest");
}
export function postRequest(worker, request, environ, response) {
  const same = request.request instanceof Request && request.request.url.includes(request.path);
  note(["post", typeof environ, request.path, same, response === null ? null : response.status].join(" "));
  if (request.path === "/post-throws") throw new Error("thrown by postRequest");
}
`;

interface Row extends WireRow {
  readonly request: string;
  readonly status: number;
  readonly events: readonly string[];
  readonly log?: RegExp;
  /** The answer breaks off. */
  readonly broken?: true;
}

function before(method: string, path: string, query = ""): string {
  return `pre true true ${method} ${path} ${query}`;
}

function behind(path: string, status: number | null): string {
  return `post object ${path} true ${status ?? ""}`;
}

const rows: readonly Row[] = [
  {
    claim: "frame the app",
    request: get("/x?a=1"),
    status: 200,
    events: [before("GET", "/x", "a=1"), "app /x", behind("/x", 200)],
  },
  {
    claim: "frame an app that answers later",
    request: get("/later"),
    status: 200,
    events: [before("GET", "/later"), "app /later", behind("/later", 200)],
  },
  {
    claim: "see a body's request once",
    request: post("/body", "abc"),
    status: 200,
    events: [before("POST", "/body"), "app /body", behind("/body", 200)],
  },
  {
    claim: "see HEAD and other statuses",
    request: head("/404"),
    status: 404,
    events: [before("HEAD", "/404"), "app /404", behind("/404", 404)],
  },
  {
    claim: "postRequest comes behind a stream",
    request: get("/stream"),
    status: 200,
    events: [before("GET", "/stream"), "app /stream", "streamed", behind("/stream", 200)],
    notServe: "Bun.serve doesn't say when a stream has ended",
  },
  {
    claim: "postRequest comes behind a stream that fails",
    request: get("/broken-stream"),
    status: 200,
    events: [before("GET", "/broken-stream"), "app /broken-stream", behind("/broken-stream", 200)],
    log: /\[ERROR\] Error handling request GET \/broken-stream/,
    broken: true,
    notServe: "Bun.serve doesn't say when a stream has ended",
  },
  {
    claim: "postRequest comes without a response when a stream fails before its head",
    request: get("/stillborn-stream"),
    status: 500,
    events: [
      before("GET", "/stillborn-stream"),
      "app /stillborn-stream",
      behind("/stillborn-stream", null),
    ],
    log: /\[ERROR\] Error handling request GET \/stillborn-stream\nError: broken/,
    notServe: "Bun.serve doesn't say when a stream has ended",
  },
  {
    claim: "postRequest comes without a response when the app throws",
    request: get("/throws"),
    status: 500,
    events: [before("GET", "/throws"), "app /throws", behind("/throws", null)],
    log: /\[ERROR\] Error handling request GET \/throws\nError: thrown by the app\n {4}at /,
  },
  {
    claim: "postRequest comes without a response when the app returns none",
    request: get("/text"),
    status: 500,
    events: [before("GET", "/text"), "app /text", behind("/text", null)],
    log: /\[ERROR\] Error handling request GET \/text: Expected a Response/,
  },
  {
    claim: "preRequest throwing is a 500, and the app isn't asked",
    request: get("/pre-throws"),
    status: 500,
    events: [before("GET", "/pre-throws"), behind("/pre-throws", null)],
    log: /\[ERROR\] Error handling request GET \/pre-throws\nError: thrown by preRequest\n {4}at /,
  },
  {
    claim: "postRequest throwing is logged only",
    request: get("/post-throws"),
    status: 200,
    events: [before("GET", "/post-throws"), "app /post-throws", behind("/post-throws", 200)],
    log: /\[ERROR\] Exception in post_request hook\nError: thrown by postRequest\n {4}at /,
  },
];

describe.each(columns)("-k %s over %s: request hooks", (kind, transport) => {
  const files = { "gunicorn.conf.ts": config };
  const wire = useWire({ kind, transport, app: "hooks.ts", files });

  function events(): string[] {
    const text = readFileSync(join(wire.server.folder, "events"), "utf8");
    return text.split("\n").slice(0, -1);
  }

  test.each(rowsFor(kind, rows))("%s", async (_claim, row) => {
    const { request, status, log, broken = false } = row;
    using client = await wire.connect();
    await client.ask(get("/before"));
    await until("its end", () => events().at(-1)?.startsWith("post object /before"));
    const [mark, eventsBefore] = [wire.server.log.length, events().length];
    const answer = await client.ask(request, request.slice(0, request.indexOf(" ")));
    expect([answer.status, answer.complete]).toEqual([status, !broken]);
    if (!broken) expect((await client.ask(get("/after"))).status).toBe(200);
    await until("postRequest", () => events().length >= eventsBefore + row.events.length);
    expect(events().slice(eventsBefore, eventsBefore + row.events.length)).toEqual([...row.events]);
    if (log === undefined) expect(wire.server.log.slice(mark)).toBe("");
    else await wire.server.logged(log, mark);
  });

  test("run in the order of pipelined requests", async () => {
    using client = await wire.connect();
    await client.ask(get("/before"));
    await until("its end", () => events().at(-1)?.startsWith("post object /before"));
    const eventsBefore = events().length;
    client.send(get("/a") + get("/b"));
    await client.answer();
    await client.answer();
    await until("both ends", () => events().length >= eventsBefore + 6);
    expect(events().slice(eventsBefore)).toEqual(
      ["/a", "/b"].flatMap((path) => [before("GET", path), `app ${path}`, behind(path, 200)]),
    );
  });
});
