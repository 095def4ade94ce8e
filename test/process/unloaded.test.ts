/** Workers that never get to the end of the app's import: nobody waits for them, so nothing waits until they leave. */
import { describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunicorn, type RunningServer, start, until } from "../support/server.ts";

/** Longer than any test may take. */
const graceful = ["--graceful-timeout", "600"];

const importing = `console.error("importing", process.pid);`;

const imports: Readonly<Record<string, string>> = {
  "a promise that never settles": `${importing} await new Promise((resolve) => setInterval(resolve, 2 ** 30));`,
  "a loop that never ends": `${importing} while (true) continue;`,
};

const fetchApp = (word: string) => `export const fetch = () => new Response("${word}");`;

function write(server: RunningServer, text: string): void {
  writeFileSync(join(server.folder, "app.ts"), text);
}

describe.each(Object.keys(imports))("an import that waits for %s", (name) => {
  const hangs = `${imports[name]} ${fetchApp("never")}`;

  test.each(["SIGTERM", "SIGINT", "SIGQUIT"] as const)(
    "%s ends the server at once",
    async (signal) => {
      await using server = start({ files: { "app.ts": hangs }, args: ["-w", "2", ...graceful] });
      await server.logged(/importing[^]*importing/);
      server.process.kill(signal);
      expect(await server.process.exited).toBe(0);
      await until("its children to end", () => server.ended());
      expect(server.log).not.toContain("graceful_timeout");
    },
    120_000,
  );

  test("HUP gives its place to the next worker on trial", async () => {
    await using server = await gunicorn({ files: { "app.ts": fetchApp("one") }, args: graceful });
    const [first] = await server.settled(1);
    write(server, hangs);
    server.kill("SIGHUP");
    await server.logged("importing");
    write(server, fetchApp("two"));
    server.kill("SIGHUP");
    await until("the new worker", async () => {
      const workers = server.workers();
      return workers.length === 1 && workers[0] !== first;
    });
    expect(await (await fetch(server.url)).text()).toBe("two");
    expect(await server.stop()).toBe(0);
  }, 120_000);

  test("TTOU takes it away", async () => {
    await using server = await gunicorn({ files: { "app.ts": fetchApp("one") }, args: graceful });
    const before = await server.settled(1);
    write(server, hangs);
    server.kill("SIGTTIN");
    await server.logged("importing");
    server.kill("SIGTTOU");
    await until("one worker", () => server.workers().length === 1);
    expect(server.workers()).toEqual(before);
    expect(await server.stop()).toBe(0);
  }, 120_000);
});

test("the app's own listener for TERM is called, and waited for a moment", async () => {
  const app = `import { writeFileSync } from "node:fs";
    process.on("SIGTERM", async () => { await Bun.sleep(1); writeFileSync("cleaned", ""); });
    ${imports["a promise that never settles"]}`;
  await using server = start({ files: { "app.ts": app }, args: graceful });
  await server.logged("importing");
  expect(await server.stop()).toBe(0);
  expect(existsSync(join(server.folder, "cleaned"))).toBe(true);
}, 120_000);
