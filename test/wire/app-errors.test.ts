import { describe, expect, test } from "bun:test";
import { field } from "../support/raw-client.ts";
import { columns, get, head, post, useWire } from "../support/wire.ts";

interface Row {
  readonly path: string;
  /** The error log's line and what follows it. */
  readonly log: RegExp;
}

const stack = "\\n(?: {4}at .*\\n)+";

function thrown(path: string, error: string): Row {
  return {
    path,
    log: new RegExp(`^.*\\[ERROR\\] Error handling request GET ${path}\\n${error}${stack}$`),
  };
}

function told(path: string, message: string): Row {
  return {
    path,
    log: new RegExp(`^.*\\[ERROR\\] Error handling request GET ${path}: ${message}\\n$`),
  };
}

// "an object of class Object" and "object": what each kind calls it.
const failures: readonly Row[] = [
  told("/returns-text", "Expected a Response, got (a )?string"),
  told("/returns-object", "Expected a Response, got (an )?object( of class Object)?"),
  told("/returns-nothing", "Expected a Response, got undefined"),
  told("/returns-null", "Expected a Response, got null"),
  thrown("/throws", "Error: thrown by the app"),
  thrown("/rejects", "TypeError: rejected by the app"),
  thrown("/rejects-at-once", "TypeError: rejected at once"),
  {
    path: "/throws-text",
    log: /^.*\[ERROR\] Error handling request GET \/throws-text\n.*only text\n$/,
  },
  {
    path: "/throws-undefined",
    log: /^.*\[ERROR\] Error handling request GET \/throws-undefined: Thrown: undefined\n$/,
  },
];

const unusableAnswers: readonly Row[] = [
  told("/returns-used", "Response body already used: make a new Response for each request"),
  told("/returns-read", "Response body already used: make a new Response for each request"),
  told("/returns-locked", "Response body is locked: something else is reading it"),
  told("/returns-error", "A Response with status 0 can't be sent"),
];

describe.each(columns)("-k %s over %s: an app that", (kind, transport) => {
  const wire = useWire({ kind, transport, app: "failures.ts" });
  // Once it is a good answer.
  const prepared = new Set<string>();

  // Whether a Response can be used Bun.serve finds out for itself, and says elsewhere.
  const rows = kind === "async" ? [...failures, ...unusableAnswers] : failures;

  test.each(rows.map((row) => [row.path.slice(1), row] as const))(
    "%s: 500, one log line, and the connection goes on",
    async (_name, { path, log }) => {
      if (path === "/returns-used" && !prepared.has(path)) {
        prepared.add(path);
        expect((await wire.ask(get(path))).body.toString()).toBe("used");
      }
      using client = await wire.connect();
      const mark = wire.server.log.length;
      const answer = await client.ask(get(path));
      expect([answer.status, answer.reason]).toEqual([500, "Internal Server Error"]);
      expect(field(answer, "connection")).toBeNull();
      expect((await client.ask(get("/"))).body.toString()).toBe("hello");
      await wire.server.logged("Error handling request", mark);
      expect(wire.server.log.slice(mark)).toMatch(log);
    },
  );

  test("throws on HEAD, on POST, behind close", async () => {
    using client = await wire.connect();
    expect((await client.ask(head("/throws"), "HEAD")).status).toBe(500);
    expect((await client.ask(post("/throws", "body"))).status).toBe(500);
    expect((await client.ask(get("/rejects", "Connection: close"))).status).toBe(500);
    expect(await client.ended()).toBe("fin");
  });

  test("throws tells the client nothing of its insides", async () => {
    const { body } = await wire.ask(get("/throws"));
    expect(body.toString()).toContain("Internal Server Error");
    expect(body.toString()).not.toContain("thrown");
  });
});

describe.each(columns)("-k %s over %s: an app object with an error handler", (kind, transport) => {
  const wire = useWire({ kind, transport, app: "failures.ts", export: "handled" });

  test.each(["/throws", "/rejects", "/rejects-at-once"])("answers for %s", async (path) => {
    const mark = wire.server.log.length;
    using client = await wire.connect();
    const answer = await client.ask(get(path));
    expect(answer.status).toBe(503);
    expect(answer.body.toString()).toMatch(/^handled: (thrown|rejected)/);
    expect((await client.ask(get("/"))).body.toString()).toBe("hello");
    expect(wire.server.log.slice(mark)).toBe("");
  });
});

describe.each(columns)("-k %s over %s: an error handler that fails", (kind, transport) => {
  const wire = useWire({ kind, transport, app: "failures.ts", export: "failing" });

  test("is a plain 500 with its own stack in the log", async () => {
    const mark = wire.server.log.length;
    using client = await wire.connect();
    expect((await client.ask(get("/throws"))).status).toBe(500);
    expect((await client.ask(get("/"))).body.toString()).toBe("hello");
    const line =
      /\[ERROR\] Error handling request GET \/throws\nError: second failure after: thrown/;
    await wire.server.logged(line, mark);
  });
});
