/**
 * Signals tell a worker to leave, and the app's own listeners for them mostly end the process: requests under way would
 * be lost. So these signals are ours, and what the app listens with is kept until the worker has served its last
 * request.
 */
import type { EventEmitter } from "node:events";
import { constants } from "node:os";
import { inTime, late } from "../../app/in-time.ts";
import { describeError, type Log } from "../../log/error-log.ts";

type Signal = "SIGTERM" | "SIGINT" | "SIGQUIT" | "SIGHUP";
/** What comes by IPC is between master and worker: an app would take it for its own. */
type Held = Signal | "message";

/** When the app's listeners are called. */
const held: Readonly<Record<Held, string>> = {
  SIGTERM: "called when this worker has served its last request",
  SIGINT: "called before this worker ends at a quick stop",
  SIGQUIT: "called before this worker ends at a quick stop",
  SIGHUP: "not called, the signal is the master's",
  message: "not called, the master's messages are for the worker",
};

/** All by which listeners come, go and are asked for. */
const methods = [
  "on",
  "addListener",
  "once",
  "prependListener",
  "prependOnceListener",
  "off",
  "removeListener",
  "listeners",
  "rawListeners",
  "listenerCount",
] as const;

/** What a worker itself listens for and can't do without. */
const ownEvents = new Set<string | symbol>([
  "disconnect",
  "uncaughtException",
  "unhandledRejection",
  "SIGABRT",
  "SIGUSR1",
  "SIGUSR2",
  "SIGWINCH",
  ...Object.keys(held),
]);

type Method = (...args: readonly unknown[]) => unknown;

export class AppSignals {
  #emitter: EventEmitter | null = null;
  readonly #log: Log;
  readonly #tells: boolean;
  readonly #told = new Set<Held>();
  #delivery: Promise<unknown> | null = null;

  /** `tells`: whether to log that the app listens; one worker of many is enough. */
  constructor(log: Log, tells: boolean) {
    this.#log = log;
    this.#tells = tells;
  }

  /** What the app listens with. Most listen for nothing: node:events would cost a millisecond (bench: start). */
  get #listeners(): EventEmitter {
    if (this.#emitter === null) {
      const { EventEmitter } = process.getBuiltinModule("node:events");
      this.#emitter = new EventEmitter();
      // One app may have many modules that clean up; it isn't a leak.
      this.#emitter.setMaxListeners(0);
    }
    return this.#emitter;
  }

  /** From now on `process` keeps listeners for these signals here. The worker's own are in place by then. */
  install(): void {
    for (const name of methods) this.#replace(name);
    const removeAll = process.removeAllListeners.bind(process);
    define("removeAllListeners", (...args) => {
      const [event] = args;
      if (isHeld(event)) this.#listeners.removeAllListeners(event);
      else if (args.length > 0) removeAll(event as string);
      else {
        this.#listeners.removeAllListeners();
        for (const each of process.eventNames()) {
          if (!ownEvents.has(each)) removeAll(each as string);
        }
      }
      return process;
    });
  }

  /**
   * Calls the listeners of the first of these signals that has any, once in a process, and waits for the promises that
   * they return.
   * @param limitMs how long to wait at most
   * @returns false when they weren't done by then
   */
  async deliver(signals: readonly Signal[], limitMs: number): Promise<boolean> {
    const signal = signals.find((name) => this.#listeners.listenerCount(name) > 0);
    if (this.#delivery === null) {
      if (signal === undefined) return true;
      this.#delivery = this.#call(signal);
    }
    return (await inTime(limitMs, this.#delivery)) !== late;
  }

  #call(signal: Signal): Promise<unknown> {
    const calls = this.#listeners.rawListeners(signal).map(async (listener) => {
      try {
        await Reflect.apply(listener, process, [signal, constants.signals[signal]]);
      } catch (error) {
        this.#log.warning(`Exception in the app's ${signal} listener:\n${describeError(error)}`);
      }
    });
    // Who waits by events.once() is told in a microtask.
    return Promise.all(calls).then(() => Bun.sleep(0));
  }

  #replace(name: (typeof methods)[number]): void {
    const native = process[name] as Method;
    define(name, (...args) => {
      const [event] = args;
      if (!isHeld(event)) return Reflect.apply(native, process, args);
      const listeners = this.#listeners;
      const result = Reflect.apply(listeners[name] as Method, listeners, args);
      if (result !== listeners) return result;
      this.#tell(event);
      return process;
    });
  }

  #tell(event: Held): void {
    if (!this.#tells || this.#told.has(event) || this.#listeners.listenerCount(event) === 0) {
      return;
    }
    this.#told.add(event);
    this.#log.info(`The app listens for ${event}: ${held[event]}`);
  }
}

function isHeld(event: unknown): event is Held {
  return typeof event === "string" && Object.hasOwn(held, event);
}

function define(name: string, value: Method): void {
  Object.defineProperty(process, name, { value, writable: true, configurable: true });
}
