/** The passphrase of an encrypted key: the master has it, and nobody else sees it. */
import { afterAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Certificates } from "../support/certificates.ts";
import { type RunningServer, start, until } from "../support/server.ts";
import { latestMaster } from "../support/upgrades.ts";

const certificates = new Certificates();
afterAll(() => certificates[Symbol.dispose]());

const passphrase = "correct horse";
const made = certificates.make();
const keyfile = certificates.encrypt(made, passphrase);
const args = ["--certfile", made.certfile, "--keyfile", keyfile];
const file = certificates.file("passphrase", `${passphrase}\n`);
const app = `
console.log("app sees", process.env.GUNICORN_KEYFILE_PASSWORD ?? "nothing");
export const fetch = () => new Response("hello");
`;

function begin(options: Given): RunningServer {
  return start({ files: { "app.ts": app }, ...options, args: [...args, ...(options.args ?? [])] });
}

/** What other processes of the account can read of it. */
function publicOf(pid: number): string {
  const parts = ["environ", "cmdline"].map((name) =>
    readFileSync(join("/proc", `${pid}`, name), "latin1"),
  );
  return parts.join("\n");
}

interface Given {
  readonly args?: string[];
  readonly env?: Record<string, string>;
}

const given: [where: string, options: Given][] = [
  ["in a file", { args: ["--keyfile-password-file", file] }],
  ["in the environment", { env: { GUNICORN_KEYFILE_PASSWORD: passphrase } }],
];

describe.each(given)("%s", (_, options) => {
  test("is read at the start, at a reload and by an upgrade, and stays in the master", async () => {
    await using server = begin(options);
    await server.logged("app sees nothing");
    await server.logged("Booting worker");
    const [first = 0] = await server.settled(1);
    expect(publicOf(first)).not.toContain(passphrase);
    const before = server.log.length;
    server.kill("SIGHUP");
    await server.logged("app sees nothing", before);
    await until("the first worker's end", () => !server.workers().includes(first));
    const upgraded = server.log.length;
    server.kill("SIGUSR2");
    await server.logged("app sees nothing", upgraded);
    process.kill(latestMaster(server), "SIGTERM");
    await server.logged("Shutting down: Master.2", upgraded);
    expect(await server.stop()).toBe(0);
    expect(server.log).not.toContain(passphrase);
    expect(server.log).not.toContain("app sees correct");
  }, 180_000);

  test.each(["--check-config", "--print-config"])(
    "%s doesn't show it",
    async (flag) => {
      await using server = begin({ ...options, args: [...(options.args ?? []), flag] });
      expect(await server.process.exited).toBe(0);
      await until("the end of its output", () => server.ended());
      expect(server.log).toContain("app sees nothing");
      expect(server.log).not.toContain(passphrase);
      expect(server.log).not.toContain("PRIVATE KEY");
    },
    180_000,
  );
});
