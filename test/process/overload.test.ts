/** shed_latency_ms: what clients, the log and metrics see of a worker that has more to do than it can. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { adminArgs, adminUrl, scrape } from "../support/admin.ts";
import { gunicorn, type RunningServer, until } from "../support/server.ts";
import { dawdle } from "../support/dawdle.ts";

// Each waits for the end of an overload, on a machine that has other things to do.
setDefaultTimeout(120_000);

const burn = `function burn() {
  const end = performance.now() + 20;
  while (performance.now() < end);
}
`;

const apps = {
  fetch: `${burn}export const fetch = (request) => {
  if (new URL(request.url).pathname !== "/health") burn();
  return new Response("done");
};
`,
  later: `${burn}export const fetch = async (request) => {
  if (new URL(request.url).pathname === "/health") return new Response("done");
  await Bun.sleep(1);
  burn();
  return new Response("done");
};
`,
  node: `${burn}export default (req, res) => {
  if (req.url !== "/health") burn();
  res.end("done");
};
`,
};

const shed = ["--shed-latency-ms", "20", "--shed-exempt", "/health"];

interface Crowd {
  readonly statuses: Map<number, number>;
  readonly retryAfter: Set<string | null>;
  leave(): Promise<void>;
}

/** So many clients that ask again as soon as they have an answer. */
function crowd(server: RunningServer, count: number): Crowd {
  const statuses = new Map<number, number>();
  const retryAfter = new Set<string | null>();
  const leaving = new AbortController();
  const clients = Array.from({ length: count }, async () => {
    while (!leaving.signal.aborted) {
      const answer = await server.fetch();
      await answer.text();
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      if (answer.status !== 503) continue;
      retryAfter.add(answer.headers.get("retry-after"));
      // It is one of forty, and the machine has other things to do.
      await dawdle(50);
    }
  });
  const leave = async () => {
    leaving.abort();
    await Promise.all(clients);
  };
  return { statuses, retryAfter, leave };
}

const rows: readonly (readonly [args: readonly string[], app: keyof typeof apps])[] = [
  [["-k", "async"], "fetch"],
  [["-k", "async"], "later"],
  [["-k", "async"], "node"],
  [["-k", "sync"], "later"],
  [["-k", "serve"], "fetch"],
];

describe.each(rows)("%j, an app that is asked by %s", (args, app) => {
  test("what it can't do is answered with 503, paths that are exempt never", async () => {
    await using server = await gunicorn({
      files: { "app.ts": apps[app] },
      args: [...args, ...shed, ...adminArgs],
    });
    const { statuses, retryAfter, leave } = crowd(server, 40);
    await until("requests that are refused", () => (statuses.get(503) ?? 0) >= 50);
    const health = await server.fetch("/health");
    expect(await health.text()).toBe("done");
    const before = statuses.get(200) ?? 0;
    await until("requests that are answered", () => (statuses.get(200) ?? 0) >= before + 5);
    await leave();
    expect([...statuses.keys()].sort()).toEqual([200, 503]);
    expect([...retryAfter]).toEqual(["1"]);
    expect(server.log).toContain("Overload: requests wait for more than shed_latency_ms (20 ms)");
    const figures = await scrape(await adminUrl(server));
    expect(figures.get("gunicorn_requests_shed_total")).toBe(statuses.get(503) ?? 0);
    expect(figures.get('gunicorn_requests_total{status="5xx"}')).toBe(statuses.get(503) ?? 0);
    expect(await server.stop()).toBe(0);
  });
});

test("an overload is told once when it begins, and once when it is over", async () => {
  const files = { "app.ts": apps.fetch };
  await using server = await gunicorn({ files, args: shed });
  const { statuses, leave } = crowd(server, 40);
  await until("requests that are refused", () => (statuses.get(503) ?? 0) >= 50);
  await leave();
  await server.logged(/Overload is over: \d+ requests were refused in \d+\.\d s/);
  const told = (words: string) => server.log.split(words).length - 1;
  // The machine may be busy for so long that it is over in between.
  expect(told("Overload: ")).toBe(told("Overload is over: "));
  expect(await server.stop()).toBe(0);
});

test("nothing is refused where requests only wait, however long and however many", async () => {
  const files = {
    "app.ts": `export const fetch = async (request) => {
  if (new URL(request.url).pathname === "/wait") await Bun.sleep(2500);
  return new Response("done");
};
`,
  };
  await using server = await gunicorn({ files, args: ["--shed-latency-ms", "2000"] });
  const answers = await Promise.all(Array.from({ length: 100 }, () => server.fetch("/wait")));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  await Promise.all(answers.map((answer) => answer.text()));
  expect(server.log).not.toContain("Overload");
  expect(await server.stop()).toBe(0);
});
