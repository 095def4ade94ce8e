/** The last thing that a worker does, whoever ends the process: the app's clean-up, a line, a hook, and the logs. */
import { exitCodes } from "../../ipc/exit-codes.ts";
import { describeError } from "../../log/error-log.ts";
import type { Logs } from "../../log/logs.ts";
import type { AppSignals } from "./app-signals.ts";

type Signals = Parameters<AppSignals["deliver"]>[0];

export class Ending {
  readonly #logs: Logs;
  readonly #appSignals: AppSignals;
  readonly #workerExit: () => void;
  #begun = false;
  #loads = false;

  constructor(logs: Logs, appSignals: AppSignals, workerExit: () => void) {
    this.#logs = logs;
    this.#appSignals = appSignals;
    this.#workerExit = workerExit;
  }

  get begun(): boolean {
    return this.#begun;
  }

  /** Until loaded(), an app that ends the process has failed as one that throws. */
  loading(): void {
    this.#loads = true;
    process.once("exit", (code) => {
      if (!this.#loads || this.#begun) return;
      this.#logs.log.error(
        `The app has ended its process with exit code ${code} before it was loaded`,
      );
      this.#sayGoodbye();
      this.#logs.close();
      process.exitCode = exitCodes.workerBoot;
    });
  }

  loaded(): void {
    this.#loads = false;
  }

  /** Ends the process. */
  exit(code: number): void {
    if (this.#begun) return;
    this.#sayGoodbye();
    // Behind the app's own listeners, which may log.
    process.on("exit", () => this.#logs.close());
    process.exit(code);
  }

  /**
   * Calls what the app listens with for the first of the signals that it knows, for so long at most, and ends the
   * process.
   * @param last what to wait for then, if the app hasn't ended the process itself
   */
  async cleanUp(signals: Signals, limitMs: number, last?: () => Promise<void>): Promise<void> {
    this.#loads = false;
    // The listeners mostly end the process themselves.
    process.once("exit", () => {
      if (this.#begun) return;
      this.#sayGoodbye();
      this.#logs.close();
      // It was told to leave, and hasn't failed.
      process.exitCode = exitCodes.ok;
    });
    const done = await this.#appSignals.deliver(signals, limitMs);
    if (!done)
      this.#logs.log.warning(`The app's ${signals[0]} listener takes too long, and is cut`);
    await last?.();
    this.exit(exitCodes.ok);
  }

  #sayGoodbye(): void {
    this.#begun = true;
    const { log } = this.#logs;
    log.info(`Worker exiting (pid: ${process.pid})`);
    try {
      this.#workerExit();
    } catch (error) {
      log.warning(`Exception during worker exit:\n${describeError(error)}`);
    }
  }
}
