/** What only helps doesn't throw where the system refuses it: here no descriptor is left to open anything with. */
import { expect, test } from "bun:test";
import { join } from "node:path";

const folder = join(import.meta.dir, "../../../src/os");

/** Each an expression over the modules of src/os, and what it is then. */
const helps: readonly (readonly [expression: string, value: unknown])[] = [
  ["memory.residentBytes(process.pid)", null],
  [
    'holder.findHolder({ type: "tcp", family: 4, hostname: "127.0.0.1", port: 1, v6only: false })',
    null,
  ],
  ["processes.nameOfProcess(process.pid)", null],
  ["processes.parentOf(process.pid)", null],
  ["children.reapStrays(() => false)", []],
  ["processes.isRunning(process.pid)", true],
  ["title.typedWords()[0] === process.execPath", true],
  ['title.setProcessTitle("title") ?? "set"', "set"],
  ["cpus.availableCpus() >= 1", true],
  ['notify.sendNotification("/nowhere", "READY=1")', "[Errno 24] Too many open files"],
  ["queue.acceptQueueLength(999_999)", null],
  ["queue.hasWaiting(999_999)", false],
  ['defer.deferAccept(999_999, true) ?? "done"', "done"],
  ["defer.canSeeHandshakes()", false],
  // So that a caller waits.
  ["defer.hasHandshakes(new Set([1]))", true],
  ["bpf.steerReuseport(999_999, [1]).code", "EBADF"],
  ["hopLimit.refuseNewConnections(999_999, 4).code", "EBADF"],
  ['hopLimit.acceptPackets(999_999, 6) ?? "done"', "done"],
];

const script = `
import { openSync } from "node:fs";
const load = (name) => import(${JSON.stringify(folder)} + "/" + name + ".ts");
const [memory, holder, children, processes, title, cpus, notify, queue, bpf, hopLimit, defer] = await Promise.all(
  ["processes/memory", "sockets/listening/port-holder", "processes/children", "processes", "processes/process-title", "processes/cpus", "processes/notify", "sockets/listening/accept-queue", "sockets/listening/bpf", "sockets/listening/hop-limit", "sockets/listening/defer-accept"].map(load),
);
// The C library itself is opened on the first call.
notify.monotonicUsec();
let full = "";
while (full === "") try { openSync("/dev/null"); } catch (error) { full = error.code; }
const results = [() => full, ${helps.map(([expression]) => `() => ${expression}`).join(", ")}].map((work) => {
  try { return work(); } catch (error) { return "thrown: " + error; }
});
console.log(JSON.stringify(results));
`;

test.if(process.platform === "linux")("without a descriptor left, helps are done without", () => {
  const { stdout, stderr } = Bun.spawnSync([
    "sh",
    "-c",
    'ulimit -n 64; exec "$0" -e "$1"',
    process.execPath,
    script,
  ]);
  expect(stderr.toString()).toBe("");
  expect(JSON.parse(stdout.toString())).toEqual(["EMFILE", ...helps.map(([, value]) => value)]);
});
