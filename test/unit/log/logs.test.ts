import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveConfig } from "../../../src/config/sources/resolve.ts";
import type { Config } from "../../../src/config/types.ts";
import { openLogs } from "../../../src/log/logs.ts";
import { record } from "../../support/access-lines.ts";
import { until } from "../../support/server.ts";
import { testUnless } from "../../support/wire.ts";

const folder = mkdtempSync(join(tmpdir(), "open-logs-"));

afterAll(() => rmSync(folder, { recursive: true }));

async function configOf(values: object, ...argv: readonly string[]): Promise<Config> {
  const facts = { generation: 1, platform: "linux", cpuCount: () => 1 } as const;
  const { config } = await resolveConfig({ argv, env: {}, cwd: folder, ...facts });
  return { ...config, ...values };
}

/** A socket that gathers the datagrams it gets. */
async function receiver() {
  const packets: string[] = [];
  const socket = await Bun.udpSocket({
    hostname: "127.0.0.1",
    socket: { data: (_socket, data) => void packets.push(data.toString()) },
  });
  return { port: socket.port, packets, [Symbol.dispose]: () => socket.close() };
}

const openFiles = () => readdirSync("/proc/self/fd");

const failures: [claim: string, argv: string[]][] = [
  ["an access log that can't be opened", ["--access-logfile", "none/log"]],
  [
    "statsD beside an access log that can't be opened",
    ["--statsd-host", "localhost:9", "--access-logfile", "none/log"],
  ],
  ["an access log format that is wrong", ["--access-logfile", "log", "--access-logformat", "%"]],
];

testUnless(process.platform !== "linux").each(failures)(
  "%s leaves nothing open and redirects nothing",
  async (_claim, argv) => {
    const listeners = process.listenerCount("exit");
    const config = await configOf({}, "--log-file", "log", "--capture-output", ...argv);
    const attempt = () =>
      openLogs(config, null).then(
        () => null,
        (error: Error) => error.name,
      );
    // The first attempt opens libraries.
    await attempt();
    const before = new Set(openFiles());
    expect(await attempt()).toBe("ConfigError");
    // What other tests have left to the garbage collector may be closed meanwhile.
    const opened = openFiles().filter((fd) => !before.has(fd));
    expect([opened, process.listenerCount("exit")]).toEqual([[], listeners]);
  },
);

test("a SysLogHandler with a formatter sends what that makes", async () => {
  using udp = await receiver();
  const logconfigDict = {
    formatters: { f: { format: "shop: %(levelname)s %(message)s" } },
    handlers: {
      bare: {
        class: "SysLogHandler",
        address: ["127.0.0.1", udp.port],
        facility: "local0",
        formatter: "f",
      },
    },
    loggers: { error: { handlers: ["bare"] } },
  };
  const logs = await openLogs(await configOf({ logconfigDict }), null);
  logs.log.warning("hello");
  await until("a packet", () => udp.packets.length > 0);
  expect(udp.packets).toEqual(["<132>shop: WARNING hello\0"]);
  logs.close();
});

test("a syslog host that can't be looked up is told once for both logs", async () => {
  const args = ["--log-syslog", "--log-syslog-to", "udp://no-such-host.invalid"];
  const config = await configOf({}, ...args, "--log-file", "lookup.log");
  const logs = await openLogs(config, null);
  const told = () =>
    readFileSync(join(folder, "lookup.log"), "utf8").match(/Can't look up /g) ?? [];
  logs.log.info("begins both");
  for (const each of logs.observers) each.answered(record());
  logs.flush();
  await until("the complaint", () => told().length > 0);
  // The look-ups began at the same time, and share an answer.
  await Bun.dns.lookup("no-such-host.invalid").catch(() => {});
  logs.close();
  expect(told()).toHaveLength(1);
});

test("statsD goes on with a logger class, and counts what the level hides", async () => {
  using udp = await receiver();
  const library = join(import.meta.dir, "../../../src/index.ts");
  writeFileSync(
    join(folder, "mine.ts"),
    `import { Logger } from ${JSON.stringify(library)};
     export class Mine extends Logger { error(message) { super.error("mine: " + message); } }`,
  );
  const args = ["--logger-class", "mine:Mine", "--statsd-host", `127.0.0.1:${udp.port}`];
  const config = await configOf({}, ...args, "--log-level", "error", "--log-file", "mine.log");
  const logs = await openLogs(config, null);
  logs.log.warning("unseen");
  logs.log.error("seen");
  logs.flush();
  await until("a packet", () => udp.packets.length > 0);
  expect(udp.packets.join("\n").split("\n")).toEqual([
    "gunicorn.log.warning:1|c|@1.0",
    "gunicorn.log.error:1|c|@1.0",
  ]);
  logs.close();
  expect(readFileSync(join(folder, "mine.log"), "utf8")).toMatch(/^\[.*\] \[ERROR\] mine: seen\n$/);
});

test("a file that can't be opened anew is told in the old one, and the others are", async () => {
  const config = await configOf({}, "--log-file", "errors", "--access-logfile", "gone/log");
  Bun.spawnSync(["mkdir", join(folder, "gone")]);
  const logs = await openLogs(config, null);
  renameSync(join(folder, "gone"), join(folder, "moved"));
  renameSync(join(folder, "errors"), join(folder, "errors.1"));
  logs.reopen();
  logs.log.info("after");
  logs.close();
  expect(readFileSync(join(folder, "errors"), "utf8")).toMatch(
    /\[ERROR\] Can't reopen the log: ENOENT[^\n]*gone\/log'\n[^\n]*\[INFO\] after\n$/,
  );
});
