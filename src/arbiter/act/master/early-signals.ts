/**
 * The signals of the master, from the first moment of its process: those that end the server end its start, all others wait
 * until the arbiter can take them. Without a handler the kernel would let them kill the process, and drop them if it is
 * process 1 of a container.
 */
import { constants } from "node:os";
import { masterSignals } from "../../decide/master-signals.ts";

export type MasterSignal = keyof typeof masterSignals;

const stops: ReadonlySet<MasterSignal> = new Set(["SIGTERM", "SIGINT", "SIGQUIT"]);

/** The start was ended by a signal, in order: exit code 0. */
export class StartStopped extends Error {
  override readonly name = "StartStopped";
  readonly signal: MasterSignal;

  constructor(signal: MasterSignal) {
    super(`Stopped by ${signal} before the start was through`);
    this.signal = signal;
  }
}

export class EarlySignals {
  readonly #stop = new AbortController();
  readonly #waiting: MasterSignal[] = [];
  #take = (signal: MasterSignal): void => this.#keep(signal);

  /** Installs the handlers, for the life of the process. */
  constructor() {
    for (const signal of Object.keys(masterSignals) as MasterSignal[]) {
      process.on(signal, () => this.#take(signal));
    }
  }

  /** Aborted with a StartStopped by the first TERM, INT or QUIT before handTo(). */
  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  /** From now on signals are somebody else's, those that wait first, in the order in which they came. */
  handTo(take: (signal: MasterSignal) => void): void {
    this.#take = take;
    for (const signal of this.#waiting.splice(0)) take(signal);
  }

  /** For a program that is no server: the first signal that would end it does, with the shell's exit code for it. */
  endProcess(): void {
    this.handTo((signal) => {
      if (stops.has(signal) || signal === "SIGHUP") process.exit(128 + constants.signals[signal]);
    });
  }

  #keep(signal: MasterSignal): void {
    // Children of the start are awaited by those who have started them.
    if (signal === "SIGCHLD") return;
    this.#waiting.push(signal);
    if (stops.has(signal)) this.#stop.abort(new StartStopped(signal));
  }
}
