/**
 * Counters that outlive what they count: over all that becomes of workers, the sums are exact and none goes back.
 * COUNTED_REQUESTS=100000 sends so many, and not a few hundred.
 */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  adminArgs,
  adminUrl,
  type Figures,
  goneBack,
  scrape,
  untilFigures,
} from "../support/admin.ts";
import { isRunning } from "../../src/os/processes.ts";
import { freePort } from "../../bench/free-port.ts";
import { childrenOf, gunicorn, patienceMs, type RunningServer, until } from "../support/server.ts";
import { latestMaster } from "../support/upgrades.ts";

const app = `export const fetch = (request) => {
  const { pathname } = new URL(request.url);
  if (pathname === "/error") throw new Error("as it was asked to");
  const headers = { "x-pid": String(process.pid) };
  return new Response("ok", { status: pathname === "/missing" ? 404 : 200, headers });
};`;

/** Of each of the six or so things that happen to a server: so many requests at least. */
const share = Math.ceil(Number(process.env["COUNTED_REQUESTS"] ?? 600) / 6);
const shareMs = patienceMs + share * 20;

const answers = (status: string) => `gunicorn_requests_total{status="${status}"}`;

/** Sends requests one after another, by several clients, until it is told to stop; counts what was answered. */
class Clients {
  /** By the pid of the worker. */
  readonly #answered = new Map<number, number>();
  readonly #server: RunningServer;
  #stopped = false;
  #running: Promise<unknown> = Promise.resolve();
  /** Requests that had no answer; null: none may fail. */
  failed: number | null = null;

  constructor(server: RunningServer) {
    this.#server = server;
  }

  get answered(): number {
    return this.by([...this.#answered.keys()]);
  }

  by(pids: readonly number[]): number {
    return pids.reduce((sum, pid) => sum + (this.#answered.get(pid) ?? 0), 0);
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
      try {
        const response = await this.#server.fetch();
        await response.text();
        expect(response.status).toBe(200);
        const pid = Number(response.headers.get("x-pid"));
        this.#answered.set(pid, this.by([pid]) + 1);
      } catch (error) {
        if (this.failed === null) throw error;
        this.failed += 1;
      }
    }
  }
}

test(
  "requests are counted to the last one, over HUP, recycling, TTOU, TTIN and kill -9",
  async () => {
    await using server = await gunicorn({
      files: { "app.ts": app },
      args: [
        "-w",
        "3",
        "--max-requests",
        String(Math.max(60, Math.ceil(share / 10))),
        ...adminArgs,
      ],
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
      await until(
        what,
        async () => done(await look()) && clients.answered >= answered + share,
        shareMs,
      );
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
        (figures.get('gunicorn_workers_ended_total{reason="signal"}') ?? 0) >= 1 &&
        ready(3)(figures)
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
  },
  240_000 + 6 * shareMs,
);

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

test(
  "a worker that is killed while it answers loses what it was answering at most",
  async () => {
    await using server = await gunicorn({
      files: { "app.ts": app },
      args: ["-w", "3", ...adminArgs],
    });
    const url = await adminUrl(server);
    await server.settled(3);
    const count = async () => (await scrape(url)).get(answers("2xx")) ?? 0;
    const first = await until("all that was asked so far", count);
    const clients = new Clients(server);
    clients.failed = 0;
    clients.start(4);
    await until("requests", () => clients.answered >= share, shareMs);
    process.kill(server.workers()[0] as number, "SIGKILL");
    const { answered } = clients;
    await until("requests behind it", () => clients.answered >= answered + share, shareMs);
    await clients.stop();
    // Each of four clients had one under way: it was answered and not counted, or the other way round.
    await until("all to be counted", async () => {
      return Math.abs((await count()) - first - clients.answered) <= 4;
    });
  },
  240_000 + 2 * shareMs,
);

/** A server whose admin address stays, whichever master answers; all that it shows is kept an eye on. */
class Watched {
  readonly server: RunningServer;
  readonly clients: Clients;
  /** What was counted before the clients. */
  first = 0;
  /** What has gone back. */
  readonly back: string[] = [];
  readonly #url: string;
  #last: Figures = new Map();

  constructor(server: RunningServer, url: string) {
    this.server = server;
    this.#url = url;
    this.clients = new Clients(server);
  }

  /** Null while neither master has the address. */
  async look(): Promise<Figures | null> {
    const now = await scrape(this.#url).catch(() => null);
    if (now === null) return null;
    this.back.push(...goneBack(this.#last, now));
    this.#last = now;
    return now;
  }

  async until(what: string, done: (figures: Figures) => boolean): Promise<void> {
    await until(
      what,
      async () => {
        const now = await this.look();
        return now !== null && done(now);
      },
      2 * shareMs,
    );
  }

  /** Waits for so many answers, while somebody looks. */
  async serve(what: string): Promise<void> {
    const wanted = this.clients.answered + share;
    await this.until(what, () => this.clients.answered >= wanted);
  }

  /** USR2; answers with the masters' pids when a worker of the new one has answered. */
  async upgrade(): Promise<[old: number, next: number]> {
    const old = latestMaster(this.server);
    process.kill(old, "SIGUSR2");
    let next = old;
    await this.until("an answer of a new worker", () => {
      next = latestMaster(this.server);
      return next !== old && this.clients.by(childrenOf(next)) > 0;
    });
    return [old, next];
  }

  /** Waits until all that was answered is shown, ends a master of two, and waits for the line by which the other one tells. */
  async end(pid: number, signal: "SIGQUIT" | "SIGTERM" | "SIGKILL", line: string): Promise<void> {
    await this.clients.stop();
    await this.allShown();
    const from = this.server.log.length;
    // Also those that have answered nothing yet. A second master is a child of the first.
    const next = latestMaster(this.server);
    const workers = childrenOf(pid).filter((each) => each !== next);
    process.kill(pid, signal);
    await this.until("one master", () => this.server.log.slice(from).includes(line));
    // Without their master they serve on for a moment, and nobody knows what.
    await this.until("the end of its workers", () => !workers.some(isRunning));
    await this.until("the others", (figures) => figures.get("gunicorn_workers_ready") === 3);
    this.clients.start(4);
  }

  allShown(): Promise<void> {
    const all = this.first + this.clients.answered;
    return this.until("all that was answered", (figures) => figures.get(answers("2xx")) === all);
  }
}

async function watched(server: RunningServer): Promise<Watched> {
  await server.settled(3);
  const view = new Watched(server, await adminUrl(server));
  await view.until("what was asked so far", (figures) => {
    view.first = figures.get(answers("2xx")) ?? 0;
    return view.first > 0;
  });
  return view;
}

const promoted = "Master has been promoted.";
const alone = "this one is the only one again";

const upgrades: readonly (readonly [
  claim: string,
  loads: number,
  course: (view: Watched) => Promise<void>,
])[] = [
  [
    "a new master goes on where the old one ends, and one more where that ends",
    3,
    async (view) => {
      for (const signal of ["SIGTERM", "SIGQUIT"] as const) {
        const [old] = await view.upgrade();
        await view.serve("requests of both");
        await view.end(old, signal, promoted);
        await view.serve("requests of the new one");
      }
    },
  ],
  [
    "an old master that stays has what the new one has served",
    3,
    async (view) => {
      const [old, next] = await view.upgrade();
      await view.serve("requests of both");
      process.kill(old, "SIGWINCH");
      await view.until("the new master at the address", (figures) => {
        return childrenOf(old).length === 1 && figures.get("gunicorn_ready") === 1;
      });
      await view.serve("requests of the new one");
      process.kill(old, "SIGHUP");
      await view.until("the old workers back", () => childrenOf(old).length === 4);
      await view.end(next, "SIGTERM", alone);
      await view.serve("requests of the old one");
    },
  ],
  [
    "masters that are killed take nothing with them that was shown",
    3,
    async (view) => {
      const [old, next] = await view.upgrade();
      await view.end(next, "SIGKILL", alone);
      await view.serve("requests of the old one");
      await view.upgrade();
      await view.end(old, "SIGKILL", promoted);
      await view.serve("requests of the new one");
    },
  ],
];

test.each(upgrades)(
  "%s: no counter goes back, and the sum is exact",
  async (_claim, loads, course) => {
    await using server = await gunicorn({
      files: { "app.ts": app },
      args: ["-w", "3", "--admin-bind", `127.0.0.1:${freePort()}`],
    });
    const view = await watched(server);
    view.clients.start(4);
    await course(view);
    await view.clients.stop();
    await view.allShown();
    await view.until("the loads of all masters", (figures) => {
      return figures.get("gunicorn_configuration_loads_total") === loads;
    });
    expect(view.back).toEqual([]);
  },
  240_000 + 12 * shareMs,
);

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
