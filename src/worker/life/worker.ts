/** A worker's life: boot in Gunicorn's order, heartbeat, signals, drain, exit. */
import { exitCodes } from "../../ipc/exit-codes.ts";
import type { ConfigData } from "../../config/types.ts";
import type { AppMessage, BootMessage, MasterMessage, WorkerMessage } from "../../ipc/messages.ts";
import { takeDescriptors } from "../../ipc/take-descriptors.ts";
import { inheritedRow, type ScoreboardRow } from "../../ipc/scoreboard.ts";
import { describeError, type Log } from "../../log/error-log.ts";
import { type Logs, openLogs } from "../../log/logs.ts";
import { openLibrary } from "../../os/libc.ts";
import { leaveLauncherOutput } from "../../os/processes/output.ts";
import { assume, identityOf } from "../../os/processes/privileges.ts";
import { hasWaiting } from "../../os/sockets/listening/accept-queue.ts";
import { protectInherited } from "../../os/sockets/listening/protect-inherited.ts";
import { processTitle, setProcessTitle } from "../../os/processes/process-title.ts";
import { writeInTime } from "../../os/write-in-time.ts";
import { inTime } from "../../app/in-time.ts";
import type { Serving } from "../../api/serving.ts";
import type { TlsCredentials } from "../../tls/credentials.ts";
import { Dumps } from "../dump/dumps.ts";
import { AppLoader } from "./app-loader.ts";
import { AppSignals } from "./app-signals.ts";
import { describeFailure, logBootFailure } from "./boot-failure.ts";
import { Ending } from "./ending.ts";
import { WorkerHooks } from "./hooks.ts";
import { explainCollision } from "./port-collision.ts";
import { PortWatch } from "./port-watch.ts";
import { Pulse } from "./pulse.ts";
import type { Reloader } from "./reloader.ts";

/** With reload, how long a worker goes on loading an app of which a file has changed meanwhile. */
const staleLoadMs = 1000;
/** How often a worker that is to leave, and has no app yet, looks for connections that wait for it. */
const queueMs = 100;
/** How long the app may clean up at a quick stop, or if it never served. */
const quickMs = 1000;

export class Worker {
  readonly #boot: BootMessage;
  readonly #scores: ScoreboardRow;
  readonly #logs: Logs;
  readonly #appSignals: AppSignals;
  readonly #ending: Ending;
  readonly #hooks: WorkerHooks;
  readonly #ports: PortWatch;
  readonly #pulse: Pulse;
  readonly #dumps: Dumps;
  /** The worker class takes what is current when it begins to listen, and is told of what is renewed. */
  readonly #tls: { current: TlsCredentials } | null;
  #loader: AppLoader | null = null;
  /** The worker class may have connections by now. */
  #accepts = false;
  #serving: Serving | null = null;
  #reloader: Reloader | null = null;
  /** Leaves on account of a changed file. */
  #reloading = false;
  #draining = false;

  /** What can be done before the boot message is there. */
  static prepare(): void {
    openLibrary();
  }

  static async create(message: BootMessage): Promise<Worker> {
    const boot = takeDescriptors(message);
    return new Worker(boot, await openLogsOrExit(boot.config));
  }

  private constructor(boot: BootMessage, logs: Logs) {
    this.#boot = boot;
    this.#logs = logs;
    this.#tls = boot.tls === null ? null : { current: boot.tls };
    protectInherited([...boot.listeners, { fd: boot.scoreboardFd }]);
    this.#scores = inheritedRow(boot.scoreboardFd, boot.row);
    this.#pulse = new Pulse(this.#scores);
    this.#watchSignals();
    this.#appSignals = new AppSignals(this.#log, boot.slot === 0);
    this.#ports = new PortWatch(boot.listeners, this.#log);
    this.#hooks = new WorkerHooks(boot, this.#scores, this.#log);
    this.#dumps = new Dumps(boot.config.controlSocket !== null, this.#log);
    this.#ending = new Ending(logs, this.#appSignals, () => this.#hooks.workerExit());
  }

  /** Loads hooks and app and starts to serve; a failure ends the process with Gunicorn's exit code. */
  async boot(): Promise<void> {
    this.#appSignals.install();
    setProcessTitle(processTitle("worker", this.#boot.config));
    this.#log.info(`Booting worker with pid: ${process.pid}`);
    this.#ending.loading();
    try {
      const serving = await this.#prepare();
      this.#ending.loaded();
      this.#accepts = true;
      await serving.listen();
      this.#serving = serving;
    } catch (error) {
      return this.#ending.exit(logBootFailure(this.#log, error));
    }
    if (this.#boot.config.daemon) leaveLauncherOutput();
    this.#pulse.start(() => this.#serving?.moves?.() !== false);
    this.#tell({ type: "ready" });
    if (this.#boot.slot === 0) this.#ports.tellSoon();
    // TERM came while the app was loading; connections may wait in the queue by now.
    if (this.#draining) void this.#drain();
  }

  get #log(): Log {
    return this.#logs.log;
  }

  /** USR1: the log's file has been renamed. */
  reopenLogs(): void {
    this.#logs.reopen();
  }

  /** What the master says. */
  hear(said: MasterMessage): void {
    // Serves on, and says so to no client that comes back.
    if (said.type === "wind down") this.#serving?.windDown();
    else if (said.type === "log level") this.#logs.setLevel?.(said.level);
    else if (said.type === "dump") void this.#dumps.send(said);
    else if (said.type !== "tls credentials") this.#loader?.hear(said);
    else if (this.#tls !== null) {
      this.#tls.current = said.credentials;
      this.#serving?.renewed?.();
    }
  }

  /** Told to leave: drains, at once or as soon as the app is loaded. */
  leave(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#tell({ type: "draining" });
    this.#reloader?.close();
    if (this.#reloading) this.#hooks.stopped("workerInt");
    if (this.#serving !== null) return void this.#drain();
    this.#leaveUnserved();
    // The app may never be imported, and the master may have died.
    setTimeout(() => this.#giveUp(), this.#boot.config.gracefulTimeout * 1000);
  }

  /** Without an app there is nothing to drain, unless connections wait for it and nobody else takes them. */
  #leaveUnserved(): void {
    if (this.#serving !== null || this.#accepts) return;
    const waits = this.#boot.listeners.some(({ fd }) => hasWaiting(fd));
    if (waits) setTimeout(() => this.#leaveUnserved(), queueMs);
    else void this.#ending.cleanUp(["SIGTERM"], quickMs);
  }

  async #prepare(): Promise<Serving> {
    const { config } = this.#boot;
    await this.#hooks.load();
    const worker = this.#hooks.worker();
    await this.#hooks.postFork(worker);
    // The scoreboard is mapped and the sockets are held: what follows needs no rights of root's.
    const identity = identityOf(config);
    if (identity !== null) assume(identity);
    this.#nameSlot();
    const loader = await AppLoader.create({
      boot: this.#boot,
      worker,
      hooks: this.#hooks.ofRequests,
      scores: this.#scores,
      tls: this.#tls,
      logs: this.#logs,
      send: (message) => this.#tell(message),
      onTired: () => this.#tire("Autorestarting worker after current request."),
    });
    this.#loader = loader;
    const serving = await (config.reload ? this.#loadReloading(loader) : loader.load());
    if (this.#hooks.hasPostWorkerInit)
      await this.#ports.except(() => this.#hooks.postWorkerInit(worker));
    return serving;
  }

  /**
   * Tells the app which of the workers it is in, for work that only one is to do. The first has slot 0, and its
   * successor has it again.
   */
  #nameSlot(): void {
    process.env["GUNICORN_SLOT"] = String(this.#boot.slot);
    process.env["GUNICORN_WORKERS"] = String(this.#boot.numWorkers);
  }

  /** An app that can't be loaded doesn't end the worker: it serves the error until a file changes. */
  async #loadReloading(loader: AppLoader): Promise<Serving> {
    const { Reloader } = await import("./reloader.ts");
    const { config, app } = this.#boot;
    const onChange = (file: string) => this.#reload(file);
    const reloader = new Reloader({ config, app, log: this.#log, onChange });
    this.#reloader = reloader;
    try {
      return await reloader.guard(loader.load());
    } catch (error) {
      logBootFailure(this.#log, error);
      return loader.serve(reloader.standIn(error));
    }
  }

  #reload(file: string): void {
    if (this.#draining) return;
    this.#reloading = true;
    this.#tire(`Worker reloading: ${file} modified`);
    // The app may wait at its import for what never comes, and the change may mend that.
    setTimeout(() => {
      if (this.#serving === null) this.#ending.exit(exitCodes.ok);
    }, staleLoadMs);
  }

  #watchSignals(): void {
    process.on("SIGTERM", () => this.leave());
    for (const name of ["SIGINT", "SIGQUIT"] as const) {
      process.on(name, () => void this.#quit(name));
    }
    process.on("SIGABRT", () => {
      this.#hooks.stopped("workerAbort");
      this.#ending.exit(1);
    });
    // Meant for the master, but terminals and `pkill` reach the whole group.
    for (const name of ["SIGHUP", "SIGUSR2", "SIGWINCH"] as const) {
      process.on(name, () => this.#log.debug(`worker: ${name} ignored`));
    }
    process.on("disconnect", () => {
      if (this.#ending.begun) return;
      this.#log.info(`Parent changed, shutting down: <Worker ${process.pid}>`);
      this.leave();
    });
    for (const name of ["uncaughtException", "unhandledRejection"] as const) {
      process.on(name, (error: unknown) => this.#onStray(name, error));
    }
  }

  /** An error that belongs to no request: the state of the app is unknown, so a successor takes over. */
  #onStray(name: "uncaughtException" | "unhandledRejection", error: unknown): void {
    // An app that listens for these itself has decided what they mean.
    if (process.listenerCount(name) > 1) return;
    this.#log.exception(`Unhandled exception in worker process\n${describeError(error)}`);
    explainCollision(this.#log, error);
    if (this.#reloader !== null && (this.#serving === null || this.#reloader.broken)) {
      return this.#reloader.fail(error);
    }
    if (this.#serving === null) return this.#ending.exit(exitCodes.workerBoot);
    this.#log.info("Worker asks to be replaced after an unhandled exception");
    this.#tell({ type: "failing" });
  }

  /** Serves on until the master has a successor ready and sends TERM. */
  #tire(why: string): void {
    this.#log.info(why);
    this.#tell({ type: "tired" });
  }

  #giveUp(): void {
    if (this.#serving === null) this.#ending.exit(exitCodes.ok);
  }

  async #drain(): Promise<void> {
    const limitMs = this.#boot.config.gracefulTimeout * 1000;
    const endMs = performance.now() + limitMs;
    const timer = setTimeout(() => {
      const { connections, inFlight } = this.#scores;
      this.#log.warning(
        `graceful_timeout: ${connections} connections with ${inFlight} requests cut after ${limitMs / 1000} s${this.#pulse.newest()}`,
      );
      void this.#ending.cleanUp(["SIGTERM"], 0);
    }, limitMs);
    this.#logs.flush();
    try {
      await this.#serving?.drain();
    } catch (error) {
      this.#log.exception(`Exception in drain of the worker class\n${describeError(error)}`);
    }
    clearTimeout(timer);
    await this.#loader?.end(endMs - performance.now());
    await this.#ending.cleanUp(["SIGTERM"], endMs - performance.now(), async () => {
      await inTime(endMs - performance.now(), this.#serving?.close?.() ?? Promise.resolve());
    });
  }

  async #quit(signal: "SIGINT" | "SIGQUIT"): Promise<void> {
    const { inFlight } = this.#scores;
    if (inFlight > 0)
      this.#log.warning(`Quick stop: ${inFlight} requests cut${this.#pulse.newest()}`);
    this.#hooks.stopped("workerInt");
    await this.#loader?.cut();
    await this.#ending.cleanUp([signal, "SIGINT", "SIGTERM"], quickMs);
  }

  /** False: the master has gone. */
  #tell(message: WorkerMessage | AppMessage): boolean {
    if (!process.connected) return false;
    process.send?.(message);
    return true;
  }
}

/**
 * Opens the logs, with the rights that the worker was started with. Without them there is no worker: the process ends.
 */
async function openLogsOrExit(config: ConfigData): Promise<Logs> {
  try {
    const logs = await openLogs(config, identityOf(config));
    logs.use();
    return logs;
  } catch (error) {
    writeInTime(2, `Worker ${process.pid} can't open its logs: ${describeFailure(error)}\n`);
    return process.exit(exitCodes.workerBoot);
  }
}
