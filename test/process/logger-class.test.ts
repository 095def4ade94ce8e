import { expect, test } from "bun:test";
import { existsSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunicorn, start, until } from "../support/server.ts";

const library = join(import.meta.dir, "../../src/index.ts");

const app = `import { log } from ${JSON.stringify(library)};
export const fetch = (request) => {
  log.info("asked");
  if (request.url.endsWith("/exit")) process.exit(0);
  return new Response("ok");
};
`;

const quiet = `import { Logger } from ${JSON.stringify(library)};
export class Quiet extends Logger {
  access(request) { if (request.target !== "/health") super.access(request); }
  info(message, metric) { super.info(message.replace("asked", "ASKED"), metric); }
}
export class Broken extends Logger {
  access() { throw new Error("no access"); }
}
export class Late extends Logger {
  async access() { await null; throw new Error("no access"); }
}
export class Bad { constructor() { throw new Error("no logger today"); } }
export class Poor { info() {} }
export const value = 5;
`;

const own = `import { appendFileSync } from "node:fs";
export class Own {
  constructor(config) { this.file = config.chdir + "/own.log"; }
  write(kind, text) { appendFileSync(this.file, kind + " " + text + "\\n"); }
  debug() {}
  info(text) { this.write("info", text); }
  warning(text) { this.write("warning", text); }
  error(text) { this.write("error", text); }
  exception(text) { this.write("exception", text); }
  critical(text) { this.write("critical", text); }
  access(request) { this.write("access", request.method + " " + request.target + " " + request.status); }
  reopen() { this.write("reopen", process.pid); }
  close() { this.write("close", process.pid); }
}
`;

const files = { "app.ts": app, "quiet.ts": quiet, "own.ts": own };

/** A connection of its own, so that no idle one keeps a worker from leaving. */
function ask(url: string): Promise<Response> {
  return fetch(url, { keepalive: false });
}

test("a class that extends Logger leaves health checks out, and the rest is as ever", async () => {
  await using server = await gunicorn({
    files,
    args: ["--logger-class", "quiet:Quiet", "--access-logfile", "access"],
  });
  for (const path of ["/one", "/health", "/two"]) await (await ask(server.url + path)).text();
  await server.logged("[INFO] ASKED");
  renameSync(join(server.folder, "access"), join(server.folder, "access.1"));
  server.kill("SIGUSR1");
  await until("the new file", () => existsSync(join(server.folder, "access")));
  expect(await server.stop()).toBe(0);
  const lines = server.read("access.1") + server.read("access");
  expect(lines).toContain('"GET /one HTTP/1.1" 200 2');
  expect(lines).toContain('"GET /two HTTP/1.1" 200 2');
  expect(lines).not.toContain("/health");
});

test("a class of its own gets everything, and the server's own files aren't opened", async () => {
  await using server = start({
    files,
    args: ["--logger-class", "own:Own", "--access-logfile", "access", "--log-file", "log"],
  });
  const url = await until(
    "the address",
    () => /Listening at: (\S+)/.exec(server.read("own.log"))?.[1],
  );
  await until("an answer", async () => (await ask(`${url}/one`).catch(() => null))?.ok);
  server.process.kill("SIGUSR1");
  await until("both to reopen", () => server.read("own.log").match(/^reopen/gm)?.length === 2);
  expect(await server.stop()).toBe(0);
  const lines = server.read("own.log");
  expect(lines).toContain("access GET /one 200\n");
  expect(lines).toContain("info asked\n");
  expect(lines.match(/^close \d+$/gm)).toHaveLength(2);
  expect([
    existsSync(join(server.folder, "access")),
    existsSync(join(server.folder, "log")),
  ]).toEqual([false, false]);
});

test.each(["Broken", "Late"])(
  "what a logger throws is told, and requests are answered: %s",
  async (name) => {
    await using server = await gunicorn({ files, args: ["--logger-class", `quiet:${name}`] });
    expect(await (await ask(server.url)).text()).toBe("ok");
    await server.logged("[ERROR] Exception in logger_class\nError: no access");
    expect(await server.stop()).toBe(0);
    expect(server.log).not.toContain("asks to be replaced");
  },
);

const refusals: [reference: string, message: string][] = [
  ["quiet", "--logger-class: must be MODULE:CLASS, got 'quiet'"],
  ["none:None", "--logger-class: no module named 'none' in "],
  ["quiet:None", "--logger-class: 'quiet:None': no class None, quiet.ts exports "],
  ["quiet:value", "--logger-class: 'quiet:value': value must be a class, got 5"],
  ["wrong:Wrong", "--logger-class: 'wrong:Wrong': "],
  ["quiet:Bad", "--logger-class: 'quiet:Bad': Error: no logger today"],
  [
    "quiet:Poor",
    "--logger-class: 'quiet:Poor': has no debug, warning, error, exception, critical, access, reopen, close",
  ],
];

test.each(refusals)("%s is refused with one line", async (reference, message) => {
  const wrong = { "wrong.ts": "export class {" };
  for (const more of [[], ["--check-config"]]) {
    await using server = start({
      files: { ...files, ...wrong },
      args: ["--logger-class", reference, ...more],
    });
    expect(await server.process.exited).toBe(1);
    await until("its complaint", () => server.ended());
    expect(server.log).toStartWith(`Error: ${message}`);
    expect(server.log.match(/\n/g)).toHaveLength(1);
  }
});

test.each(["simple", "gunicorn.glogging.Logger"])("%s is the server's own", async (name) => {
  await using server = await gunicorn({ files, args: ["--logger-class", name] });
  expect(server.log).toMatch(/^\[.*\[INFO\] Starting/);
  expect(await server.stop()).toBe(0);
});

test("a reload takes the class anew", async () => {
  await using server = await gunicorn({
    files: { ...files, "gunicorn.conf.ts": `export const loggerClass = "quiet:Quiet";` },
  });
  writeFileSync(join(server.folder, "quiet.ts"), quiet.replace("ASKED", "ASKED AGAIN"));
  server.kill("SIGHUP");
  await until("the new class", async () => {
    await (await ask(server.url)).text();
    return server.log.includes("[INFO] ASKED AGAIN");
  });
  expect(await server.stop()).toBe(0);
});

test("lines that wait are written when an app ends the process", async () => {
  await using server = await gunicorn({ files, args: ["--access-logfile", "access"] });
  await (await ask(`${server.url}/last`)).text();
  await ask(`${server.url}/exit`).catch(() => null);
  await server.logged("Booting worker", await server.logged("Booting worker"));
  expect(server.read("access")).toContain('"GET /last HTTP/1.1" 200 2');
  expect(await server.stop()).toBe(0);
});
