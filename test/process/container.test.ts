/** As the first process of a container: signals, exit code, orphans. */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRoot, needsRoot } from "../support/needs.ts";
import { childrenOf, commandOf, until, waitsForGo } from "../support/server.ts";

const children = JSON.stringify(join(import.meta.dir, "../../src/os/processes/children.ts"));

/** A pid namespace of its own takes root; all that is in it dies with unshare. */
const container = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];

/** A program that runs as pid 1. */
class Container implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-container-"));
  readonly process: Bun.Subprocess<"ignore", "pipe", "pipe">;
  #output = "";

  constructor(words: readonly string[], files: Readonly<Record<string, string>>) {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.folder, name), text);
    this.process = Bun.spawn([...container, ...words], {
      cwd: this.folder,
      env: { PATH: process.env["PATH"], HOME: this.folder },
      stdio: ["ignore", "pipe", "pipe"],
    });
    void this.#collect(this.process.stdout);
    void this.#collect(this.process.stderr);
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) this.#output += decoder.decode(chunk, { stream: true });
  }

  get output(): string {
    return this.#output;
  }

  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    return until(`output to match ${pattern}`, () => pattern.exec(this.#output)).catch(
      (error: Error) => {
        throw new Error(`${error.message}\n--- output:\n${this.#output}`);
      },
    );
  }

  /** Signals pid 1 of the container, by the pid that it has outside. */
  kill(signal: NodeJS.Signals): void {
    const [pid] = childrenOf(this.process.pid);
    if (pid === undefined) throw new Error("the container has no process");
    process.kill(pid, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill("SIGKILL");
    await this.process.exited;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

test.skipIf(!isRoot)(
  `pid 1 collects orphans, and Bun the exit codes of its own children${needsRoot}`,
  async () => {
    const script = `
      import { readFileSync } from "node:fs";
      import { reapStrays } from ${children};
      const read = () => readFileSync("/proc/1/task/1/children", "latin1").trim();
      const reaped = [];
      process.on("SIGCHLD", () => reaped.push(...reapStrays(() => false)));
      const orphans = Array.from({ length: 3 }, () => Bun.spawnSync(
        ["sh", "-c", "sleep 0.2 >/dev/null 2>&1 & echo $!"]).stdout.toString().trim());
      const codes = [1, 2, 3].map((code) => Bun.spawn(["sh", "-c", "sleep 0.2; exit " + code]).exited);
      console.log("codes", (await Promise.all(codes)).join());
      while (read() !== "") await Bun.sleep(5);
      console.log("orphans", orphans.every((pid) => reaped.includes(Number(pid))), reaped.length);`;
    await using inside = new Container([process.execPath, "script.ts"], { "script.ts": script });
    expect(await inside.process.exited).toBe(0);
    await inside.printed(/codes 1,2,3\norphans true 3\n/);
  },
);

describe.skipIf(!isRoot)(`the server as pid 1${needsRoot}`, () => {
  const app = `export const fetch = async (request) => {
    if (request.url.endsWith("/slow")) { console.error("slow begins"); ${waitsForGo} }
    return new Response("ok");
  };`;

  test("TERM stops gracefully, with exit code 0", async () => {
    const args = [...commandOf().words, "-b", "127.0.0.1:0", "-w", "2", "app"];
    await using inside = new Container(args, { "app.ts": app });
    const [, url] = await inside.printed(/Listening at: (http:\S+) \(1\)/);
    const slow = fetch(`${url}/slow`);
    await inside.printed(/slow begins/);
    inside.kill("SIGTERM");
    await inside.printed(/Handling signal: term/);
    writeFileSync(join(inside.folder, "go"), "");
    const response = await slow;
    expect(await response.text()).toBe("ok");
    expect(await inside.process.exited).toBe(0);
    await inside.printed(/\[1\] \[INFO\] Shutting down: Master/);
  });

  // Without a handler the kernel drops it, and the server would start after all.
  test.each([
    [
      "imports the app for --preload",
      ["--preload"],
      `console.error("here"); await Bun.sleep(600_000);`,
    ],
    [
      "reads its configuration",
      ["-c", "app.ts"],
      `console.error("here"); await Bun.sleep(600_000);`,
    ],
    [
      "imports the app for --preload, which blocks",
      ["--preload"],
      `console.error("here"); Bun.sleepSync(600_000);`,
    ],
  ])("TERM while it %s ends it, with exit code 0", async (_while, args, text) => {
    const all = [...commandOf().words, "-b", "127.0.0.1:0", ...args, "app"];
    await using inside = new Container(all, { "app.ts": text + app });
    await inside.printed(/here/);
    inside.kill("SIGTERM");
    expect(await inside.process.exited).toBe(0);
    expect(inside.output).not.toContain("Listening at");
  });

  test("what a dead worker leaves behind becomes no zombie", async () => {
    // The worker starts a program that outlives it.
    const leaver = `import { spawnSync } from "node:child_process";
      export const fetch = (request) => {
        if (request.url.endsWith("/die")) {
          const { stdout } = spawnSync("sh", ["-c", "sleep 0.3 >/dev/null 2>&1 & echo $!"]);
          console.error("left behind: " + String(stdout).trim());
          process.kill(process.pid, "SIGKILL");
        }
        const { stdout } = spawnSync("ps", ["-e", "-o", "pid=,stat="]);
        return new Response(stdout);
      };`;
    const args = [...commandOf().words, "-b", "127.0.0.1:0", "app"];
    await using inside = new Container(args, { "app.ts": leaver });
    const [, url] = await inside.printed(/Listening at: (http:\S+) \(1\)/);
    await fetch(`${url}/die`).catch(() => "cut");
    const [, pid] = await inside.printed(/left behind: (\d+)/);
    await until("the orphan to be gone", async () => {
      const response = await fetch(url as string, { keepalive: false }).catch(() => null);
      const list = await response?.text();
      return list !== undefined && !new RegExp(`^\\s*${pid} `, "m").test(list);
    });
    // The worker's own death was told by Bun, not taken from it.
    await inside.printed(/Worker \(pid:\d+\) was sent SIGKILL!/);
    inside.kill("SIGTERM");
    expect(await inside.process.exited).toBe(0);
  });
});
