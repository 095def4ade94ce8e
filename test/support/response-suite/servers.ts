/** Asks both servers for all rows, and tells what each of them said. */
import { join } from "node:path";
import type { ServerAddress } from "../../../bench/byte-client.ts";
import type { AppName } from "./differences.ts";
import { kinds, observe, type RequestKind, type Seen } from "./observe.ts";
import type { SuiteRow } from "./rows.ts";
import { gunicorn, type ServerOptions, start } from "../server.ts";

export interface Pair {
  readonly ours: Seen;
  readonly theirs: Seen;
}

export type Answers = Readonly<Record<RequestKind, Pair>>;

/** A machine under load may leave a connection idle for longer than the default allows. */
const async = ["-k", "async", "--keep-alive", "30"];

/** Of both servers. */
export async function askBoth(
  app: AppName,
  rows: readonly SuiteRow[],
): Promise<ReadonlyMap<string, Answers>> {
  await using theirs = start({
    app,
    bind: [],
    program: join(import.meta.dir, "bun-serve.ts"),
    runtimeArgs: ["--no-orphans"],
  });
  await theirs.logged(/Listening at: \S+\n/);
  return await askOurs({ args: async }, app, rows, async (ours, ...request) => {
    const said = [ours, theirs].map((to) => observe(to, ...request));
    const [mine = {}, other = {}] = await Promise.all(said);
    return { ours: mine, theirs: other };
  });
}

/** Of ours over TLS. */
export function askSecurely(
  app: AppName,
  rows: readonly SuiteRow[],
): Promise<ReadonlyMap<string, Readonly<Record<RequestKind, Seen>>>> {
  return askOurs({ args: async, secure: true }, app, rows, observe);
}

/** Of ours with worker class sync. */
export function askSync(
  app: AppName,
  rows: readonly SuiteRow[],
): Promise<ReadonlyMap<string, Readonly<Record<RequestKind, Seen>>>> {
  return askOurs({ args: ["-k", "sync", "--threads", "8"] }, app, rows, observe);
}

async function askOurs<Said>(
  options: Pick<ServerOptions, "args" | "secure">,
  app: AppName,
  rows: readonly SuiteRow[],
  ask: (
    to: ServerAddress,
    row: string,
    kind: RequestKind,
    lines: readonly string[],
  ) => Promise<Said>,
): Promise<ReadonlyMap<string, Readonly<Record<RequestKind, Said>>>> {
  const path = join(import.meta.dir, "app.ts");
  await using server = await gunicorn({
    app: `app:${app}`,
    files: { "app.ts": `export * from ${JSON.stringify(path)};\n` },
    ...options,
  });
  const workers = await server.settled(1);
  const askAll = async ([row, , lines = []]: SuiteRow) => {
    const said: [RequestKind, Said][] = [];
    // One after another: some rows answer the first request otherwise than the second.
    for (const kind of kinds) said.push([kind, await ask(server, row, kind, lines)]);
    return [row, Object.fromEntries(said) as Record<RequestKind, Said>] as const;
  };
  const answers = new Map(await Promise.all(rows.map(askAll)));
  if (!Bun.deepEquals(server.workers(), workers)) {
    throw new Error(`a worker died:\n${server.log}`);
  }
  return answers;
}
