/** Asks both servers for all rows, and tells what each of them said. */
import { join } from "node:path";
import type { AppName } from "./differences.ts";
import { kinds, observe, type RequestKind, type Seen } from "./observe.ts";
import type { SuiteRow } from "./rows.ts";
import { gunicorn, start } from "../server.ts";

export interface Pair {
  readonly ours: Seen;
  readonly theirs: Seen;
}

export type Answers = Readonly<Record<RequestKind, Pair>>;

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
  // A machine under load may leave a connection idle for longer than the default allows.
  return await askOurs(
    ["-k", "async", "--keep-alive", "30"],
    app,
    rows,
    async (ours, ...request) => {
      const said = [ours, theirs.port].map((port) => observe(port, ...request));
      const [mine = {}, other = {}] = await Promise.all(said);
      return { ours: mine, theirs: other };
    },
  );
}

/** Of ours with worker class sync. */
export function askSync(
  app: AppName,
  rows: readonly SuiteRow[],
): Promise<ReadonlyMap<string, Readonly<Record<RequestKind, Seen>>>> {
  return askOurs(["-k", "sync", "--threads", "8"], app, rows, observe);
}

async function askOurs<Said>(
  args: readonly string[],
  app: AppName,
  rows: readonly SuiteRow[],
  ask: (port: number, row: string, kind: RequestKind, lines: readonly string[]) => Promise<Said>,
): Promise<ReadonlyMap<string, Readonly<Record<RequestKind, Said>>>> {
  const path = join(import.meta.dir, "app.ts");
  await using server = await gunicorn({
    app: `app:${app}`,
    files: { "app.ts": `export * from ${JSON.stringify(path)};\n` },
    args,
  });
  const workers = await server.settled(1);
  const askAll = async ([row, , lines = []]: SuiteRow) => {
    const said: [RequestKind, Said][] = [];
    // One after another: some rows answer the first request otherwise than the second.
    for (const kind of kinds) said.push([kind, await ask(server.port, row, kind, lines)]);
    return [row, Object.fromEntries(said) as Record<RequestKind, Said>] as const;
  };
  const answers = new Map(await Promise.all(rows.map(askAll)));
  if (!Bun.deepEquals(server.workers(), workers)) {
    throw new Error(`a worker died:\n${server.log}`);
  }
  return answers;
}
