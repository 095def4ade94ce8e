/** What plan() asks of workers, carried out. */
import type { Scoreboard } from "../../ipc/scoreboard.ts";
import type { Listeners } from "../../listen/listeners.ts";
import type { Action, Done, WorkerAction } from "../decide/events.ts";
import type { Apps } from "./apps/apps.ts";
import type { EarlyWorker } from "./birth/early-worker.ts";
import { sendToWorker, signalWorker, spawnWorker } from "./birth/spawn.ts";
import { drawLifetimeMs, mostConnections } from "./configuration/generation.ts";
import type { ReactionParts } from "./react.ts";

/** What of the arbiter it needs, beside what reactions do. */
export interface WorkerActionParts extends Pick<
  ReactionParts,
  "hooks" | "configurations" | "certificates" | "children" | "log" | "handle" | "guard"
> {
  readonly scoreboard: Scoreboard;
  readonly listeners: Listeners;
  /** Taken if it is what would be started. */
  readonly early: EarlyWorker | null;
  readonly apps: Apps;
}

/**
 * @param numWorkers how many there are to be
 * @throws whatever the system refuses
 */
export function performOnWorkers(
  action: WorkerAction,
  parts: WorkerActionParts,
  numWorkers: number,
): Done {
  const { children } = parts;
  switch (action.do) {
    case "spawn":
      return spawn(action, parts, numWorkers);
    case "signal": {
      const { age, pid, signal, because } = action;
      if (because !== null) parts.log()[because.level](because.message + children.cut(age, signal));
      signalWorker(pid, signal);
      return { type: "signalled", age, signal };
    }
    case "wind down":
      sendToWorker(children.get(action.age)?.process, { type: "wind down" });
      return { type: "winding down", age: action.age };
    case "send credentials": {
      const { age, edition } = action;
      parts.certificates.send(age);
      return { type: "credentials sent", age, edition };
    }
    default:
      return action satisfies never;
  }
}

function spawn(
  { age, slot, row, generation }: Extract<Action, { do: "spawn" }>,
  parts: WorkerActionParts,
  numWorkers: number,
): Done {
  const { hooks, scoreboard, listeners, configurations, children } = parts;
  const { resolved, secure } = configurations.get(generation);
  parts.guard(() => hooks.preFork({ age, slot, generation, pid: "[booting]" }, resolved.config));
  scoreboard.clear(row);
  const child = spawnWorker(
    {
      age,
      slot,
      row,
      generation,
      numWorkers,
      masterName: hooks.masterName,
      resolved,
      listeners: listeners.forSlot(slot, listeners.addresses(resolved.config)),
      credentials: secure?.credentials ?? null,
      scoreboardFd: scoreboard.fd,
      env: configurations.env(generation),
    },
    {
      message: ({ type }) => parts.handle({ type: "message", age, message: type }),
      app: (message) => parts.apps.receive(age, message),
      exited: (code, signal) => parts.handle(children.exit(age, code, signal)),
    },
    parts.early,
  );
  children.add(age, {
    process: child,
    scores: scoreboard.row(row),
    slot,
    generation,
    mostConnections: mostConnections(resolved),
  });
  const lifetimeMs = drawLifetimeMs(resolved, Math.random);
  return { type: "spawned", age, pid: child.pid, slot, row, generation, lifetimeMs };
}
