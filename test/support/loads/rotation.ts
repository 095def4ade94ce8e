/**
 * The access log of many requests over three workers, while its file is renamed and USR1 sent again and again. Run by itself, it
 * prints what has come of it: `bun test/support/loads/rotation.ts [REQUESTS]`.
 */
import { createReadStream, existsSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseCombined } from "../access-lines.ts";
import { gunicorn, type RunningServer, until } from "../server.ts";

export interface Rotation {
  /** As wrk counts them. */
  readonly requests: number;
  readonly errors: number;
  readonly lines: number;
  /** Lines that aren't whole. */
  readonly torn: readonly string[];
  readonly files: number;
}

const threads = 2;
const connections = 64;
const workers = 3;

const app = `export const fetch = () => new Response("hello");\n`;

/** Answers when the last line is in a file. */
export async function rotate(requests: number, everyMs = 1000): Promise<Rotation> {
  await using server = await gunicorn({
    files: { "app.ts": app },
    args: ["-w", String(workers), "--access-logfile", "access.log"],
  });
  await until("all workers to serve", () => server.workers().length === workers);
  const before = await countOwnLine(server);
  let rotations = 0;
  const timer = setInterval(() => {
    const log = join(server.folder, "access.log");
    // A slow machine may not have opened the last one yet.
    if (!existsSync(log)) return;
    renameSync(log, `${log}.${(rotations += 1)}`);
    server.kill("SIGUSR1");
  }, everyMs);
  const { answered, errors } = await drive(server, requests);
  clearInterval(timer);
  // What waits is written at the end.
  await server.stop();
  const { lines, torn, files } = await read(server.folder);
  return { requests: answered, errors, lines: lines - before, torn, files };
}

/** How many lines the start of the server has led to. */
async function countOwnLine(server: RunningServer): Promise<number> {
  await until("the first line", async () => (await read(server.folder)).lines > 0);
  return (await read(server.folder)).lines;
}

async function drive(
  server: RunningServer,
  requests: number,
): Promise<{ answered: number; errors: number }> {
  const script = join(import.meta.dir, "rotation.lua");
  const args = [`-t${threads}`, `-c${connections}`, "-d1h", "--timeout", "60s", "-s", script];
  const wrk = Bun.spawn(["wrk", ...args, server.url], {
    env: { ...process.env, SHARE: String(Math.ceil(requests / threads)) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  for await (const chunk of wrk.stdout) {
    output += Buffer.from(chunk).toString();
    // It would wait for its hour.
    if (output.split("finished").length > threads) wrk.kill("SIGINT");
  }
  const found = /^\{.*\}$/m.exec(output);
  if (found === null) throw new Error(`wrk:\n${output}`);
  return JSON.parse(found[0]) as { answered: number; errors: number };
}

async function read(folder: string): Promise<Pick<Rotation, "lines" | "torn" | "files">> {
  const names = readdirSync(folder).filter((name) => name.startsWith("access.log"));
  const torn: string[] = [];
  let lines = 0;
  for (const name of names) {
    const input = createReadStream(join(folder, name));
    for await (const line of createInterface({ input })) {
      lines += 1;
      try {
        parseCombined(line);
      } catch {
        // Not of the format: that is what is looked for.
        torn.push(`${name}: ${line}`);
      }
    }
  }
  return { lines, torn, files: names.length };
}

if (import.meta.main) {
  const startedMs = performance.now();
  const { requests, errors, lines, torn, files } = await rotate(Number(process.argv[2] ?? 1e6));
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  process.stdout.write(
    `${requests} requests, ${errors} errors; ${lines} lines in ${files} files, ${torn.length} torn; ${seconds} s\n`,
  );
  for (const line of torn.slice(0, 10)) process.stderr.write(`${line}\n`);
  process.exit(lines === requests && errors === 0 && torn.length === 0 ? 0 : 1);
}
