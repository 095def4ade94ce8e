import { expect, test } from "bun:test";
import { isRoot, needsRoot } from "../support/needs.ts";
import { start } from "../support/server.ts";
import { asNobody, canBeNobody } from "../support/unprivileged.ts";

const okApp = `export const fetch = () => new Response("ok");`;

interface Row {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly app?: string | null;
  readonly code: number;
  readonly says: RegExp;
}

/** One cause each; the last line of the log is the end of the master. */
const rows: readonly Row[] = [
  {
    name: "a module that isn't there, with several workers",
    files: {},
    args: ["-w", "3"],
    code: 4,
    says: /\[ERROR\] .*'app'.*\n[^]*Worker \(pid:\d+\) exited with code 4\.\n[^]*\[ERROR\] Shutting down: Master\n.*\[ERROR\] Reason: App failed to load\.\n$/,
  },
  {
    name: "an export that isn't there",
    files: { "app.ts": okApp },
    app: "app:missing",
    code: 4,
    says: /Failed to find attribute 'missing' in 'app'[^]*Reason: App failed to load\.\n$/,
  },
  {
    name: "an export of the wrong type",
    files: { "app.ts": `export const version = "1";` },
    code: 4,
    says: /app\.ts exports "version" \(string\): none is a function or has fetch/,
  },
  ...[
    ["app:", /Failed to parse '' as .*: got 'app:', an app is MODULE:EXPORT, such as app:fetch\n/],
    [
      ":fetch",
      /No application module specified: ':fetch', an app is MODULE:EXPORT, such as app:fetch\n/,
    ],
    ["https://foo", /'https:\/\/foo' is a URL, an app is MODULE:EXPORT, such as app:fetch\n/],
    ["127.0.0.1:8000", /an address to listen on is --bind 127\.0\.0\.1:8000\n/],
    ["ap:fetch", /No module named 'ap': .*, did you mean 'app:fetch'\?\n/],
    ["app:fech", /in 'app': app\.ts exports "fetch" \(function\), did you mean 'app:fetch'\?\n/],
    ["app:app", /in 'app': .*, did you mean 'app:fetch'\?\n/],
  ].map(([app, says]): Row => ({
    name: `${app as string} for an app`,
    files: { "app.ts": okApp },
    app: app as string,
    code: 4,
    says: says as RegExp,
  })),
  {
    name: "a package that isn't installed",
    files: {
      "app.ts": `import "./helper.ts"; ${okApp}`,
      "helper.ts": `import "express"; export {};`,
    },
    code: 3,
    says: /\nResolveMessage: Cannot find package 'express' imported from \/\S+\/helper\.ts\nexpress isn't installed: bun add express\n/,
  },
  {
    name: "the same of a configuration file",
    files: {
      "app.ts": okApp,
      "gunicorn.conf.ts": `import "./conf.ts"; export default {};`,
      "conf.ts": `import "zod"; export {};`,
      // Where there is a node_modules, nothing is fetched, and Bun itself says what it can't find.
      "node_modules/other/index.js": "",
    },
    code: 1,
    says: /^Error: gunicorn\.conf\.ts: Cannot find package 'zod' imported from \/\S+\/conf\.ts: zod isn't installed: bun add zod\n$/,
  },
  {
    name: "a script that never listens",
    files: { "app.ts": "console.log('done');" },
    code: 4,
    says: /app\.ts exports nothing, and has called neither Bun\.serve nor listen\(\) of node:http in 10 seconds\n/,
  },
  {
    name: "a module that throws, with several workers",
    files: { "app.ts": `throw new Error("on purpose");` },
    args: ["-w", "3"],
    code: 3,
    says: /\[ERROR\] Exception in worker process\nError: on purpose\n[^]*exited with code 3\.\n[^]*\[ERROR\] Reason: Worker failed to boot\.\n$/,
  },
  ...[0, 7].map((own) => ({
    name: `a module that ends the process with ${own}, with several workers`,
    // By the stream of the log, whose order is known.
    files: { "app.ts": `console.error("no DATABASE"); process.exit(${own});` },
    args: ["-w", "2"],
    code: 3,
    says: new RegExp(
      `no DATABASE\\n[^]*\\[ERROR\\] The app has ended its process with exit code ${own} before it was loaded\\n[^]*Reason: Worker failed to boot\\.\\n$`,
    ),
  })),
  {
    name: "a startup that ends the process",
    files: { "app.ts": `${okApp} export const startup = () => process.exit(1);` },
    code: 3,
    says: /The app has ended its process with exit code 1 before it was loaded\n/,
  },
  {
    name: "a module with a syntax error",
    files: { "app.ts": "export const fetch = (" },
    code: 3,
    says: /Exception in worker process\n[^]*app\.ts[^]*Reason: Worker failed to boot\.\n$/,
  },
  {
    name: "a factory that throws",
    files: { "app.ts": `export function create() { throw new Error("on purpose"); }` },
    app: "app:create()",
    code: 3,
    says: /Exception in worker process\nError: on purpose/,
  },
  {
    name: "routes on a worker class that can't serve them",
    files: {
      "app.ts": `export default { fetch: () => new Response(), routes: { "/*": { dir: "." } } };`,
    },
    code: 4,
    says: /app\.ts: default: routes: \/\*: HTML imports and folders in routes are Bun\.serve's own, use --worker-class serve/,
  },
  {
    name: "a Fastify plugin without fastify",
    files: { "app.js": "module.exports = async function (fastify, opts) {};" },
    code: 4,
    says: /app\.js: default is a Fastify plugin, and fastify isn't installed/,
  },
  {
    name: "no app",
    files: {},
    app: null,
    code: 1,
    says: /^Error: No application module specified\. Name a file, or MODULE:EXPORT: gunicorn-ts server\.ts\n$/,
  },
  {
    name: "a flag that isn't known",
    files: {},
    args: ["--nonsense"],
    code: 2,
    says: /^usage: gunicorn-ts [^]*gunicorn-ts: error: unrecognized arguments: --nonsense\n$/,
  },
  {
    name: "a flag that isn't supported yet",
    files: {},
    args: ["--dirty-app", "a:B"],
    code: 1,
    says: /^Error: --dirty-app: not supported yet\n$/,
  },
  ...[
    ["--user=nosuch", /^Error: --user: No such user: 'nosuch'\n$/],
    ["--group=nosuch", /^Error: --group: No such group: 'nosuch'\n$/],
    [
      "--error-logfile=none/log",
      /^Error: --error-logfile: '.*' isn't writable: there is no folder /,
    ],
    ["--log-config=none.conf", /^Error: --log-config: log config 'none\.conf' not found\n$/],
    ["--logger-class=none:Log", /^Error: --logger-class: no module named 'none' in /],
    ["--access-logformat=%(x", /^Error: --access-logformat: /],
    ["--certfile=none.pem", /^Error: --certfile: .*none\.pem: doesn't exist\n$/],
    ["--bind=127.0.0.1:99999", /^Error: --bind: '99999' is not a valid port number\.\n$/],
    ["--pid=none/pid", /\nError: --pid: .*\/none doesn't exist\. Can't create pidfile\.\n$/],
    ["--control-socket=none/ctl", /\nError: --control-socket: .*\/none is no folder\n$/],
    ["--worker-class=none:Class", /^Error: --worker-class: no module named 'none' in /],
  ].map(([flag, says]): Row => ({
    name: `what is found out when it is used: ${flag}`,
    files: { "app.ts": okApp },
    args: [flag as string],
    code: 1,
    says: says as RegExp,
  })),
  {
    name: "the same of a file",
    files: { "app.ts": okApp, "gunicorn.conf.ts": `export const user = "nosuch";` },
    code: 1,
    says: /^Error: gunicorn\.conf\.ts: user: No such user: 'nosuch'\n$/,
  },
  {
    name: "a folder for worker_tmp_dir that isn't there",
    files: { "app.ts": okApp },
    args: ["--worker-tmp-dir", "/nowhere"],
    code: 1,
    says: /^Error: --worker-tmp-dir: .*\/nowhere/,
  },
];

test.each([...rows])(
  "$name: exit code $code, and one line says why",
  async (row) => {
    const { files, args = [], app = "app", code, says } = row;
    await using server = start({ files, args, app });
    expect(await server.process.exited).toBe(code);
    expect(server.log).toMatch(says);
  },
  120_000,
);

test.each([
  ["is left alone in the folder is warned of", {}, 1],
  ["has a successor isn't", { "gunicorn.conf.ts": "export default {};" }, 0],
])("a gunicorn.conf.py that %s", async (_claim, files, warnings) => {
  const all = { "app.ts": okApp, "gunicorn.conf.py": "workers = 3", ...files };
  await using server = start({ files: all });
  await server.logged("Booting worker");
  expect(server.log.match(/\[WARNING\] gunicorn\.conf\.py isn't read/g) ?? []).toHaveLength(
    warnings,
  );
  expect(await server.stop()).toBe(0);
  await using checked = start({ files: all, args: ["--check-config"] });
  expect(await checked.process.exited).toBe(0);
  const warned = checked.log.match(/^Warning: gunicorn\.conf\.py isn't read/gm) ?? [];
  expect(warned).toHaveLength(warnings);
});

test("a port in use: Gunicorn's five attempts, then exit code 1", async () => {
  using taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const bind = [`127.0.0.1:${taken.port}`];
  await using server = start({ files: { "app.ts": okApp }, bind });
  expect(await server.process.exited).toBe(1);
  expect(server.log.match(/\[ERROR\] Connection in use: \('127\.0\.0\.1', \d+\)/g)).toHaveLength(5);
  // While other sockets come and go, a look into the kernel's table can miss one.
  const holders = [...server.log.matchAll(/, held by \S+ \(pid:(\d+)\)/g)].map(([, pid]) =>
    Number(pid),
  );
  expect(new Set(holders)).toEqual(new Set([process.pid]));
  expect(server.log.match(/; retrying in 1 second\n/g)).toHaveLength(4);
  expect(server.log).not.toContain("failed:");
  expect(server.log).toMatch(
    /\nError: Can't connect to \('127\.0\.0\.1', \d+\): it is in use.*; choose another with -b ADDRESS\n$/,
  );
}, 120_000);

test("a server of the same user on the same port is a port in use, too", async () => {
  await using first = start({ files: { "app.ts": okApp } });
  await first.logged("Using worker");
  await using second = start({ files: { "app.ts": okApp }, bind: [`127.0.0.1:${first.port}`] });
  await second.logged(
    `('127.0.0.1', ${first.port}), held by gunicorn (pid:${first.pid}) and 1 other`,
  );
  expect(await first.stop()).toBe(0);
});

test.skipIf(!isRoot || !canBeNobody)(
  `a port that another user holds: the line says whose it is${needsRoot}`,
  async () => {
    using taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const bind = [`127.0.0.1:${taken.port}`];
    await using server = start({ files: { "app.ts": okApp }, bind, through: asNobody });
    await server.logged("held by a process of uid 0; retrying in 1 second\n");
  },
);

test.skipIf(!isRoot)(
  `a privileged port: exit code 1 at once, and the line names the right that is missing${needsRoot}`,
  async () => {
    const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    const command = 'echo 1024 > /proc/sys/net/ipv4/ip_unprivileged_port_start && exec "$@"';
    await using server = start({
      files: { "app.ts": okApp },
      bind: ["127.0.0.1:80"],
      through: ["unshare", "--net", "sh", "-c", `ip link set lo up && ${command}`, "sh", ...nobody],
    });
    expect(await server.process.exited).toBe(1);
    expect(server.log).toEndWith(
      "Error: Can't connect to ('127.0.0.1', 80): ports below 1024 need root or the capability CAP_NET_BIND_SERVICE\n",
    );
    expect(server.log).not.toContain("retrying");
  },
);

test.skipIf(!canBeNobody)(
  "a folder that isn't the user's: exit code 1 at once, and the line names both",
  async () => {
    const bind = ["unix:/var/gunicorn-ts-test.sock"];
    await using server = start({ files: { "app.ts": okApp }, bind, through: asNobody });
    expect(await server.process.exited).toBe(1);
    expect(server.log).toMatch(
      /\nError: Can't connect to \/var\/\S+\.sock: uid \d+ may not write to the folder \/var\n$/,
    );
    expect(server.log).not.toContain("retrying");
  },
);

test.skipIf(!isRoot)(
  `a v6 address that is new, and tentative for a moment, is tried until it can be had${needsRoot}`,
  async () => {
    const pair = "ip link add gunicorn0 type veth peer name gunicorn1";
    const up = "ip link set lo up; ip link set gunicorn0 up; ip link set gunicorn1 up";
    const command = `${pair}; ${up}; ip addr add 2001:db8::7/64 dev gunicorn0; exec "$@"`;
    await using server = start({
      files: { "app.ts": okApp },
      bind: ["[2001:db8::7]:8000"],
      through: ["unshare", "--net", "sh", "-c", command, "sh"],
    });
    await server.logged("Invalid address: ('2001:db8::7', 8000)");
    await server.logged("Listening at: http://[2001:db8::7]:8000");
    expect(await server.stop()).toBe(0);
  },
);
