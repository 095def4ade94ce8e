/** enrich_response: JSON bodies are wrapped, and all other answers say the same in their fields. */
import { describe, expect, test } from "bun:test";
import { type Answer, field, fieldValues } from "../support/raw-client.ts";
import { columns, get, head, transports, useWire } from "../support/wire.ts";

const max = 1000;

interface Info {
  readonly spawn: number;
  readonly t1: number;
  readonly d1: number;
  readonly d2: number;
  readonly pid: number;
  readonly nr: number;
  readonly max: number;
}

const text =
  /^\{"res": (.*), "info": (\{"spawn": \d+, "t1": \d+, "d1": \d+, "d2": \d+, "pid": \d+, "nr": \d+, "max": \d+\})\}$/s;

/** The app's own body, and the facts. */
function unwrap({ body }: Answer): { res: string; info: Info } {
  const [, res, info] = text.exec(body.toString()) ?? [];
  if (res === undefined || info === undefined) throw new Error(`not wrapped: ${body}`);
  return { res, info: JSON.parse(info) as Info };
}

describe.each(columns)("-k %s over %s: enrich_response", (kind, transport) => {
  const args = ["--enrich-response", "--max-requests", String(max)];
  const wire = useWire({ kind, transport, app: "enrich.ts", args });

  const wrapped: [path: string, res: string][] = [
    ["/json", '{"a":"é"}'],
    ["/text-json", "[1, 2]"],
    ["/problem", "{}"],
    ["/bytes", "[3]"],
    ["/blob", "[4]"],
    ["/mark", "[5]"],
    ["/stream", "[1,2,3]"],
    ["/stream-with-length", "[1,2,3]"],
    ["/large", `"${"x".repeat(1_000_000)}"`],
    ["/500", '{"error":1}'],
  ];
  test.each(wrapped)("wraps %s", async (path, res) => {
    const before = Date.now() * 1000;
    const answer = await wire.ask(get(path));
    const { res: found, info } = unwrap(answer);
    expect(found).toBe(res);
    expect(() => JSON.parse(answer.body.toString()) as unknown).not.toThrow();
    expect(info.pid).toBe(wire.workerPid);
    expect(info.max).toBe(max);
    // Two processes' clocks of the wall may differ where somebody sets it.
    expect(info.t1).toBeGreaterThanOrEqual(before - 5e6);
    expect(info.t1).toBeLessThanOrEqual(Date.now() * 1000 + 5e6);
    expect(info.spawn).toBeLessThan(info.t1);
    expect(field(answer, "server-timing")).toBeNull();
    expect(answer.complete).toBe(true);
  });

  test("counts requests, and measures the app", async () => {
    const first = unwrap(await wire.ask(get("/json"))).info;
    const asked = performance.now();
    const second = unwrap(await wire.ask(get("/sleeps"))).info;
    const waitedUs = (performance.now() - asked) * 1000;
    expect(second.nr).toBe(first.nr + 1);
    expect(second.d2).toBeGreaterThanOrEqual(49_000);
    // What the app took isn't in the other one, too.
    expect(second.d1 + second.d2).toBeLessThanOrEqual(waitedUs + 1000);
  });

  const labelled: [path: string, status: number, body: string][] = [
    ["/text", 200, "text"],
    ["/204", 204, ""],
    ["/304", 304, ""],
    ["/empty-json", 200, ""],
    ["/no-body-json", 200, ""],
    ["/encoded-json", 200, "\x1f\x8b"],
    ["/partial-json", 206, "[1"],
    ["/utf-16-json", 200, "[\0]\0"],
    ["/json-lines", 200, "1\n2\n"],
    ["/fetched", 200, "fetched"],
    ["/redirect", 302, ""],
  ];
  test.each(labelled)("labels %s", async (path, status, body) => {
    const answer = await wire.ask(get(path));
    expect([answer.status, answer.body.toString("latin1")]).toEqual([status, body]);
    const worker = /^pid=(\d+), nr=\d+, max=1000, spawn=\d{16}, t1=\d{16}$/.exec(
      field(answer, "x-worker") ?? "",
    );
    expect(worker?.[1]).toBe(String(wire.workerPid));
    expect(field(answer, "server-timing")).toMatch(
      /^queue;dur=\d+(\.\d{1,3})?, app;dur=\d+(\.\d{1,3})?$/,
    );
  });

  test("keeps the app's own Server-Timing, and cookies apart", async () => {
    const answer = await wire.ask(get("/timed"));
    expect(field(answer, "server-timing")).toMatch(/^db;dur=1, queue;dur=/);
    const cookies = await wire.ask(get("/cookies"));
    expect(fieldValues(cookies, "set-cookie")).toEqual(["a=1", "b=2"]);
    expect(unwrap(cookies).res).toBe("[]");
  });

  test("says nothing of bytes that aren't sent", async () => {
    const answer = await wire.ask(get("/tagged"));
    expect(field(answer, "etag")).toBe('W/"strong"');
    for (const name of ["content-md5", "digest", "accept-ranges"]) {
      expect(field(answer, name)).toBeNull();
    }
    expect(field(await wire.ask(get("/weak")), "etag")).toBe('W/"weak"');
  });

  test("tells no length to HEAD, since each GET has another", async () => {
    const answer = await wire.ask(head("/json"), "HEAD");
    expect(answer.status).toBe(200);
    expect(field(answer, "content-length")).toBeNull();
    expect(field(await wire.ask(head("/text"), "HEAD"), "content-length")).toBe("4");
  });

  test("passes on a stream piece by piece, and its failure", async () => {
    using client = await wire.connect();
    client.send(get("/endless"));
    await client.seen('{"res": ');
    // Its end never comes.
    await client.seen("1,\r\n2\r\n1,");
    client.reset();
    const failed = await wire.ask(get("/fails"));
    expect(failed.complete).toBe(false);
    expect(failed.body.toString()).not.toContain("info");
  });

  test("leaves the app's errors alone", async () => {
    expect((await wire.ask(get("/throws"))).status).toBe(500);
    expect((await wire.ask(get("/nothing"))).status).toBe(500);
  });
});

// Bun.serve takes the fields of a Response away when it is sent.
describe.each(transports)("-k async over %s: enrich_response", (transport) => {
  const wire = useWire({ kind: "async", transport, app: "enrich.ts", args: ["--enrich-response"] });

  test("a Response that is returned again has its fields once", async () => {
    for (let asked = 0; asked < 3; asked++) {
      const answer = await wire.ask(get("/shared"));
      expect(field(answer, "server-timing")).toMatch(
        /^db;dur=1, queue;dur=[\d.]+, app;dur=[\d.]+$/,
      );
    }
  });
});
