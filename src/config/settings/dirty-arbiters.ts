import { callable, integer, seconds, textList } from "../values/kinds.ts";
import { setting } from "../setting.ts";

export const dirtyArbiters = {
  dirtyApps: setting({
    flags: [{ long: "--dirty-app" }],
    kind: textList,
    default: [],
    status: "planned",
    description: `A task app, MODULE:CLASS or MODULE:CLASS:N; repeat for more
N is how many workers of the pool load it.`,
  }),
  dirtyWorkers: setting({
    flags: [{ long: "--dirty-workers" }],
    kind: integer({ zero: "no pool" }),
    default: 0,
    status: "planned",
    description: `How many processes the task pool has`,
  }),
  dirtyTimeout: setting({
    flags: [{ long: "--dirty-timeout" }],
    kind: seconds("never"),
    default: 300,
    status: "planned",
    description: `How long a task may take`,
  }),
  dirtyThreads: setting({
    flags: [{ long: "--dirty-threads" }],
    kind: integer({ min: 1 }),
    default: 1,
    status: "planned",
    description: `How many tasks a process of the pool runs at a time`,
  }),
  dirtyGracefulTimeout: setting({
    flags: [{ long: "--dirty-graceful-timeout" }],
    kind: seconds("at once"),
    default: 30,
    status: "planned",
    description: `How long a stopping process of the pool may finish its tasks`,
  }),
};

type PoolHook = (...args: unknown[]) => void;

function poolHook(parameters: number, description: string) {
  const kind = callable<PoolHook>(parameters);
  return setting({ kind, default: null, status: "planned", description });
}

export const dirtyArbiterHooks = {
  onDirtyStarting: poolHook(1, `(arbiter) as the task pool starts`),
  dirtyPostFork: poolHook(2, `(arbiter, worker) after each start of a process of the pool`),
  dirtyWorkerInit: poolHook(1, `(worker) in a process of the pool, its apps imported`),
  dirtyWorkerExit: poolHook(2, `(arbiter, worker) when a process of the pool is gone`),
};
