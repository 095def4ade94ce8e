/**
 * Every planned event, and the loss of an idle worker, under 16 closed-loop clients. Run by itself, it prints what `-k
 * serve` loses.
 */
import { Load, type LoadResult } from "./load.ts";
import { gunicorn, type RunningServer, until } from "../server.ts";

export const okApp = `export const fetch = () => new Response("ok");`;

/** A reload that is through: no worker of before is left. */
async function reload(server: RunningServer): Promise<void> {
  const before = server.workers();
  server.kill("SIGHUP");
  await until("all workers replaced", () => {
    const now = server.workers();
    return now.length === 3 && now.every((pid) => !before.includes(pid));
  });
}

async function scale(server: RunningServer, signal: NodeJS.Signals, count: number): Promise<void> {
  const from = server.log.length;
  server.kill(signal);
  await server.logged(`Handling signal: ${signal === "SIGTTIN" ? "ttin" : "ttou"}`, from);
  // max_requests recycles all the while, so that a slot may have a second worker for a moment.
  await until(`${count} workers`, () => server.workers().length === count);
}

/** An idle worker: all clients stand still and have closed their connections. */
async function killIdle(server: RunningServer, clients: Load): Promise<void> {
  await clients.pause();
  const [victim] = server.workers();
  process.kill(victim as number, "SIGKILL");
  clients.resume();
  await server.logged(`Worker (pid:${victim}) was sent SIGKILL!`);
}

/** The server has three workers and answers "ok". The load goes on until the condition holds. */
export async function eventfulLoad(
  server: RunningServer,
  [what, enough]: readonly [what: string, () => boolean] = ["nothing", () => true],
): Promise<LoadResult> {
  const clients = new Load({ port: server.port, fresh: 8, kept: 8, expected: "ok" });
  for (let count = 0; count < 10; count++) {
    await clients.more(500);
    await reload(server);
  }
  for (const count of [4, 5, 6]) {
    await scale(server, "SIGTTIN", count);
    await clients.more(500);
  }
  for (const count of [5, 4, 3]) {
    await scale(server, "SIGTTOU", count);
    await clients.more(500);
  }
  await killIdle(server, clients);
  await clients.more(2000);
  await until(what, enough, 60_000);
  return clients.stop();
}

export interface ServeLoss extends LoadResult {
  /** Workers that have drained. */
  readonly drained: number;
}

/** Workers of -k serve open their sockets themselves. */
export async function serveLoss(): Promise<ServeLoss> {
  await using server = await gunicorn({
    files: { "app.ts": okApp },
    args: ["-w", "3", "-k", "serve"],
  });
  const result = await eventfulLoad(server);
  const drained = server.log.match(/Worker exiting/g)?.length ?? 0;
  const code = await server.stop();
  if (code !== 0) throw new Error(`exit code ${code}\n${server.log}`);
  return { ...result, drained };
}

if (import.meta.main) {
  await Bun.write(Bun.stdout, JSON.stringify(await serveLoss()));
  process.exit(0);
}
