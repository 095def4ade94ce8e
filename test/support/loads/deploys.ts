/**
 * A new version under load, ten times: ours by HUP, and by processes of a bare Bun.serve. `bun run deploys [REQUESTS]`
 * prints how many requests each has lost.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../../bench/free-port.ts";
import { Load, type LoadResult } from "./load.ts";
import { allReplaced, gunicorn, until } from "../server.ts";

const rounds = 10;
const workers = 2;

/** Half of the clients open a connection for each request. */
const clients = { fresh: 4, kept: 4, expected: "ok" };

const serves = `Bun.serve({ port: Number(process.env.PORT), hostname: "127.0.0.1", reusePort: true, fetch: () => new Response("ok") })`;

/** One line that says who serves: `up` when it does. */
const bareApp = `${serves};
console.log("up");
`;

/** What a careful author adds: stop accepting, finish what is under way, leave. */
const carefulApp = `const server = ${serves};
process.on("SIGTERM", async () => {
  await server.stop();
  process.exit(0);
});
console.log("up");
`;

interface Deployment {
  readonly name: string;
  /** Serves, deploys under the load, and stops. */
  run(folder: string, perRound: number): Promise<LoadResult>;
}

async function underLoad(
  port: number,
  perRound: number,
  deploy: () => Promise<void>,
): Promise<LoadResult> {
  const load = new Load({ port, ...clients });
  for (let round = 0; round < rounds; round++) {
    const goal = load.requests + perRound;
    // Others lose more than Load.more() would put up with.
    await until("more answers", () => load.requests >= goal, 600_000);
    await deploy();
  }
  return load.stop();
}

const ours: Deployment = {
  name: `this server, ${workers} workers, HUP`,
  async run(_folder, perRound) {
    const files = { "app.ts": `export const fetch = () => new Response("ok");\n` };
    await using server = await gunicorn({ files, args: ["-w", String(workers)] });
    const result = await underLoad(server.port, perRound, async () => {
      const before = server.workers();
      server.kill("SIGHUP");
      await allReplaced(() => server.workers(), before);
    });
    await server.stop();
    return result;
  },
};

/** Starts as many new processes on the same port, waits until they serve, and ends the old ones. */
function reusePort(name: string, app: string): Deployment {
  return {
    name: `Bun.serve x ${workers}, reusePort, ${name}`,
    async run(folder, perRound) {
      const file = join(folder, "app.ts");
      writeFileSync(file, app);
      const port = freePort();
      const start = () =>
        Promise.all(
          Array.from({ length: workers }, async () => {
            const child = Bun.spawn([process.execPath, file], {
              env: { ...process.env, PORT: String(port) },
              stdio: ["ignore", "pipe", "inherit"],
            });
            for await (const chunk of child.stdout) if (chunk.length > 0) break;
            return child;
          }),
        );
      let running = await start();
      try {
        return await underLoad(port, perRound, async () => {
          const old = running;
          running = await start();
          for (const child of old) child.kill("SIGTERM");
          await Promise.all(old.map((child) => child.exited));
        });
      } finally {
        for (const child of running) child.kill("SIGKILL");
      }
    },
  };
}

const deployments: readonly Deployment[] = [
  ours,
  reusePort("old ones end by TERM", bareApp),
  reusePort("old ones end by server.stop()", carefulApp),
];

const perRound = Math.ceil(Number(process.argv[2] ?? 100_000) / rounds);
process.stdout.write("| how | deployments | requests | failed | of 100,000 |\n");
process.stdout.write("| --- | --- | --- | --- | --- |\n");
for (const { name, run } of deployments) {
  const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-deploys-"));
  try {
    const { requests, failures } = await run(folder, perRound);
    const share = ((failures.length / (requests + failures.length)) * 100_000).toFixed(1);
    process.stdout.write(`| ${name} | ${rounds} | ${requests} | ${failures.length} | ${share} |\n`);
    const why = new Map<string, number>();
    for (const failure of failures) why.set(failure, (why.get(failure) ?? 0) + 1);
    for (const [failure, count] of [...why].slice(0, 5))
      process.stderr.write(`  ${count} x ${failure}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
