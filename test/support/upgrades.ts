/** USR2 and what follows it, each step awaited by what it brings about. */
import { isAlive } from "../../bench/kill.ts";
import { childrenOf, type RunningServer, until } from "./server.ts";

const started = /\[(\d+)\] \[INFO\] Starting gunicorn-ts/g;

/** The pid of the master that was started last and still lives. */
export function latestMaster(server: RunningServer): number {
  const pids = [...server.log.matchAll(started)].map(([, pid]) => Number(pid));
  const found = pids.findLast(isAlive);
  if (found === undefined) throw new Error(`no master lives:\n${server.log}`);
  return found;
}

/** Until every one of these workers has answered. */
async function allAnswer(
  server: RunningServer,
  workers: () => number[],
  count: number,
): Promise<void> {
  const seen = new Set<number>();
  await until(`answers of ${count} workers`, async () => {
    const response = await server.fetch();
    await response.text();
    seen.add(Number(response.headers.get("x-pid")));
    const wanted = workers();
    return wanted.length === count && wanted.every((pid) => seen.has(pid));
  });
}

export async function startNew(
  server: RunningServer,
  workers: number,
): Promise<[old: number, next: number]> {
  const old = latestMaster(server);
  process.kill(old, "SIGUSR2");
  const next = await until("a new master", () => {
    const latest = latestMaster(server);
    return latest === old ? null : latest;
  });
  await allAnswer(server, () => childrenOf(next), workers);
  return [old, next];
}

async function rest(old: number, next: number): Promise<void> {
  process.kill(old, "SIGWINCH");
  await until("the old workers gone", () => childrenOf(old).every((pid) => pid === next));
}

export async function upgrade(server: RunningServer): Promise<void> {
  const from = server.log.length;
  const [old, next] = await startNew(server, 3);
  await rest(old, next);
  process.kill(old, "SIGQUIT");
  await server.logged("Master has been promoted.", from);
}

export async function rollBack(server: RunningServer): Promise<void> {
  const [old, next] = await startNew(server, 3);
  await rest(old, next);
  process.kill(old, "SIGHUP");
  const own = () => childrenOf(old).filter((pid) => pid !== next);
  await until("the old master's workers back", () => own().length === 3);
  await allAnswer(server, own, 3);
  const from = server.log.length;
  process.kill(next, "SIGTERM");
  await server.logged(`New master (pid:${next}) exited with code 0`, from);
}

/** The other master has fewer slots than the one that leaves. */
async function grow(pid: number, from: number): Promise<void> {
  const others = (process: number) => process !== pid;
  const before = childrenOf(pid).filter(others).length;
  process.kill(pid, "SIGTTIN");
  await until("one worker more", () => childrenOf(pid).filter(others).length === before + 1);
  if (from > 1) await grow(pid, from - 1);
}

export async function rollBackAfterGrowth(server: RunningServer): Promise<void> {
  const [, next] = await startNew(server, 3);
  await grow(next, 2);
  const from = server.log.length;
  process.kill(next, "SIGTERM");
  await server.logged(`New master (pid:${next}) exited with code 0`, from);
}

export async function upgradeAfterGrowth(server: RunningServer): Promise<void> {
  const from = server.log.length;
  const [old] = await startNew(server, 3);
  await grow(old, 1);
  process.kill(old, "SIGTERM");
  await server.logged("Master has been promoted.", from);
}
