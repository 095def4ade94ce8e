/** Clients that a server must survive, the well-behaved ones that are served meanwhile, and the figures of both. */
import { expect } from "bun:test";
import { join } from "node:path";
import { ByteClient, type Ending } from "../../bench/byte-client.ts";
import { Load } from "./loads/load.ts";
import { anonymousBytes, megabyte, settledGrowth, Watch } from "./memory.ts";
import { machineMs } from "./machine-time.ts";
import { gunicorn, type RunningServer, type ServerOptions, until } from "./server.ts";

const app = join(import.meta.dir, "../fixtures/calm/app.ts");

/** What resident memory may grow by. */
const growthBytes = 32 * megabyte;

/** Good requests alone, before the abuse: the memory that they take at most is what the abuse is measured against. */
const warmUpRequests = 5000;

const keptBytes = 4096;

const statusLine = "HTTP/1.1 ";

/** What a client sends that never stops, piece by piece. */
export type Pour = () => Uint8Array;

/** A server with one worker, whose app is test/fixtures/calm/app.ts. */
export function calmServer(...args: readonly string[]): Promise<RunningServer> {
  return serveCalmly({ args });
}

/** The same over TLS. */
export function calmTlsServer(...args: readonly string[]): Promise<RunningServer> {
  return serveCalmly({ args, secure: true });
}

async function serveCalmly(options: ServerOptions): Promise<RunningServer> {
  const server = await gunicorn({ files: { "app.ts": await Bun.file(app).text() }, ...options });
  await server.settled(1);
  return server;
}

/** One abusive connection. It keeps the start of what it receives, and when and how it ended. */
export class Abuser {
  readonly openedAt = performance.now();
  readonly #openedMachineMs = machineMs();
  received = "";
  /** For how long the server bore it; null while it does. */
  cutMs: number | null = null;
  /** The same without the stalls of a loaded machine. */
  cutMachineMs = 0;
  /** How many answers have come so far, as long as none has a status line in its body. */
  answers = 0;
  /** Sends what it answers with as fast as the server takes it, until the server ends the connection. */
  readonly #pour: Pour | null;
  #client: ByteClient | null = null;
  /** The end of what has come: a status line may be cut. */
  #tail = "";

  private constructor(pour: Pour | null) {
    this.#pour = pour;
  }

  static async connect(port: number, pour: Pour | null = null): Promise<Abuser> {
    const abuser = new Abuser(pour);
    abuser.#client = await ByteClient.connect(
      { port },
      {
        data: (_client, bytes) => abuser.#receive(bytes),
        drained: () => abuser.#goOn(),
        ended: (client) => {
          abuser.#cut();
          client.close();
        },
      },
    );
    abuser.#goOn();
    return abuser;
  }

  get ending(): Ending | null {
    return this.#client?.ending ?? null;
  }

  get sentBytes(): number {
    return this.#client?.sentBytes ?? 0;
  }

  /** The first status; null if there is none. */
  get status(): number | null {
    const found = /^HTTP\/1\.1 (\d{3}) /.exec(this.received);
    return found === null ? null : Number(found[1]);
  }

  send(data: string | Uint8Array): void {
    this.#client?.send(data);
  }

  pause(): void {
    this.#client?.pause();
  }

  halfClose(): void {
    this.#client?.halfClose();
  }

  reset(): void {
    this.#client?.reset();
  }

  close(): void {
    this.#client?.close();
  }

  #goOn(): void {
    while (this.#pour !== null && this.cutMs === null && this.#client?.unsentBytes === 0) {
      this.send(this.#pour());
    }
  }

  #receive(bytes: Buffer): void {
    const text = this.#tail + bytes.toString("latin1");
    this.answers += text.split(statusLine).length - 1;
    this.#tail = text.slice(1 - statusLine.length);
    if (this.received.length < keptBytes) {
      this.received += bytes.toString("latin1", 0, keptBytes - this.received.length);
    }
  }

  #cut(): void {
    this.cutMs = performance.now() - this.openedAt;
    this.cutMachineMs = machineMs() - this.#openedMachineMs;
  }
}

/** So many connections at once, opened some at a time. */
export async function crowd(
  port: number,
  count: number,
  begin: (abuser: Abuser, number: number) => void = () => {},
): Promise<Abuser[]> {
  const abusers: Abuser[] = [];
  await inTurns(count, async (number) => {
    const abuser = await Abuser.connect(port);
    begin(abuser, number);
    abusers.push(abuser);
  });
  return abusers;
}

/** Runs a task so many times, 50 at a time. */
export async function inTurns(
  count: number,
  task: (number: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const runner = async () => {
    for (let number = next++; number < count; number = next++) await task(number);
  };
  await Promise.all(Array.from({ length: Math.min(50, count) }, runner));
}

/** Waits until the server has ended all of them. */
export async function allCut(abusers: readonly Abuser[]): Promise<void> {
  await until("the server to end every abusive connection", () => {
    return abusers.every(({ cutMs }) => cutMs !== null);
  });
}

/** How often each answer came: `408`, or how the connection ended without one. */
export function outcomes(abusers: readonly Abuser[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, ending } of abusers) {
    const outcome = String(status ?? ending ?? "open");
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

/** How often a text stands in the server's log. */
export function logCount(server: RunningServer, text: string): number {
  return server.log.split(text).length - 1;
}

export interface AppState {
  readonly openStreams: number;
  readonly waiting: number;
  /** The one that asks included. */
  readonly pendingRequests: number;
}

export async function appState(server: RunningServer): Promise<AppState> {
  const response = await server.fetch("/state");
  return (await response.json()) as AppState;
}

export interface Figures {
  readonly abuse: string;
  readonly seconds: number;
  readonly served: number;
  readonly before: number;
  readonly highest: number;
  readonly after: number;
  readonly firstCutMs: number | null;
  readonly lastCutMs: number | null;
}

/** The figures of a file's tests, printed as one table. */
export class FigureTable {
  readonly #rows: Figures[] = [];

  add(figures: Figures): void {
    this.#rows.push(figures);
  }

  async print(title: string): Promise<void> {
    const head = ["served", "seconds", "MB before", "highest", "after", "cut after s"];
    const lines = this.#rows.map(({ abuse, served, seconds, firstCutMs, lastCutMs, ...memory }) => {
      const { before, highest, after } = memory;
      const sizes = [before, highest, after].map((size) => (size / megabyte).toFixed(1));
      const cut =
        lastCutMs === null
          ? "-"
          : `${((firstCutMs ?? 0) / 1000).toFixed(2)}-${(lastCutMs / 1000).toFixed(2)}`;
      return [String(served), seconds.toFixed(1), ...sizes, cut, abuse];
    });
    const text = [head, ...lines].map(([served = "", ...rest]) => {
      const cells = [served, ...rest.slice(0, 5)].map((cell) => cell.padStart(11));
      return `${cells.join(" ")}  ${rest[5] ?? title}`;
    });
    await Bun.write(Bun.stdout, `\n${text.join("\n")}\n`);
  }
}

export interface Trial {
  readonly server: RunningServer;
  readonly abuse: string;
  readonly table: FigureTable;
  /** Good requests that must be answered meanwhile: few, for how many it can be says the machine. */
  readonly served: number;
  /** How much memory may grow while it lasts; the growth at the end has one bound for all. */
  readonly highestMb?: number;
  /** What the app itself has made is collected before the last measurement: by itself that may take a minute. */
  readonly collect?: boolean;
}

/** Runs an abuse while four well-behaved clients are served, and holds the server to the bounds that all abuses have. */
export async function endure(
  { server, abuse, table, served, highestMb = 48, collect = false }: Trial,
  run: (served: () => number) => Promise<readonly Abuser[]>,
): Promise<void> {
  const [pid = 0] = server.workers();
  const { port, secure } = server;
  const load = new Load({ port, secure, fresh: 2, kept: 2, expected: "ok" });
  using alone = new Watch(() => anonymousBytes(pid));
  await load.more(warmUpRequests);
  const before = alone.highest;
  using memory = new Watch(() => anonymousBytes(pid));
  const start = performance.now();
  const servedBefore = load.requests;
  const abusers = await run(() => load.requests - servedBefore);
  const servedMeanwhile = load.requests - servedBefore;
  const seconds = (performance.now() - start) / 1000;
  memory.look();
  // A worker that has nothing to do collects no garbage for a while.
  if (collect) await server.fetch("/collect");
  const growth = await settledGrowth(pid, before, growthBytes);
  const result = await load.stop();
  expect(result.failures).toEqual([]);
  expect(servedMeanwhile).toBeGreaterThanOrEqual(served);
  const cuts = abusers.flatMap(({ cutMs }) => (cutMs === null ? [] : [cutMs]));
  table.add({
    abuse,
    seconds,
    served: servedMeanwhile,
    before,
    highest: memory.highest,
    after: before + growth,
    firstCutMs: cuts.length === 0 ? null : Math.min(...cuts),
    lastCutMs: cuts.length === 0 ? null : Math.max(...cuts),
  });
  expect(memory.highest - before).toBeLessThan(highestMb * megabyte);
  expect(server.workers()).toEqual([pid]);
  // Nothing of the abuse is left in the app.
  await until("every request to be over", async () => {
    const { openStreams, pendingRequests } = await appState(server);
    return openStreams === 0 && pendingRequests === 1;
  });
}
