/** `ctl heap` and `ctl profile`: files that Chrome's developer tools open, or a sentence and no file. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ctl, ctlData } from "../support/ctl.ts";
import { isRoot, needsRoot } from "../support/needs.ts";
import { gunicorn, until } from "../support/server.ts";
import { asNobody, canBeNobody, folderForAll } from "../support/unprivileged.ts";

const limitMs = 300_000;

const app = `class Treasure { gold = 1 }
const kept = new Treasure();
function burnCpu() { const end = performance.now() + 20; while (performance.now() < end); }
export const fetch = () => { burnCpu(); return new Response(String(kept.gold)); };`;

async function controlled(args: readonly string[] = [], folder?: string) {
  return await gunicorn({
    ...(folder === undefined ? {} : { folder }),
    files: { "app.ts": app },
    args: ["--control-socket", "app.ctl", "--timeout", "0", "--graceful-timeout", "1", ...args],
  });
}

type Server = Awaited<ReturnType<typeof controlled>>;

async function onlyWorker(server: Server): Promise<number> {
  return await until("a ready worker", async () => {
    const { workers } = await ctlData(server, "show workers");
    const [worker] = workers as readonly { readonly pid: number; readonly state: string }[];
    return worker?.state === "ready" ? worker.pid : null;
  });
}

function read(server: Server, name: string): Record<string, unknown> {
  const path = join(server.folder, name);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  return JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
}

test.each(["async", "serve"])(
  "-k %s: a heap has the app's objects, a profile its functions",
  async (kind) => {
    await using server = await controlled(["-k", kind]);
    const pid = await onlyWorker(server);
    const heap = await ctl(server, `heap ${pid} a.heapsnapshot`);
    expect(heap).toEqual({ code: 0, out: expect.stringContaining("a.heapsnapshot, "), err: "" });
    const { snapshot, nodes, strings } = read(server, "a.heapsnapshot");
    expect(snapshot).toMatchObject({ meta: { node_fields: expect.any(Array) } });
    expect((nodes as number[]).length).toBeGreaterThan(1000);
    expect(strings).toContain("Treasure");
    const over = new AbortController();
    const load = (async () => {
      while (!over.signal.aborted) await (await server.fetch()).text();
    })();
    // A machine that others load may keep the worker from requests for a while.
    let attempt = 0;
    const profile = await until("a profile with the app's function", async () => {
      const file = `${(attempt += 1)}.cpuprofile`;
      const made = await ctlData(server, `profile ${pid} 1 ${file}`);
      const { size } = statSync(join(server.folder, file));
      expect(made).toEqual({ pid, file, bytes: size });
      const { nodes: calls, samples } = read(server, file);
      expect(samples).toBeArray();
      const names = (calls as readonly { readonly callFrame: { functionName: string } }[]).map(
        ({ callFrame }) => callFrame.functionName,
      );
      return names.includes("burnCpu");
    });
    over.abort();
    await load;
    expect(profile).toBe(true);
    expect(server.log).toMatch(/Handling command: heap \d+ \(uid/);
  },
  limitMs,
);

test.skipIf(!canBeNobody || !isRoot)(
  `workers of another user send theirs to root, and that user gets none${needsRoot}`,
  async () => {
    const folder = folderForAll();
    await using server = await controlled(["--user", "65534", "--group", "65534"], folder);
    const pid = await onlyWorker(server);
    const heap = await ctl(server, `heap ${pid} a.heapsnapshot`);
    expect(heap).toEqual({ code: 0, out: expect.stringContaining("a.heapsnapshot, "), err: "" });
    expect(statSync(join(folder, "a.heapsnapshot")).uid).toBe(0);
    const profile = await ctl(server, `profile ${pid} 0.2 a.cpuprofile`);
    expect(profile).toEqual({ code: 0, out: expect.stringContaining("a.cpuprofile, "), err: "" });
    for (const words of [`heap ${pid} b.heapsnapshot`, `profile ${pid} 0.2 b.cpuprofile`]) {
      const { code, err } = await ctl(server, `${words} -s app.ctl`, { through: asNobody });
      expect([code, err]).toEqual([3, expect.stringContaining("Failed to connect")]);
      expect(existsSync(join(folder, words.split(" ").at(-1) ?? ""))).toBe(false);
    }
  },
  limitMs,
);

test(
  "nothing is overwritten, no link is followed, and nothing is left of what fails",
  async () => {
    await using server = await controlled();
    const pid = await onlyWorker(server);
    const at = (name: string) => join(server.folder, name);
    writeFileSync(at("mine"), "mine");
    symlinkSync(at("elsewhere"), at("link"));
    const rows = [
      [`heap ${pid} mine`, "mine: is there already"],
      [`heap ${pid} link`, "link: is there already"],
      [`heap ${pid} no/folder`, "no/folder: "],
      ["heap 1 new", "Worker 1 not found"],
    ] as const;
    for (const [words, why] of rows) {
      const { code, err } = await ctl(server, words);
      expect([code, err]).toEqual([1, expect.stringContaining(`Error: ${why}`)]);
    }
    expect(readFileSync(at("mine"), "utf8")).toBe("mine");
    for (const name of ["elsewhere", "new"]) expect(existsSync(at(name))).toBe(false);
  },
  limitMs,
);

test.each(["SIGKILL", "SIGTERM"] as const)(
  "a worker that ends by %s in between is told, and no file is left",
  async (signal) => {
    await using server = await controlled();
    const pid = await onlyWorker(server);
    const asked = ctl(server, `profile ${pid} 600 a.cpuprofile`);
    await server.logged(`Handling command: profile ${pid} 600`);
    const second = await ctl(server, `profile ${pid} 1 b.cpuprofile`);
    expect(second).toMatchObject({
      code: 1,
      err: `Error: Worker ${pid}: A profile of this worker is being made already\n`,
    });
    process.kill(pid, signal);
    expect(await asked).toEqual({
      code: 1,
      out: "",
      err: `Error: Worker ${pid} has gone before a.cpuprofile was written\n`,
    });
    for (const name of ["a.cpuprofile", "b.cpuprofile"])
      expect(existsSync(join(server.folder, name))).toBe(false);
  },
  limitMs,
);
