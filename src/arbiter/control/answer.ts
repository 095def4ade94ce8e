/** What a command is answered with, and what it sets going. Pure: the server is described, and an event goes to the arbiter. */
import {
  type Command,
  CommandError,
  commandEntries,
  type Shown,
  usageOf,
} from "../../control/commands.ts";
import type { Config } from "../../config/types.ts";
import type { ListenerFact } from "../../listen/listeners.ts";
import { maxWorkers } from "../../ipc/scoreboard.ts";
import { encodeLoad } from "../../scaling/load-answer.ts";
import type { LoadSample } from "../../scaling/load-sample.ts";
import type { Event } from "../decide/events.ts";
import type { SignalName } from "../decide/master-signals.ts";
import type { Status, WorkerStatus } from "../decide/status.ts";
import { showConfig } from "./show-config.ts";
import { showListeners, showRequests, showStats, showWorkers } from "./show.ts";

/** The server, as commands see it. */
export interface ControlFacts {
  readonly pid: number;
  readonly status: Status;
  readonly config: Config;
  readonly listeners: readonly ListenerFact[];
  /** Connections that wait to be accepted, at this moment. */
  readonly waiting: () => number;
  /** Whether the level of the log is the server's to set: a logger_class or a logging configuration says otherwise. */
  readonly setsLogLevel: boolean;
}

export type LoadOf = (facts: ControlFacts) => LoadSample;

export interface Verdict {
  readonly data: object;
  /** What the arbiter is told; null for a command that only looks. */
  readonly event: Event | null;
}

/** Of a client that is no user of this machine: no process has it. */
const nobody = -1;

/** Whoever has no look at processes and machine gets no answer that needs one. */
function unseen(): never {
  throw new CommandError("The load isn't shown here");
}

/**
 * @param uid of the client
 * @param loadOf takes a look at processes and machine, for who asks for it
 * @throws CommandError when the command can't be carried out now, or never
 */
export function answer(
  command: Command,
  facts: ControlFacts,
  uid = nobody,
  loadOf: LoadOf = unseen,
): Verdict {
  switch (command.do) {
    case "show":
      return look(command.what === "load" ? encodeLoad(loadOf(facts)) : show(command.what, facts));
    case "help": {
      const rows = commandEntries.map(([name, { description }]) => [usageOf(name), description]);
      return look({ commands: Object.fromEntries(rows) });
    }
    case "shutdown":
      return signal(command.how === "quick" ? "quit" : "term", {
        status: "shutting_down",
        mode: command.how,
      });
    case "reopen":
      return signal("usr1", { status: "reopening" });
    case "log-level":
      return setLogLevel(command.level, facts);
    default:
      if (facts.status.stopping !== null) throw new CommandError("The server is shutting down");
      return steer(command, facts, uid);
  }
}

type Steering = Exclude<
  Command,
  { do: "show" } | { do: "help" | "reopen" } | { do: "shutdown" } | { do: "log-level" }
>;

/** What makes no sense to a server that stops. */
function steer(command: Steering, facts: ControlFacts, uid: number): Verdict {
  const { status } = facts;
  // After WINCH they are counted up from none, as TTIN does.
  const previous = status.resting ? 0 : status.target;
  switch (command.do) {
    case "reload":
      return signal("hup", { status: "reloading", loads: status.loads });
    case "drain":
      return order({ do: "drain" }, { status: "draining" });
    case "upgrade":
      checkUpgrade(facts);
      return signal("usr2", { status: "upgrading" });
    case "scale":
      return scale(previous, command.workers, {});
    case "worker add":
      return scale(previous, previous + command.count, { added: command.count });
    case "worker remove": {
      const total = Math.max(1, status.target - command.count);
      return scale(status.target, total, { removed: status.target - total });
    }
    case "worker kill": {
      const { age, pid } = workerOf(command.pid, status);
      return order({ do: "dismiss", age }, { success: true, killed: pid });
    }
    case "worker restart": {
      const worker = readyWorker(command.pid, status);
      return order({ do: "replace", age: worker.age }, { success: true, restarting: worker.pid });
    }
    case "heap":
    case "profile": {
      const { age, pid } = readyWorker(command.pid, status);
      const { do: what, seconds, token } = command;
      return order({ do: "dump", age, what, seconds, token, uid }, { success: true, asked: pid });
    }
    default:
      return command satisfies never;
  }
}

function show(what: Exclude<Shown, "load">, facts: ControlFacts): object {
  const { status } = facts;
  switch (what) {
    case "stats":
      return showStats(facts.pid, status);
    case "workers":
      return showWorkers(status);
    case "requests":
      return showRequests(status);
    case "listeners":
      return showListeners(facts.listeners);
    case "config":
      return showConfig(facts.config);
    default:
      return what satisfies never;
  }
}

function look(data: object): Verdict {
  return { data, event: null };
}

function signal(name: SignalName, data: object): Verdict {
  return { data, event: { type: "signal", name } };
}

function order(command: Extract<Event, { type: "command" }>["command"], data: object): Verdict {
  return { data, event: { type: "command", command } };
}

function scale(previous: number, total: number, changed: object): Verdict {
  if (total > maxWorkers) throw new CommandError(`At most ${maxWorkers} workers, got ${total}`);
  return order({ do: "scale", workers: total }, { ...changed, previous, total });
}

function setLogLevel(level: Extract<Command, { do: "log-level" }>["level"], facts: ControlFacts) {
  if (!facts.setsLogLevel)
    throw new CommandError(
      "The level of the log is up to logger_class or the logging configuration",
    );
  return order({ do: "log level", level }, { previous: facts.config.loglevel, level });
}

function checkUpgrade({ pid, status }: ControlFacts): void {
  if (pid === 1)
    throw new CommandError("The end of process 1 ends its container: no upgrade there");
  if (status.newMaster !== null)
    throw new CommandError(`A new master (pid:${status.newMaster}) is there already`);
  if (status.understudy) throw new CommandError("The old master is still there");
}

/** One that hasn't been told to leave. */
function workerOf(pid: number, { workers }: Status): WorkerStatus {
  const found = workers.find((worker) => worker.pid === pid);
  if (found === undefined) throw new CommandError(`Worker ${pid} not found`);
  if (found.phase === "booting" || found.phase === "ready") return found;
  throw new CommandError(`Worker ${pid} leaves already, it is ${found.phase}`);
}

function readyWorker(pid: number, status: Status): WorkerStatus {
  const worker = workerOf(pid, status);
  if (worker.phase === "ready") return worker;
  throw new CommandError(`Worker ${pid} isn't ready, it is ${worker.phase}`);
}
