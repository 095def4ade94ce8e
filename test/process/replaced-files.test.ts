/** The package's files are replaced or removed under a running server, as a deployment does ahead of its reload. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adminArgs, adminUrl, askAdmin } from "../support/admin.ts";
import { ctl } from "../support/ctl.ts";
import { gunicorn, type RunningServer, until } from "../support/server.ts";
import { Client } from "../support/websocket-client.ts";

const root = join(import.meta.dir, "../..");
const place = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));

/** What isn't imported by the start, and how many processes import it soon after. Each says so in a file. */
const rooms = {
  "src/arbiter/act/apps/app-parts.ts": 1,
  "src/arbiter/admin/page/assets.ts": 1,
  "src/worker/dump/send-dump.ts": 2,
};
const imported = join(place, "imported");

const app = `
export default {
  fetch(request, server) {
    const { pathname } = new URL(request.url);
    if (pathname === "/enter" && server.upgrade(request)) return;
    if (pathname === "/publish") server.publish("room", "from " + process.pid);
    if (pathname === "/file") return new Response(Bun.file(import.meta.path));
    return new Response(String(process.pid));
  },
  websocket: {
    open(ws) { ws.subscribe("room"); ws.send("in " + process.pid); },
    message() {},
  },
};
`;

beforeAll(() => {
  for (const name of ["bin", "src", "package.json"])
    cpSync(join(root, name), join(place, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(place, "node_modules"));
  appendFileSync(imported, "");
  for (const name of Object.keys(rooms)) {
    const code = `require("node:fs").appendFileSync(${JSON.stringify(imported)}, "${name}\\n");\n`;
    appendFileSync(join(place, name), code);
  }
});

const [source, gone] = [join(place, "src"), join(place, "gone")];

afterEach(() => {
  if (existsSync(gone)) renameSync(gone, source);
});

afterAll(() => rmSync(place, { recursive: true }));

function timesImported(name: string): number {
  return readFileSync(imported, "utf8")
    .split("\n")
    .filter((line) => line === name).length;
}

async function answer(server: RunningServer, path: string): Promise<string> {
  return (await server.fetch(path, { keepalive: false })).text();
}

test("a server whose files are gone serves, is steered, keeps its workers and stops", async () => {
  await using server = await gunicorn({
    program: join(place, "bin/gunicorn-ts.ts"),
    files: { "app.ts": app },
    args: ["-w", "2", "--control-socket", "ctl.sock", ...adminArgs],
  });
  const admin = await adminUrl(server);
  const pids = await server.settled(2);
  await until("the rooms are imported", () =>
    Object.entries(rooms).every(([name, times]) => timesImported(name) === times),
  );
  renameSync(source, gone);

  expect(await answer(server, "/file")).toBe(app);
  const client = new Client(new URL("/enter", server.url).href);
  const inside = await until("a websocket", () =>
    pids.find((pid) => client.heard.includes(`in ${pid}`)),
  );
  const other = pids.find((pid) => pid !== inside);
  await until("the other publishes", async () => {
    return (await answer(server, "/publish")) === String(other);
  });
  await client.hears(`from ${other}`);

  for (const path of ["/live", "/ready", "/metrics", "/stats", "/"])
    expect([path, (await askAdmin(admin, path)).status]).toEqual([path, 200]);
  const heap = await ctl(server, `--socket ctl.sock heap ${pids[0]} heap.heapsnapshot`);
  expect(heap).toMatchObject({ code: 0, err: "" });

  server.kill("SIGUSR1");
  server.kill("SIGHUP");
  await server.logged("Reload failed, the running workers stay");
  expect(pids).toContain(Number(await answer(server, "/")));
  expect(await server.stop()).toBe(0);
  expect(server.log).not.toContain("Unhandled exception");
});

test("a reload that asks for what was never imported is refused, and the server goes on", async () => {
  const configuration = (more: string) => `export default { bind: ["127.0.0.1:0"], ${more} };\n`;
  await using server = await gunicorn({
    program: join(place, "bin/gunicorn-ts.ts"),
    files: { "app.ts": app, "gunicorn.conf.ts": configuration("") },
    bind: [],
  });
  const pids = await server.settled(1);
  renameSync(source, gone);
  for (const more of [
    `adminBind: ["127.0.0.1:0"]`,
    `autoscale: { min: 1, max: 2 }`,
    `controlSocket: "ctl.sock"`,
    `logFormat: "json", accesslog: "-"`,
  ]) {
    const after = server.log.length;
    writeFileSync(join(server.folder, "gunicorn.conf.ts"), configuration(more));
    server.kill("SIGHUP");
    await server.logged(/Reload failed|Can't |failed to boot/, after);
    expect(await answer(server, "/")).toBe(String(pids[0]));
  }
  expect(await server.stop()).toBe(0);
  expect(server.log).not.toContain("Unhandled exception");
});
