/** The worker program: boots on the master's message, serves, and leaves when a signal says so. */
import type { BootMessage, MasterMessage, WorkerMessage } from "../ipc/messages.ts";

// Before the rest is imported: a TERM that comes by then is remembered, and connections that wait are served.
let told = false;
const tell = (type: WorkerMessage["type"]) => void process.send?.({ type } satisfies WorkerMessage);
const remember = () => {
  told = true;
  tell("draining");
};
process.on("SIGTERM", remember);
// A log that isn't open yet needs no reopening.
let reopenLogs = () => {};
process.on("SIGUSR1", () => reopenLogs());
// The master has died, perhaps before it sent its message: nothing else would end this process.
const alone = () => process.exit(0);
process.on("disconnect", alone);
tell("awake");

const imported = import("./life/worker.ts");
// The master's message is rarely there by then.
void imported.then(({ Worker }) => Worker.prepare());
// The worker class is read from the disk at the same time (bench: start). Apps don't see the word.
const [module] = process.argv.splice(2);
if (module !== undefined) void import(module);

// What follows the first message waits until the worker can hear it.
const early: MasterMessage[] = [];
let hear = (said: MasterMessage): void => void early.push(said);
process.once("message", async (message: BootMessage) => {
  process.on("message", (said: MasterMessage) => hear(said));
  const { Worker } = await imported;
  const worker = await Worker.create(message);
  process.off("disconnect", alone);
  process.off("SIGTERM", remember);
  reopenLogs = () => worker.reopenLogs();
  if (told || !process.connected) worker.leave();
  hear = (said) => worker.hear(said);
  for (const said of early.splice(0)) hear(said);
  await worker.boot();
});

// Bun collects all garbage when a program's main file has been evaluated, here while its imports are under way: up to 5 ms
// of the start (bench: start).
await new Promise(() => {});
