import type { ServerHooks } from "../api/hooks.ts";

/** Hooks that run in worker processes; the others run in the master. */
export const workerHooks = [
  "postFork",
  "postWorkerInit",
  "workerInt",
  "workerAbort",
  "preRequest",
  "postRequest",
  "workerExit",
] as const satisfies readonly (keyof ServerHooks)[];
