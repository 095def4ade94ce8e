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

export async function askBoth(
  app: AppName,
  rows: readonly SuiteRow[],
): Promise<ReadonlyMap<string, Answers>> {
  const path = join(import.meta.dir, "app.ts");
  await using ours = await gunicorn({
    app: `app:${app}`,
    files: { "app.ts": `export * from ${JSON.stringify(path)};\n` },
    // A machine under load may leave a connection idle for longer than the default allows.
    args: ["-k", "async", "--keep-alive", "30"],
  });
  await using theirs = start({
    app,
    bind: [],
    program: join(import.meta.dir, "bun-serve.ts"),
    runtimeArgs: ["--no-orphans"],
  });
  await theirs.logged(/Listening at: \S+\n/);
  const workers = await ours.settled(1);
  const ask = async ([row, , lines = []]: SuiteRow): Promise<[string, Answers]> => {
    const pairs: [RequestKind, Pair][] = [];
    // One after another: some rows answer the first request otherwise than the second.
    for (const kind of kinds) {
      const said = [ours, theirs].map(({ port }) => observe(port, row, kind, lines));
      const [mine = {}, other = {}] = await Promise.all(said);
      pairs.push([kind, { ours: mine, theirs: other }]);
    }
    return [row, Object.fromEntries(pairs) as Answers];
  };
  const answers = new Map(await Promise.all(rows.map(ask)));
  if (!Bun.deepEquals(ours.workers(), workers)) throw new Error(`a worker died:\n${ours.log}`);
  return answers;
}
