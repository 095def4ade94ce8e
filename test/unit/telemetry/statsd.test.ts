import { describe, expect, test } from "bun:test";
import { type Sent } from "../../../src/telemetry/channel.ts";
import { createLog, type Log, type Metric } from "../../../src/log/error-log.ts";
import type { RequestRecord } from "../../../src/api/request-record.ts";
import { openStatsd, Statsd } from "../../../src/telemetry/statsd.ts";
import { countLogCalls } from "../../../src/telemetry/statsd-log.ts";
import { until } from "../../support/server.ts";

/** A receiver that keeps what it takes, and takes what it is told to. */
class Ear {
  readonly datagrams: string[] = [];
  answer: Sent = "sent";
  closed = false;

  tries = 0;

  send(packet: Uint8Array): Sent {
    this.tries += 1;
    if (this.answer === "sent") this.datagrams.push(Buffer.from(packet).toString());
    return this.answer;
  }

  close(): void {
    this.closed = true;
  }

  get lines(): string[] {
    return this.datagrams.flatMap((each) => each.split("\n"));
  }
}

function open(prefix = "", tags = "", nowMs = () => 0): { ear: Ear; statsd: Statsd } {
  const ear = new Ear();
  return { ear, statsd: new Statsd(ear, prefix, tags, nowMs) };
}

/** What statsD looks at. */
function answered(status: number, durationUs: number): RequestRecord {
  return { status, durationUs } as RequestRecord;
}

describe("the wire form", () => {
  const rows: [string, (statsd: Statsd) => void, string[]][] = [
    ["gauge", (statsd) => statsd.gauge("workers", 2), ["workers:2|g"]],
    ["a gauge of 0", (statsd) => statsd.gauge("workers", 0), ["workers:0|g"]],
    ["a counter", (statsd) => statsd.increment("jobs"), ["jobs:1|c|@1.0"]],
    ["a counter by 5", (statsd) => statsd.increment("jobs", 5), ["jobs:5|c|@1.0"]],
    ["a counter down", (statsd) => statsd.increment("jobs", -1), ["jobs:-1|c|@1.0"]],
    ["a histogram", (statsd) => statsd.histogram("sizes", 1.5), ["sizes:1.5|h"]],
    ["a timer", (statsd) => statsd.timer("took", 12.25), ["took:12.25|ms"]],
    ["a name that would end early", (statsd) => statsd.gauge("a:b|c\nd", 1), ["a_b_c_d:1|g"]],
    ["no number", (statsd) => statsd.gauge("a", Number.NaN), []],
    ["no end", (statsd) => statsd.gauge("a", Number.POSITIVE_INFINITY), []],
    ["no name", (statsd) => statsd.gauge("", 1), []],
    ["a number for a name", (statsd) => statsd.gauge(5 as never, 1), []],
    ["text for a number", (statsd) => statsd.gauge("a", "1" as never), []],
  ];
  test.each(rows)("of %s", (_what, act, expected) => {
    const { ear, statsd } = open();
    act(statsd);
    statsd.close();
    expect(ear.lines).toEqual(expected);
    expect(ear.closed).toBe(true);
  });

  test.each([
    [1500, "1.5"],
    [1, "0.001"],
    [0, "0.0"],
    [2000, "2.0"],
    [123_456_789, "123456.789"],
    [12.4, "0.012"],
  ])("of a request of %p us", (durationUs, ms) => {
    const { ear, statsd } = open("svc", "a:b,c");
    statsd.answered(answered(204, durationUs));
    statsd.flush();
    expect(ear.lines).toEqual([
      `svc.gunicorn.request.duration:${ms}|ms|#a:b,c`,
      "svc.gunicorn.requests:1|c|@1.0|#a:b,c",
      "svc.gunicorn.request.status.204:1|c|@1.0|#a:b,c",
    ]);
    statsd.close();
  });

  test.each([
    ["", "workers:1|g"],
    ["svc", "svc.workers:1|g"],
    ["svc.", "svc.workers:1|g"],
    ["svc...", "svc.workers:1|g"],
    ["a.b", "a.b.workers:1|g"],
    ["x", "x.workers:1|g"],
    ["..", "workers:1|g"],
  ])("with the prefix '%s'", (prefix, line) => {
    const { ear, statsd } = open(prefix);
    statsd.gauge("workers", 1);
    statsd.close();
    expect(ear.lines).toEqual([line]);
  });
});

describe("packing", () => {
  test("fills datagrams with whole metrics, and never sends more than 1,432 bytes", () => {
    const { ear, statsd } = open("svc", "ort:köln");
    for (let count = 0; count < 500; count++)
      statsd.answered(answered(count % 3 === 0 ? 200 : 404, count * 7));
    for (let count = 0; count < 500; count++) statsd.gauge(`größe.${count}`, count);
    const sent = ear.datagrams.length;
    statsd.flush();
    expect(ear.datagrams).toHaveLength(sent + 1);
    const sizes = ear.datagrams.map((each) => Buffer.byteLength(each));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1432);
    // No datagram left before the next request, or a status that is new in it, would have been too much.
    expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThan(1432 - 180);
    for (const line of ear.lines)
      expect(line).toMatch(/^svc\.[\w.öß]+:[\d.]+\|[^|]+(\|@1\.0)?\|#ort:köln$/);
    const sum = (name: string) =>
      ear.lines
        .filter((line) => line.startsWith(`svc.gunicorn.${name}:`))
        .reduce((all, line) => all + Number(/:(\d+)\|c\|@1\.0/.exec(line)?.[1]), 0);
    expect([sum("requests"), sum("request.status.200"), sum("request.status.404")]).toEqual([
      500, 167, 333,
    ]);
    expect(ear.lines.filter((line) => line.includes(".duration:"))).toHaveLength(500);
    statsd.close();
  });

  const own = (status: number) => [
    "gunicorn.request.duration:1.0|ms",
    "gunicorn.requests:1|c|@1.0",
    `gunicorn.request.status.${status}:1|c|@1.0`,
  ];
  const summed = (count: number) => [
    ...Array.from({ length: count }, () => "gunicorn.request.duration:1.0|ms"),
    `gunicorn.requests:${count}|c|@1.0`,
    `gunicorn.request.status.200:${count}|c|@1.0`,
  ];
  test.each([
    ["as many as fit have counters of their own", 14, Array.from({ length: 14 }, () => own(200))],
    ["one more, and counters are summed", 15, [summed(15)]],
    [
      "a full datagram leaves, and what comes next starts anew",
      43,
      [summed(41), own(200), own(200)],
    ],
  ])("%s", (_claim, count, expected) => {
    const { ear, statsd } = open();
    for (let asked = 0; asked < count; asked++) statsd.answered(answered(200, 1000));
    statsd.close();
    expect(ear.lines).toEqual(expected.flat());
  });

  test("takes exactly 1,432 bytes", () => {
    const { ear, statsd } = open();
    const name = "n".repeat(715 - ":1|g".length);
    statsd.gauge(name, 1);
    statsd.gauge(`${name}m`, 1);
    expect(ear.datagrams).toEqual([]);
    statsd.gauge("x", 1);
    expect(ear.datagrams.map((each) => each.length)).toEqual([715 + 1 + 716]);
    statsd.close();
  });

  test("sends a metric that is longer by itself, whole", () => {
    const { ear, statsd } = open();
    const long = "n".repeat(2000);
    for (const name of ["a", long, "b"]) statsd.gauge(name, 1);
    statsd.close();
    expect(ear.datagrams).toEqual(["a:1|g", `${long}:1|g`, "b:1|g"]);
  });

  test("parts the metrics of a request that don't fit together", () => {
    const { ear, statsd } = open("", "t".repeat(600));
    statsd.answered(answered(200, 1));
    statsd.close();
    expect(ear.datagrams.map((each) => each.split("\n").length)).toEqual([2, 1]);
  });

  test("sends by itself within a second or so, and nothing when nothing waits", async () => {
    const { ear, statsd } = open();
    statsd.gauge("a", 1);
    const before = performance.now();
    await until("the datagram", () => ear.datagrams.length > 0);
    expect(performance.now() - before).toBeGreaterThan(500);
    statsd.flush();
    statsd.close();
    expect(ear.datagrams).toEqual(["a:1|g"]);
  });

  test.each(["not now", "other kind"] as const)(
    "tries less and less often what isn't taken (%s), up to once a second",
    (answer) => {
      let nowMs = 0;
      const { ear, statsd } = open("", "", () => nowMs);
      ear.answer = answer;
      const triesIn = (ms: number) => {
        const before = ear.tries;
        for (const end = nowMs + ms; nowMs < end; nowMs++) {
          statsd.gauge("lost", nowMs);
          statsd.flush();
        }
        return ear.tries - before;
      };
      expect(triesIn(10)).toBe(1);
      expect(triesIn(5000)).toBeLessThan(13);
      expect(triesIn(5000)).toBe(5);
      ear.answer = "sent";
      nowMs += 1000;
      statsd.gauge("found", 1);
      statsd.flush();
      ear.answer = answer;
      expect(triesIn(1)).toBe(1);
      nowMs += 10;
      ear.answer = "sent";
      statsd.gauge("again", 1);
      statsd.close();
      expect(ear.lines).toEqual(["found:1|g", "again:1|g"]);
    },
  );

  test("a metric that is too long keeps no other from leaving", () => {
    const { ear, statsd } = open();
    ear.answer = "too long";
    statsd.gauge("long", 1);
    statsd.flush();
    ear.answer = "sent";
    statsd.gauge("short", 1);
    statsd.close();
    expect(ear.lines).toEqual(["short:1|g"]);
  });

  test("drops what isn't taken, and keeps the newest while the address isn't known", () => {
    let nowMs = 0;
    const { ear, statsd } = open("", "", () => nowMs);
    ear.answer = "not now";
    statsd.gauge("lost", 1);
    statsd.flush();
    nowMs += 1000;
    ear.answer = "no address";
    for (let count = 0; count < 100; count++) {
      statsd.gauge("kept", count);
      statsd.flush();
    }
    ear.answer = "sent";
    statsd.close();
    expect(ear.lines).toEqual(Array.from({ length: 64 }, (_, index) => `kept:${index + 36}|g`));
  });
});

describe("countLogCalls()", () => {
  const metric: Metric = { metric: "m", value: 0, mtype: "gauge" };
  const rows: [string, (log: Log) => void, string[], string[]][] = [
    ["critical", (log) => log.critical("a"), ["gunicorn.log.critical:1|c|@1.0"], ["a"]],
    ["error", (log) => log.error("a"), ["gunicorn.log.error:1|c|@1.0"], ["a"]],
    ["exception", (log) => log.exception("a"), ["gunicorn.log.exception:1|c|@1.0"], ["a"]],
    ["warning below the level", (log) => log.warning("a"), ["gunicorn.log.warning:1|c|@1.0"], []],
    ["info", (log) => log.info("a"), [], []],
    ["info with a metric", (log) => log.info("a", metric), ["m:0|g"], []],
    ["debug with a metric", (log) => log.debug("a", metric), ["m:0|g"], []],
    ["a metric alone", (log) => log.info("", { ...metric, mtype: "counter" }), ["m:0|c|@1.0"], []],
    ["a histogram", (log) => log.info("", { ...metric, mtype: "histogram" }), ["m:0|h"], []],
    ["a timer", (log) => log.info("", { ...metric, mtype: "timer" }), ["m:0|ms"], []],
    ["no metric", (log) => log.info("", null as never), [], []],
    [
      "a metric without a name",
      (log) => log.debug("", { value: 1, mtype: "gauge" } as never),
      [],
      [],
    ],
    ["a text for a metric", (log) => log.info("", "m" as never), [], []],
    [
      "a symbol for a name",
      (log) => log.info("", { ...metric, metric: Symbol("m") } as never),
      [],
      [],
    ],
    ["an unknown kind", (log) => log.info("", { ...metric, mtype: "set" } as never), [], []],
  ];
  test.each(rows)("%s", (_what, act, metrics, messages) => {
    const { ear, statsd } = open();
    const written: string[] = [];
    const handler = { emit: (_level: unknown, message: string) => void written.push(message) };
    act(countLogCalls(createLog("debug", [{ threshold: "error", handler }]), statsd));
    statsd.close();
    expect(ear.lines).toEqual(metrics);
    expect(written).toEqual(messages);
  });
});

describe("openStatsd()", () => {
  const settings = { statsdHost: null, statsdPrefix: "", dogstatsdTags: "" };

  test("is null without a host", () => {
    expect(openStatsd(settings, () => {})).toBeNull();
  });

  test("sends to localhost at once", async () => {
    const got: string[] = [];
    const ear = await Bun.udpSocket({
      hostname: "127.0.0.1",
      socket: { data: (_socket, data) => void got.push(data.toString()) },
    });
    const statsd = openStatsd({ ...settings, statsdHost: `localhost:${ear.port}` }, () => {});
    statsd?.gauge("a", 1);
    statsd?.close();
    await until("the datagram", () => got.length > 0);
    expect(got).toEqual(["a:1|g"]);
    ear.close();
  });

  test("tells once that a name can't be looked up", async () => {
    const told: string[] = [];
    const statsdHost = "no-such-host.invalid";
    const statsd = openStatsd({ ...settings, statsdHost }, (message) => void told.push(message));
    statsd?.gauge("a", 1);
    statsd?.flush();
    await until("the complaint", () => told.length > 0);
    statsd?.flush();
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(
      /^Can't look up no-such-host\.invalid \(.+\): trying again every 30 s$/,
    );
    statsd?.close();
  });
});
