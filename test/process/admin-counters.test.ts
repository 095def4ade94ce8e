/** Counters that outlive what they count: over all that becomes of workers, the sums are exact and none goes back. */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  adminArgs,
  adminUrl,
  type Figures,
  goneBack,
  scrape,
  textOf,
  untilFigures,
} from "../support/admin.ts";
import { gunicorn, type RunningServer, until } from "../support/server.ts";

const app = `export const fetch = (request) => {
  const { pathname } = new URL(request.url);
  if (pathname === "/error") throw new Error("as it was asked to");
  return new Response("ok", { status: pathname === "/missing" ? 404 : 200 });
};`;

const answers = (status: string) => `gunicorn_requests_total{status="${status}"}`;

/** Sends requests one after another, by several clients, until it is told to stop; counts what was answered. */
class Clients {
  answered = 0;
  readonly #server: RunningServer;
  #stopped = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(server: RunningServer) {
    this.#server = server;
  }

  start(count: number): void {
    this.#stopped = false;
    this.#running = Promise.all(Array.from({ length: count }, () => this.#run()));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const response = await this.#server.fetch();
      await response.text();
      expect(response.status).toBe(200);
      this.answered += 1;
    }
  }
}

test("requests are counted to the last one, over HUP, recycling, TTOU, TTIN and kill -9", async () => {
  await using server = await gunicorn({
    files: { "app.ts": app },
    args: ["-w", "3", "--max-requests", "60", ...adminArgs],
  });
  const url = await adminUrl(server);
  await server.settled(3);
  let last: Figures = await scrape(url);
  const first = last.get(answers("2xx")) ?? 0;
  const clients = new Clients(server);
  const back: string[] = [];
  /** Answers with what a figure has grown by. */
  const look = async (): Promise<Figures> => {
    const now = await scrape(url);
    back.push(...goneBack(last, now));
    last = now;
    return now;
  };
  const during = async (what: string, done: (figures: Figures) => boolean) => {
    const { answered } = clients;
    await until(what, async () => done(await look()) && clients.answered >= answered + 100);
  };
  const ready = (count: number) => (figures: Figures) =>
    figures.get("gunicorn_workers_ready") === count &&
    figures.get("gunicorn_workers_alive") === count;

  clients.start(4);
  await during(
    "recycling",
    (figures) => (figures.get('gunicorn_workers_ended_total{reason="recycled"}') ?? 0) >= 2,
  );
  server.kill("SIGHUP");
  await during("a reload", (figures) => figures.get("gunicorn_generation") === 2);
  server.kill("SIGTTOU");
  await during("fewer workers", (figures) => figures.get("gunicorn_workers_wanted") === 2);
  server.kill("SIGTTIN");
  await during("more workers", (figures) => figures.get("gunicorn_workers_wanted") === 3);
  await clients.stop();
  // A worker that is killed with a request loses that one: here none has any.
  await until("three workers at rest", async () => ready(3)(await look()));
  const [victim] = server.workers();
  process.kill(victim as number, "SIGKILL");
  await until("its death to be counted", async () => {
    const figures = await look();
    return (
      (figures.get('gunicorn_workers_ended_total{reason="signal"}') ?? 0) >= 1 && ready(3)(figures)
    );
  });
  clients.start(4);
  await during("requests behind it", ready(3));
  await clients.stop();

  const all = first + clients.answered;
  await untilFigures(url, {
    [answers("2xx")]: all,
    gunicorn_request_duration_seconds_count: all,
    'gunicorn_request_duration_seconds_bucket{le="+Inf"}': all,
  });
  await look();
  expect(back).toEqual([]);
}, 240_000);

test("classes of answers, errors, bytes, connections and timeouts", async () => {
  await using server = await gunicorn({
    files: { "app.ts": app },
    args: ["--header-timeout", "1", ...adminArgs],
  });
  const url = await adminUrl(server);
  await until("what has come so far", async () => (await scrape(url)).get(answers("2xx")) === 1);
  const before = await scrape(url);
  for (const path of ["/missing", "/error"]) await (await server.fetch(path)).text();
  const { port } = new URL(server.url);
  const received: string[] = [];
  const silent = await Bun.connect({
    hostname: "127.0.0.1",
    port: Number(port),
    socket: {
      data: (_, bytes) => void received.push(bytes.toString()),
      open: (socket) => void socket.write("GET / HT"),
    },
  });
  const timeouts = 'gunicorn_client_timeouts_total{setting="header_timeout"}';
  const grownBy = (name: string, more: number) => ({ [name]: (before.get(name) ?? 0) + more });
  await untilFigures(url, {
    ...grownBy(timeouts, 1),
    // 408 is an answer too.
    ...grownBy(answers("4xx"), 2),
    ...grownBy(answers("5xx"), 1),
    ...grownBy("gunicorn_app_errors_total", 1),
    ...grownBy("gunicorn_connections_accepted_total", 3),
  });
  silent.end();
  const now = await scrape(url);
  for (const name of ["gunicorn_received_bytes_total", "gunicorn_sent_bytes_total"])
    expect(now.get(name)).toBeGreaterThan((before.get(name) ?? 0) + 100);
}, 120_000);

test("a class that doesn't count connections shows no figure of them", async () => {
  await using server = await gunicorn({
    files: { "app.ts": app },
    args: ["-k", "serve", ...adminArgs],
  });
  const url = await adminUrl(server);
  await until("its requests", async () => ((await scrape(url)).get(answers("2xx")) ?? 0) >= 1);
  const names = [...(await scrape(url)).keys()];
  expect(
    names.filter((name) => /connections|sent_bytes|received_bytes|timeouts/.test(name)),
  ).toEqual([]);
}, 120_000);

test("a new master counts anew, from its own start on, when the old one has left it the address", async () => {
  const { freePort } = await import("../../bench/free-port.ts");
  const port = freePort();
  await using server = await gunicorn({
    files: { "app.ts": app },
    args: ["--admin-bind", `127.0.0.1:${port}`],
  });
  const url = await adminUrl(server);
  const before = await scrape(url);
  const old = server.pid;
  const after = server.log.length;
  server.kill("SIGUSR2");
  await server.logged(/admin_bind: Connection in use/, after);
  expect((await scrape(url)).get("process_start_time_seconds")).toBe(
    before.get("process_start_time_seconds") as number,
  );
  process.kill(old, "SIGQUIT");
  await server.logged("Admin server at:", after);
  await until("the new master", async () => {
    const now = await scrape(url).catch(() => null);
    const started = now?.get("process_start_time_seconds") ?? 0;
    return started > (before.get("process_start_time_seconds") ?? 0);
  });
  await until("its workers", async () => (await textOf(url, "/ready")) === "ready\n");
}, 120_000);

test("a reload opens, moves and closes the admin server", async () => {
  const config = (line: string) => `export default { ${line} };`;
  await using server = await gunicorn({
    files: { "app.ts": app, "gunicorn.conf.ts": config("") },
  });
  const file = join(server.folder, "gunicorn.conf.ts");
  const socket = join(server.folder, "admin.sock");
  const reload = (line: string) => {
    const after = server.log.length;
    writeFileSync(file, config(line));
    server.kill("SIGHUP");
    return after;
  };
  expect(server.log).not.toContain("Admin server");
  await server.logged("Admin server at: unix:admin.sock", reload(`adminBind: "unix:admin.sock"`));
  const overUnix = () => fetch("http://localhost/live", { unix: socket, keepalive: false });
  expect(await (await overUnix()).text()).toBe("live\n");
  const url = await adminUrl(server, reload(`adminBind: "127.0.0.1:0"`));
  expect(await (await fetch(new URL("/live", url), { keepalive: false })).text()).toBe("live\n");
  expect(await Bun.file(socket).exists()).toBe(false);
  await expect(overUnix()).rejects.toThrow();
  reload("");
  await until("its end", () =>
    fetch(new URL("/live", url), { keepalive: false }).then(
      () => false,
      () => true,
    ),
  );
  expect(await server.stop()).toBe(0);
}, 120_000);
