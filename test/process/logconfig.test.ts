import { expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loggingConf } from "../support/logging-conf.ts";
import { gunicorn, start, until } from "../support/server.ts";

const app = `export const fetch = (request) => {
  if (request.url.endsWith("/boom")) throw new Error("boom");
  return new Response("ok");
};
`;

/** A connection of its own, so that no idle one keeps a worker from leaving. */
function ask(url: string): Promise<Response> {
  return fetch(url, { keepalive: false });
}

/** Gunicorn's example, but for syslog and rotation, in the server's folder. */
const ini = loggingConf
  .replaceAll(", log\n", "\n")
  .replace(/\[handler_log\][^[]*/, "")
  .replace("logging.handlers.RotatingFileHandler", "logging.FileHandler")
  .replace("'a', 1000, 2", "'a'")
  .replaceAll("/tmp/gunicorn.", "")
  .replace("sys.stdout", "sys.stderr");

test("a logging.conf says where both logs go, and workers go by what the master has read", async () => {
  await using server = await gunicorn({
    files: { "app.ts": app, "logging.conf": ini },
    args: ["--log-config", "logging.conf"],
  });
  expect(server.log).toMatch(/^\S+ \S+ \[\d+\] \[INFO\] Starting/);
  // A worker that starts later doesn't read the file again.
  writeFileSync(join(server.folder, "logging.conf"), "nonsense");
  server.kill("SIGTTIN");
  await until("a second worker", () => server.read("error.log").split("Booting").length === 3);
  for (const path of ["/one", "/boom"]) await (await ask(`${server.url}${path}`)).text();
  await until("both requests", () =>
    /\/one [^]*\/boom |\/boom [^]*\/one /.test(server.read("access.log")),
  );
  expect(server.read("access.log")).toMatch(/^\S+ - - \[[^\]]+\] "GET \/boom HTTP\/1.1" 500 /m);
  expect(await server.stop()).toBe(0);
  const errors = server.read("error.log");
  expect(errors).toMatch(
    /^\S+ \S+ \[\d+\] \[ERROR\] Error handling request GET \/boom\nError: boom\n/m,
  );
  expect(errors).toEndWith("[INFO] Shutting down: Master\n");
});

test("logconfig_dict wins over the files, of which none is read then", async () => {
  const config = `export const logconfigDict = {
    version: 1,
    handlers: { all: { class: "logging.handlers.RotatingFileHandler", filename: "all.log", maxBytes: 4000, backupCount: 50 } },
    loggers: { error: { handlers: ["all"], level: "WARNING" }, access: { handlers: ["all"] } },
  };`;
  await using server = start({
    files: { "app.ts": app, "gunicorn.conf.ts": config },
    args: ["--log-config", "nowhere", "--log-config-json", "nowhere.json"],
    bind: ["unix:socket"],
  });
  const unix = join(server.folder, "socket");
  const askUnix = (path: string) => fetch(`http://localhost${path}`, { unix, keepalive: false });
  await until("an answer", async () => (await askUnix("/").catch(() => null))?.ok);
  for (let count = 0; count < 200; count++) await (await askUnix(`/${count}`)).text();
  expect(await server.stop()).toBe(0);
  expect(server.log).toBe("");
  const files = readdirSync(server.folder).filter((name) => name.startsWith("all.log"));
  const lines = files.flatMap((name) => server.read(name).split("\n").filter(Boolean));
  expect(lines.filter((line) => / "GET \/\d+ HTTP\/1.1" 200 2 /.test(line))).toHaveLength(200);
  expect(files.length).toBeGreaterThan(1);
});

const refusals: [claim: string, args: string[], message: string][] = [
  [
    "a missing logconfig",
    ["--log-config", "none.conf"],
    "--log-config: log config 'none.conf' not found",
  ],
  [
    "a missing logconfig_json",
    ["--log-config-json", "none.json"],
    "--log-config-json: log config 'none.json' not found",
  ],
  [
    "a class that isn't known",
    ["--log-config-json", "mail.json"],
    "--log-config-json: mail.json: handlers.mail: class logging.handlers.SMTPHandler isn't supported; use one of ",
  ],
  [
    "a file that is no JSON",
    ["--log-config", "broken.json"],
    "--log-config: broken.json: JSON Parse error",
  ],
  [
    "a file that is no ini",
    ["--log-config", "app.ts"],
    "--log-config: app.ts: line 1: stands before",
  ],
  [
    "an access log format that isn't one",
    ["--access-logformat", "%(h)s %(what)s"],
    "--access-logformat: unknown atom %(what)s at position 7",
  ],
  ["an access log that can't be written", ["--access-logfile", "none/log"], "--access-logfile: '"],
];

const files = {
  "app.ts": app,
  "mail.json": `{"version": 1, "handlers": {"mail": {"class": "logging.handlers.SMTPHandler"}}}`,
  "broken.json": "{",
};

test.each(refusals)(
  "%s ends the start and --check-config with one line",
  async (_claim, args, message) => {
    for (const more of [[], ["--check-config"]]) {
      await using server = start({ files, args: [...args, ...more] });
      expect(await server.process.exited).toBe(1);
      await until("its complaint", () => server.ended());
      expect(server.log).toStartWith(`Error: ${message}`);
      expect(server.log.match(/\n/g)).toHaveLength(1);
    }
  },
  120_000,
);

const broken: [claim: string, config: string, message: string][] = [
  [
    "logconfig_dict",
    `export const logconfigDict = { version: 3 };`,
    "gunicorn.conf.ts: logconfigDict: version: must be 1",
  ],
  ["access log", `export const accesslog = "none/log";`, "gunicorn.conf.ts: accesslog: '"],
  [
    "access log format",
    `export const accessLogFormat = "%(h)";`,
    "gunicorn.conf.ts: accessLogFormat: no conversion behind %(h) at position 5",
  ],
  [
    "logger class",
    `export const loggerClass = "none:None";`,
    "gunicorn.conf.ts: loggerClass: no module named 'none'",
  ],
];

test.each(broken)("HUP with a broken %s changes nothing", async (_claim, config, message) => {
  const capture = `export const errorlog = "log"; export const captureOutput = true;\n`;
  await using server = await gunicorn({
    files: { "app.ts": app, "gunicorn.conf.ts": "export default {};" },
  });
  const workers = server.workers();
  writeFileSync(join(server.folder, "gunicorn.conf.ts"), capture + config);
  server.kill("SIGHUP");
  // On standard error still: capture_output belongs to the configuration that is refused.
  await server.logged(message);
  expect(await (await ask(server.url)).text()).toBe("ok");
  await until("the old worker alone", () => Bun.deepEquals(server.workers(), workers));
  expect(await server.stop()).toBe(0);
  expect(server.log).toContain("Shutting down: Master");
});
