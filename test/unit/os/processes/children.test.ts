import { expect, test } from "bun:test";
import { join } from "node:path";

const source = (name: string) => JSON.stringify(join(import.meta.dir, "../../../../src/os", name));

/** A program that inherits orphans without being the first process: no right is needed for that. */
function adopter(body: string): string {
  return `
    import { dlopen } from "bun:ffi";
    import { readFileSync } from "node:fs";
    import { reapStrays } from ${source("processes/children.ts")};
    const libc = dlopen("libc.so.6", { prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" } });
    const PR_SET_CHILD_SUBREAPER = 36;
    if (libc.symbols.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) !== 0) throw new Error("no subreaper");
    const isZombie = (pid) => {
      try { return readFileSync("/proc/" + pid + "/stat", "latin1").includes(") Z "); } catch { return false; }
    };
    // Adopted before it dies: one that dies while spawnSync waits may be collected by that.
    const orphan = (seconds = 0.05) =>
      Number(Bun.spawnSync(["sh", "-c", "sleep " + seconds + " >/dev/null 2>&1 & echo $!"]).stdout.toString());
    const dead = (pid) => { while (!isZombie(pid)) Bun.sleepSync(1); };
    const say = (value) => console.log(JSON.stringify(value));
    ${body}`;
}

async function run(body: string): Promise<unknown[]> {
  await using child = Bun.spawn([process.execPath, "-e", adopter(body)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const text = await child.stdout.text();
  expect(await child.exited).toBe(0);
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

test("reapStrays() collects the orphans that died, each once", async () => {
  const body = `
    const pids = [orphan(), orphan()];
    pids.forEach(dead);
    say(reapStrays(() => false).toSorted((a, b) => a - b).join() === pids.toSorted((a, b) => a - b).join());
    say(pids.map(isZombie));
    say(reapStrays(() => false));`;
  expect(await run(body)).toEqual([true, [false, false], []]);
});

test("reapStrays() leaves an orphan that lives, and one that the caller claims", async () => {
  const body = `
    const living = orphan(100);
    const claimed = orphan();
    dead(claimed);
    say(reapStrays((pid) => pid === claimed));
    say(isZombie(claimed));
    process.kill(living, 0);
    process.kill(living, "SIGKILL");
    dead(living);
    say(reapStrays((pid) => pid === claimed).map((pid) => pid === living));`;
  expect(await run(body)).toEqual([[], true, [true]]);
});

test("reapStrays() leaves the exit code of Bun's own children to Bun, even unclaimed ones", async () => {
  const body = `
    const children = [7, 8, 9].map((code) => Bun.spawn(["sh", "-c", "exit " + code]));
    // The event loop is held up, so that Bun can't have collected them.
    for (const child of children) dead(child.pid);
    const stray = orphan();
    dead(stray);
    say(reapStrays(() => false).map((pid) => pid === stray));
    say(await Promise.all(children.map((child) => child.exited)));`;
  expect(await run(body)).toEqual([[true], [7, 8, 9]]);
});
