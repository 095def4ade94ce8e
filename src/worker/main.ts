/** The worker program: boots on the master's message, serves, and leaves when a signal says so. */
import type { BootMessage } from "../ipc/messages.ts";
import { Worker } from "./worker.ts";

process.once("message", (message: BootMessage) => {
  const worker = new Worker(message);
  void worker.boot();
});
