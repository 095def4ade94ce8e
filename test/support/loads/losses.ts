/**
 * Every planned event under closed-loop clients, one by one. Run by itself, it prints the table of what each has lost:
 * `bun run losses [REQUESTS [NAME [nobody]]]`.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Certificates } from "../certificates.ts";
import { Load } from "./load.ts";
import { gunicorn, type RunningServer, start, until } from "../server.ts";
import { asNobody, folderForAll } from "../unprivileged.ts";
import {
  latestMaster,
  rollBack,
  rollBackAfterGrowth,
  upgrade,
  upgradeAfterGrowth,
} from "../upgrades.ts";

export interface PlannedEvent {
  readonly name: string;
  readonly args?: readonly string[];
  readonly app?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly bind?: readonly string[];
  /** Lets it happen once more, or waits until it has; null for the end of the server, a new one each time. */
  readonly once: ((server: RunningServer, round: number) => Promise<void>) | null;
  /** Clients connect to `unix:socket` in the server's folder. */
  readonly unix?: boolean;
  /** Over TLS; clients that open a connection for each request do a handshake each. */
  readonly secure?: boolean;
  readonly rounds: number;
  /** What serves instead of Bun and the sources. */
  readonly executable?: string;
}

export interface Loss {
  readonly name: string;
  readonly rounds: number;
  readonly requests: number;
  readonly failures: readonly string[];
}

/** Reads a posted body, so that cut bodies are noticed. */
const app = `export const fetch = async (request) => {
  const length = request.method === "POST" ? (await request.text()).length : 1000;
  return new Response(length === 1000 ? "ok" : "cut", { headers: { "x-pid": String(process.pid) } });
};
`;

const nodeApp = `export default async (req, res) => {
  let length = req.method === "POST" ? 0 : 1000;
  if (req.method === "POST") for await (const chunk of req) length += chunk.length;
  res.setHeader("x-pid", String(process.pid));
  res.end(length === 1000 ? "ok" : "cut");
};
`;

const leakingApp = `const kept = [];
export const fetch = async (request) => {
  if (request.method === "POST") await request.text();
  kept.push(new Uint8Array(4096).fill(1));
  return new Response("ok", { headers: { "x-pid": String(process.pid) } });
};
`;

const workers = 3;

/** A reload that is through: no worker of before is left. */
async function reload(server: RunningServer): Promise<void> {
  const before = server.workers();
  server.kill("SIGHUP");
  await until(
    "all workers replaced",
    () => {
      const now = server.workers();
      return now.length === workers && now.every((pid) => !before.includes(pid));
    },
    60_000,
  );
}

async function scale(server: RunningServer, signal: NodeJS.Signals, count: number): Promise<void> {
  server.kill(signal);
  await until(`${count} workers`, () => server.workers().length === count, 60_000);
}

/** As many workers have been replaced as one more round takes. */
async function replaced(server: RunningServer, line: RegExp, round: number): Promise<void> {
  await until(
    `${line} ${round + 1} times`,
    () => (server.log.match(line)?.length ?? 0) > round,
    120_000,
  );
}

/** A reload that comes with a new certificate. */
async function reloadRenewed(server: RunningServer): Promise<void> {
  renew(server);
  await reload(server);
}

/** A certificate that no reload is needed for: the master has handed it to all workers. */
async function renewed(server: RunningServer, round: number): Promise<void> {
  renew(server);
  await replaced(server, /TLS certificate renewed/g, round);
}

function renew({ folder }: RunningServer): void {
  using certificates = new Certificates();
  const { cert, key } = certificates.make({ names: ["IP:127.0.0.1"] });
  writeFileSync(join(folder, "cert.pem"), cert);
  writeFileSync(join(folder, "key.pem"), key);
}

const tired = /Autorestarting worker/g;
const forkFlags = [
  "--wait-for-new-workers",
  "--max-restarting-workers",
  "1",
  "--warmup-requests",
  "5",
];

async function grow(server: RunningServer): Promise<void> {
  await scale(server, "SIGTTIN", workers + 1);
  await scale(server, "SIGTTOU", workers);
}

const recycling: Omit<PlannedEvent, "name"> = {
  args: ["--max-requests", "100", "--max-requests-jitter", "20"],
  rounds: 100,
  once: (server, round) => replaced(server, tired, round),
};

export const plannedEvents: readonly PlannedEvent[] = [
  { name: "HUP", rounds: 20, once: reload },
  {
    name: "HUP that changes bind",
    rounds: 20,
    bind: [],
    files: {
      "gunicorn.conf.ts": `import { readFileSync } from "node:fs";
export const bind = ["127.0.0.1:0", \`127.0.0.\${readFileSync("last-byte", "utf8")}:0\`];
`,
      "last-byte": "2",
    },
    once: async (server, round) => {
      writeFileSync(join(server.folder, "last-byte"), String(3 + (round % 100)));
      await reload(server);
      await server.logged(`http://127.0.0.${3 + (round % 100)}:`);
    },
  },
  { name: "TTIN and TTOU", rounds: 20, once: grow },
  { name: "max_requests 100", ...recycling },
  {
    name: "max_memory",
    app: leakingApp,
    args: ["--max-memory", "100M"],
    rounds: 5,
    once: (server, round) => replaced(server, /more than max_memory/g, round),
  },
  {
    name: "max_lifetime",
    args: ["--max-lifetime", "1", "--max-lifetime-jitter", "1"],
    rounds: 10,
    once: (server, round) => replaced(server, /has served for its max_lifetime/g, round),
  },
  {
    name: "wait_for_new_workers, max_restarting_workers 1, warmup_requests 5",
    args: ["--max-requests", "200", "--max-requests-jitter", "50", ...forkFlags],
    rounds: 50,
    once: (server, round) => replaced(server, tired, round),
  },
  { name: "USR2, WINCH, QUIT", rounds: 5, once: upgrade },
  { name: "USR2, WINCH, HUP, TERM: roll-back", rounds: 5, once: rollBack },
  { name: "USR2, TTIN to the new master, roll-back", rounds: 5, once: rollBackAfterGrowth },
  { name: "USR2, TTIN to the old master, TERM to it", rounds: 5, once: upgradeAfterGrowth },
  { name: "HUP, sync", args: ["-k", "sync", "--threads", "4"], rounds: 20, once: reload },
  { name: "HUP, node listener", app: nodeApp, rounds: 20, once: reload },
  { name: "HUP with a renewed certificate, TLS", secure: true, rounds: 10, once: reloadRenewed },
  { name: "tls_watch", secure: true, rounds: 20, once: renewed },
  { name: "TTIN and TTOU, TLS", secure: true, rounds: 10, once: grow },
  { name: "max_requests 100, TLS", secure: true, ...recycling },
  { name: "USR2, WINCH, QUIT, TLS", secure: true, rounds: 5, once: upgrade },
  { name: "TERM, TLS", secure: true, rounds: 20, once: null },
  { name: "TERM, sync, TLS", args: ["-k", "sync"], secure: true, rounds: 10, once: null },
  { name: "TERM", rounds: 60, once: null },
  { name: "TERM, node listener", app: nodeApp, rounds: 20, once: null },
  { name: "TERM, sync", args: ["-k", "sync"], rounds: 20, once: null },
  { name: "TERM, one worker", args: ["-w", "1"], rounds: 20, once: null },
  { name: "TERM, no_reuse_port", args: ["--no-reuse-port"], rounds: 20, once: null },
  { name: "TERM, unix socket", bind: ["unix:socket"], unix: true, rounds: 20, once: null },
  { name: "TERM, drain_delay 1", args: ["--drain-delay", "1"], rounds: 20, once: null },
];

/** Runs the server, `setpriv ...`. */
type Through = readonly string[];

async function startServer(event: PlannedEvent, through: Through): Promise<RunningServer> {
  const options = {
    files: { "app.ts": event.app ?? app, ...event.files },
    args: ["-w", String(workers), ...(event.args ?? [])],
    through,
    folder: folderForAll(),
    secure: event.secure ?? false,
    ...(event.bind === undefined ? {} : { bind: event.bind }),
    ...(event.executable === undefined ? {} : { executable: event.executable }),
  };
  if (event.unix !== true) return gunicorn(options);
  const server = start(options);
  await server.logged("Booting worker");
  return server;
}

/** Ends one server after another under clients that connect on, until all of them have found it gone. */
async function lossOfEnds(
  event: PlannedEvent,
  requests: number,
  rounds: number,
  through: Through,
): Promise<Loss> {
  const loss = { name: event.name, rounds, requests: 0, failures: [] as string[] };
  for (let round = 0; round < rounds; round++) {
    await using server = await startServer(event, through);
    const load = new Load({
      ...(event.unix === true
        ? { port: 0, unix: join(server.folder, "socket") }
        : { port: server.port }),
      secure: event.secure ?? false,
      fresh: 20,
      kept: 2,
      posting: 2,
      expected: "ok",
      untilGone: true,
    });
    await load.more(Math.ceil(requests / rounds));
    const code = await server.stop();
    if (code !== 0) throw new Error(`${event.name}: exit code ${code}\n${server.log}`);
    const ended = await load.ended();
    loss.requests += ended.requests;
    loss.failures.push(...ended.failures);
  }
  return loss;
}

/** One event under load, until it has happened in all its rounds and `requests` are answered. */
export async function lossOf(
  event: PlannedEvent,
  requests: number,
  rounds = event.rounds,
  through: Through = [],
): Promise<Loss> {
  const { once } = event;
  if (once === null) return lossOfEnds(event, requests, rounds, through);
  await using server = await startServer(event, through);
  const { port } = server;
  const clients = { fresh: 6, kept: 6, posting: 4, expected: "ok" };
  const load = new Load({ port, secure: event.secure ?? false, ...clients });
  try {
    for (let round = 0; round < rounds; round++) {
      await load.more(Math.ceil(requests / (rounds + 1)));
      await once(server, round);
    }
    await load.more(Math.max(requests / (rounds + 1), requests - load.requests));
    const { requests: answered, failures } = await load.stop();
    process.kill(latestMaster(server), "SIGTERM");
    await until("the end of the last master", () => server.ended());
    return { name: event.name, rounds, requests: answered, failures };
  } catch (error) {
    const few = load.failures.slice(0, 5).join("\n");
    throw new Error(`${event.name}: ${(error as Error).message}\n${few}\n${server.log}`, {
      cause: error,
    });
  }
}

if (import.meta.main) {
  const requests = Number(process.argv[2] ?? 200_000);
  const only = process.argv[3] ?? "";
  const through = process.argv[4] === "nobody" ? asNobody : [];
  process.stdout.write("| event | times | requests | failed |\n| --- | --- | --- | --- |\n");
  let failed = 0;
  for (const event of plannedEvents.filter(({ name }) => name.includes(only))) {
    const loss = await lossOf(event, requests, event.rounds, through);
    failed += loss.failures.length;
    const { name, rounds, requests: answered, failures } = loss;
    process.stdout.write(`| ${name} | ${rounds} | ${answered} | ${failures.length} |\n`);
    for (const failure of new Set(failures)) process.stderr.write(`${failure}\n`);
  }
  process.exit(failed === 0 ? 0 : 1);
}
