/** Everything that can happen to the arbiter, and everything it can do. */
import type { DumpMessage, WorkerMessage } from "../../ipc/messages.ts";
import type { LogLevel } from "../../log/error-log.ts";
import type { SignalName } from "./master-signals.ts";
import type { Generation } from "./state.ts";

export type WorkerSignal = "SIGTERM" | "SIGQUIT" | "SIGABRT" | "SIGKILL";

/** What the master reads about a worker with each tick. */
export interface WorkerScores {
  /** The heartbeat counter. */
  readonly beat: number;
  /** Requests handled since boot. */
  readonly requests: number;
  /** The resident set; null when it wasn't sampled this time. */
  readonly memoryBytes: number | null;
}

/** An operator's wish for which there is no signal. */
export type Command =
  | { readonly do: "scale"; readonly workers: number }
  /** Tells a worker to leave, whether or not somebody succeeds it. */
  | { readonly do: "dismiss"; readonly age: number }
  /** Tells it to leave when its successor is ready. */
  | { readonly do: "replace"; readonly age: number }
  /** Clients are told to go elsewhere, and are served on. */
  | { readonly do: "drain" }
  | { readonly do: "log level"; readonly level: LogLevel }
  /** A worker sends its heap, or a profile, to the client that asks for it. */
  | ({ readonly do: "dump"; readonly age: number } & Omit<DumpMessage, "type">);

export type Event =
  | { readonly type: "signal"; readonly name: SignalName }
  | { readonly type: "command"; readonly command: Command }
  /** The load asks for another number of workers, and why. */
  | { readonly type: "autoscale"; readonly workers: number; readonly because: string }
  /** Time has passed: what the scoreboard and the system say of the workers, by age. */
  | { readonly type: "tick"; readonly scores: ReadonlyMap<number, WorkerScores> }
  | { readonly type: "message"; readonly age: number; readonly message: WorkerMessage["type"] }
  | {
      readonly type: "exited";
      readonly age: number;
      readonly code: number | null;
      readonly signal: string | null;
      /** What else the log is to hear of it. */
      readonly about?: string;
    }
  | { readonly type: "config loaded"; readonly generation: Generation; readonly rebound: boolean }
  | { readonly type: "config failed"; readonly message: string }
  /** A configuration has other certificates by now: workers that are born from here on get them. */
  | { readonly type: "credentials renewed"; readonly generation: number }
  /** USR2 has started a new master, or couldn't. */
  | { readonly type: "upgrade started"; readonly pid: number; readonly remark?: string }
  | { readonly type: "upgrade failed"; readonly message: string }
  | { readonly type: "upgrade ended"; readonly code: number | null; readonly signal: string | null }
  /** The old master has gone: this one is the master now. */
  | { readonly type: "promoted" }
  /** The system doesn't let new connections be shared out by load. */
  | { readonly type: "unbalanced"; readonly refused: Error }
  /** A hook in the master threw, or the arbiter itself did. */
  | { readonly type: "fault"; readonly message: string }
  | Done;

/** An action that was carried out, told back so that plan() doesn't ask for it again. */
export type Done =
  | {
      readonly type: "spawned";
      readonly age: number;
      readonly pid: number;
      readonly slot: number;
      readonly row: number;
      readonly generation: number;
      /** max_lifetime with its jitter drawn; Infinity for none. */
      readonly lifetimeMs: number;
    }
  | { readonly type: "signalled"; readonly age: number; readonly signal: WorkerSignal }
  | { readonly type: "winding down"; readonly age: number }
  | { readonly type: "credentials sent"; readonly age: number; readonly edition: number }
  | { readonly type: "slot opened" }
  | { readonly type: "slot closed"; readonly refused: Error | null }
  /** `refused`: why the system didn't do it; null when it did. `handshakes`: as in SocketsChange. */
  | {
      readonly type: "steered";
      readonly count: number;
      readonly refused: Error | null;
      readonly handshakes: boolean;
    }
  | {
      readonly type: "refusing" | "refusing unused";
      readonly refused: Error | null;
      readonly handshakes: boolean;
    }
  | { readonly type: "unused closed"; readonly refused: Error | null }
  | { readonly type: "listeners closed"; readonly refused: Error | null }
  /** The action wasn't carried out, or not whole. */
  | { readonly type: "action failed"; readonly action: Action; readonly error: Error };

/** What update() wants said or run on account of one event. */
export type Reaction =
  | { readonly do: "log"; readonly level: LogLevel; readonly message: string }
  | { readonly do: "load config"; readonly generation: number }
  /** Makes a configuration the master's own: one that was loaded, or an earlier one that is taken back. */
  | { readonly do: "use"; readonly generation: number }
  /** Ends the load under way, and closes what was loaded and won't be used. */
  | { readonly do: "discard" }
  | { readonly do: "reopen logs" }
  /** Outside of any escalation: to the workers that take signals. */
  | { readonly do: "pass on USR1"; readonly pids: readonly number[] }
  | { readonly do: "upgrade" }
  /** Of the master and all workers, until the next configuration. */
  | { readonly do: "set log level"; readonly level: LogLevel }
  | { readonly do: "dump"; readonly age: number; readonly order: DumpMessage }
  | { readonly do: "promote" }
  | { readonly do: "hook onReload" }
  | { readonly do: "hook nworkersChanged"; readonly value: number; readonly old: number }
  | { readonly do: "hook childExit"; readonly age: number };

/** What plan() wants done. Each is answered by the Done of its kind, `halt` by the end of the arbiter. */
export type Action =
  | {
      readonly do: "spawn";
      readonly slot: number;
      readonly row: number;
      readonly age: number;
      readonly generation: number;
    }
  | {
      readonly do: "signal";
      readonly age: number;
      readonly pid: number;
      readonly signal: WorkerSignal;
      /** Why the log has to hear of it; null for the ordinary course of things. */
      readonly because: { readonly level: LogLevel; readonly message: string } | null;
    }
  /** Tells a worker to answer `Connection: close`, and to serve on. */
  | { readonly do: "wind down"; readonly age: number }
  /** Gives a worker the newest certificates of its configuration; `edition` is theirs. */
  | { readonly do: "send credentials"; readonly age: number; readonly edition: number }
  | { readonly do: "open slot" }
  | { readonly do: "close slot" }
  | { readonly do: "steer"; readonly count: number }
  | { readonly do: "refuse new connections" }
  /** Of the addresses that a reload has left out. */
  | { readonly do: "refuse at unused listeners" }
  | { readonly do: "close unused listeners" }
  | { readonly do: "close listeners" }
  | {
      readonly do: "halt";
      readonly exitCode: number;
      readonly reason: string | null;
      /** Processes that not even KILL has ended. */
      readonly left: readonly number[];
    };

/** What plan() wants done to workers. */
export type WorkerAction = Extract<
  Action,
  { readonly do: "spawn" | "signal" | "wind down" | "send credentials" }
>;

/** What plan() wants done to the listening sockets. */
export type SocketAction = Exclude<Action, WorkerAction | { readonly do: "halt" }>;
