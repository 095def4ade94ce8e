/**
 * One table of Responses, sent by ours and by a bare Bun.serve, and compared as they come off the wire. Each difference stands,
 * with its reason, in support/response-suite/table.ts, and so does nothing else.
 */
import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { listItems } from "../support/markdown.ts";
import { type AppName, expected, Usage } from "../support/response-suite/differences.ts";
import { kinds, type RequestKind, type Seen } from "../support/response-suite/observe.ts";
import { hookedRows, rows } from "../support/response-suite/rows.ts";
import { type Answers, askBoth, askSecurely, askSync } from "../support/response-suite/servers.ts";
import { table } from "../support/response-suite/table.ts";

setDefaultTimeout(120_000);

const apps = [
  ["bare", rows],
  ["hooked", hookedRows],
] as const;
const answers = new Map<AppName, ReadonlyMap<string, Answers>>();

beforeAll(async () => {
  for (const [app, rows] of apps) {
    answers.set(app, await askBoth(app, rows));
  }
});

describe.each([...apps])(
  "an app that is %s answers as on Bun.serve, or as explained:",
  (app, rows) => {
    test.each([...rows])("%s", (row) => {
      const given = answersTo(app, row);
      const ours = Object.fromEntries(kinds.map((kind) => [kind, given[kind].ours]));
      expect(ours).toEqual(explained(app, row, new Usage()));
    });
  },
);

describe.each([...apps])("an app that is %s answers over TLS as without:", (app, rows) => {
  let said: Awaited<ReturnType<typeof askSecurely>>;
  beforeAll(async () => {
    said = await askSecurely(app, rows);
  });
  test.each([...rows])("%s", (row) => {
    for (const kind of kinds) expect(said.get(row)?.[kind]).toEqual(answersTo(app, row)[kind].ours);
  });
});

describe.each([...apps])(
  "an app that is %s answers on sync as on async, but that each answer ends its connection:",
  (app, rows) => {
    let said: Awaited<ReturnType<typeof askSync>>;
    beforeAll(async () => {
      said = await askSync(app, rows);
    });
    test.each([...rows])("%s", (row) => {
      for (const kind of kinds) {
        const { connection, next, ...rest } = said.get(row)?.[kind] ?? {};
        const { connection: _connection, next: _next, ...same } = answersTo(app, row)[kind].ours;
        expect(rest).toEqual(same);
        expect(next).toBe("closed");
        expect(connection).toBe("close");
      }
    });
  },
);

test("every case of the table is needed", () => {
  const usage = new Usage();
  for (const [app, rows] of apps) for (const [row] of rows) explained(app, row, usage);
  expect(usage.unneeded).toEqual([]);
});

test("there are rows enough, each under a name of its own", () => {
  const names = new Set(rows.map(([name]) => name));
  expect(names.size).toBe(rows.length);
  expect(names.size).toBeGreaterThanOrEqual(250);
});

/** Two servers that both say nothing are alike. */
test("what is compared is what was sent", () => {
  const { GET, HEAD } = answersTo("bare", "a FormData");
  const form = {
    status: "200",
    reason: "OK",
    "content-type": "multipart/form-data; boundary=B",
    "content-length": GET.ours["content-length"]!,
    server: "gunicorn-ts",
    date: "now",
    end: "complete",
    next: "answered",
  };
  const body = [
    '--B\r\nContent-Disposition: form-data; name="name"\r\n\r\na value\r\n',
    '--B\r\nContent-Disposition: form-data; name="file"; filename="file.txt"\r\n',
    "Content-Type: text/plain;charset=utf-8\r\n\r\ncontents\r\n--B--\r\n",
  ].join("");
  expect(GET.ours).toEqual({ ...form, framing: "length", body });
  expect(HEAD.ours).toEqual({ ...form, framing: "none", body: "" });
});

test("docs/http.md lists the differences", () => {
  const text = readFileSync(join(import.meta.dir, "../../docs/http.md"), "utf8");
  const section = text.split("## Responses beside Bun.serve\n")[1]?.split("\n## ")[0] ?? "";
  expect(listItems(section)).toEqual(table.map(({ reason }) => reason));
});

function answersTo(app: AppName, row: string): Answers {
  const found = answers.get(app)?.get(row);
  if (found === undefined) throw new Error(`nobody asked the ${app} app for: ${row}`);
  return found;
}

/** What ours must have said to each request. */
function explained(app: AppName, row: string, usage: Usage): Record<string, Seen> {
  const given = answersTo(app, row);
  const of = (request: RequestKind, get: Seen) =>
    expected(given[request].theirs, { app, row, request }, get, usage);
  const get = of("GET", {});
  return Object.fromEntries(kinds.map((kind) => [kind, kind === "GET" ? get : of(kind, get)]));
}
