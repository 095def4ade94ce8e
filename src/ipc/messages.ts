/** Every message between master and worker. Signals carry the rest: TERM, QUIT and ABRT, as in Gunicorn. */
import type { ConfigData } from "../config/types.ts";
import type { DumpKind } from "../control/dump.ts";
import type { ListeningSocket } from "../api/serving.ts";
import type { LogLevel } from "../log/error-log.ts";
import type { TlsCredentials } from "../tls/credentials.ts";

/** The master's first message: all that a worker must know to boot. */
export interface BootMessage {
  readonly type: "boot";
  readonly slot: number;
  readonly age: number;
  readonly generation: number;
  readonly numWorkers: number;
  readonly masterName: string;
  /** The master's resolved settings, without the hooks. */
  readonly config: ConfigData;
  /** The app, as MODULE:EXPORT. */
  readonly app: string;
  /** The file that the worker imports its hooks from, or null when it sets none that run in workers. */
  readonly hooksFile: string | null;
  readonly listeners: readonly ListeningSocket[];
  /** What the master has read, who may: workers mostly can't read keys. Null: none of the listeners is secure. */
  readonly tls: TlsCredentials | null;
  /**
   * A socket by which descriptors come that the process couldn't inherit, as they weren't there yet: of the scoreboard, and
   * of the listeners in their order. Null: they are inherited.
   */
  readonly passedBy: number | null;
  /** The inherited descriptor of the scoreboard, and the row that belongs to this worker. */
  readonly scoreboardFd: number;
  readonly row: number;
}

/** The master's word to a worker that serves: answer `Connection: close` from now on (drain_delay). */
export interface WindDownMessage {
  readonly type: "wind down";
}

/** Renewed ones: for all connections from now on, in the place of those before. */
export interface CredentialsMessage {
  readonly type: "tls credentials";
  readonly credentials: TlsCredentials;
}

/** The error log shows this level and what is more severe, from now on. */
export interface LogLevelMessage {
  readonly type: "log level";
  readonly level: LogLevel;
}

/** Send a heap or a profile of yourself to a client of the control socket, which runs as `uid`: see control/dump.ts. */
export interface DumpMessage {
  readonly type: "dump";
  readonly what: DumpKind;
  /** How long a profile is. */
  readonly seconds: number;
  readonly token: string;
  readonly uid: number;
}

/** What the subscribers of a websocket topic are to get: a text, or binary data. */
export interface Publication {
  readonly topic: string;
  readonly data: string | Uint8Array;
  readonly compress: boolean;
}

/** Publications, from a worker to the master, and from it to the other workers. */
export interface PublishMessage {
  readonly type: "websocket publish";
  readonly publications: readonly Publication[];
  /** What they count in the window (window.ts). */
  readonly bytes: number;
}

/** The answer of whoever gets publications: so much has been taken. */
export interface TakenMessage {
  readonly type: "websocket taken";
  readonly bytes: number;
}

/** What comes of websockets from a worker: `websocket join` asks for the publications of the others. */
export type RelayMessage = { readonly type: "websocket join" } | PublishMessage | TakenMessage;

/** The answer to `websocket join`: whatever the others publish from now on comes. */
export interface JoinedMessage {
  readonly type: "websocket joined";
}

/** What the master says to a worker about websockets. */
export type RelayAnswer = JoinedMessage | PublishMessage | TakenMessage;

/** What a worker's app has counted by a registry of its own, as that says it: when the app is loaded, and when it is asked for. */
export interface AppMetricsMessage {
  readonly type: "app metrics";
  /** Null: they can't be read at the moment. */
  readonly families: unknown;
  /** The worker leaves, and waits for the master to have them. */
  readonly last: boolean;
}

/** Asks for them, or says that the last ones are there. */
export type AppMetricsAnswer =
  { readonly type: "app metrics wanted" } | { readonly type: "app metrics taken" };

/** What the master says to an app's own parts, which few have. */
export type AppAnswer = RelayAnswer | AppMetricsAnswer;

/** What a worker sends of its app. */
export type AppMessage = RelayMessage | AppMetricsMessage;

/** What the master says to a worker after the boot message. */
export type MasterMessage =
  WindDownMessage | CredentialsMessage | LogLevelMessage | DumpMessage | AppAnswer;

/** What a worker reports. `pid` in the master's table is known from the spawn, so no message repeats it. */
export type WorkerMessage =
  /** The process has started and takes signals: before that, TERM would kill it. */
  | { readonly type: "awake" }
  /** Listening, app loaded, hooks done. */
  | { readonly type: "ready" }
  /** max_requests reached, or a watched file changed: still serving, wants a successor. */
  | { readonly type: "tired" }
  /** The same after an exception that belongs to no request: a successor may fare no better. */
  | { readonly type: "failing" }
  /** Told to stop by a signal, whoever sent it: no longer accepting once its queue is empty. */
  | { readonly type: "draining" };

/** The only message to the process that tries, before a worker does, what can be imported. */
export interface PreloadMessage {
  readonly type: "preload";
  readonly config: ConfigData;
  /** The app, as MODULE:EXPORT; null for the worker class, which is the user's own. */
  readonly app: string | null;
}

export type PreloadResult =
  | { readonly type: "preloaded" }
  /** One sentence, or the stack of what the app threw. */
  | { readonly type: "preload failed"; readonly message: string };

export function isPreloadResult(message: unknown): message is PreloadResult {
  if (typeof message !== "object" || message === null) return false;
  const { type } = message as { type?: unknown };
  return type === "preloaded" || type === "preload failed";
}

const workerMessages: Readonly<Record<WorkerMessage["type"], true>> = {
  awake: true,
  ready: true,
  tired: true,
  failing: true,
  draining: true,
};

const appMessages: Readonly<Record<AppMessage["type"], true>> = {
  "app metrics": true,
  "websocket join": true,
  "websocket publish": true,
  "websocket taken": true,
};

/** Narrows what came over the channel; an app may use process.send for itself, and that is not ours. */
export function isAppMessage(message: unknown): message is AppMessage {
  return isOf(appMessages, message);
}

/** Narrows what came over the channel; an app may use process.send for itself, and that is not ours. */
export function isWorkerMessage(message: unknown): message is WorkerMessage {
  return isOf(workerMessages, message);
}

function isOf(types: object, message: unknown): boolean {
  if (typeof message !== "object" || message === null) return false;
  const { type } = message as { type?: unknown };
  return typeof type === "string" && Object.hasOwn(types, type);
}
