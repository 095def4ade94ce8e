/** From the names of app and worker class to what serves: the class first, since it prepares the process for the app. */
import type { HookWorker } from "../../api/hooks.ts";
import type { Serving } from "../../api/serving.ts";
import type { AppMetrics } from "../../app/app-metrics.ts";
import { Capture } from "../../app/capture.ts";
import { loadLifespan } from "../../app/lifespan.ts";
import { type App, loadApp } from "../../app/load.ts";
import type { Websockets } from "../../app/websocket/websockets.ts";
import type { ConfigData } from "../../config/data.ts";
import type { AppAnswer, AppMessage, BootMessage } from "../../ipc/messages.ts";
import { type ScoreboardRow, Siblings } from "../../ipc/scoreboard.ts";
import type { Logs } from "../../log/logs.ts";
import { hasWaiting } from "../../os/sockets/listening/accept-queue.ts";
import { listenPrivately } from "../../os/sockets/private-socket.ts";
import type { TlsSource } from "../../tls/credentials.ts";
import { loadWorkerClass } from "../classes/classes.ts";
import { listeningAt } from "../classes/listening-at.ts";
import { routedApp } from "../classes/serving.ts";
import type { Enricher } from "../exchange/enrich-response.ts";
import { drawLimit, Handler, type RequestHooks } from "../exchange/handler.ts";
import type { Shedder } from "../overload/shedder.ts";
import type { Tally } from "../records/tally.ts";
import type { Tracer } from "../traces/tracer.ts";
import type { TracingHandler } from "../traces/tracing-handler.ts";
import { AppLifespan } from "./app-lifespan.ts";
import type { WorkerChannel } from "./publish-channel.ts";

export interface AppLoaderParts {
  readonly boot: BootMessage;
  /** As hooks see it. */
  readonly worker: HookWorker;
  readonly hooks: RequestHooks;
  readonly scores: ScoreboardRow;
  readonly tls: TlsSource | null;
  readonly logs: Logs;
  /** Tells the master. False: it has gone. */
  readonly send: (message: AppMessage) => boolean;
  /** Called when max_requests is reached. */
  readonly onTired: () => void;
}

/** Whether somebody may ask the master how requests fare: then they are measured. */
function isWatched({ adminBind, controlSocket }: ConfigData): boolean {
  return adminBind !== null || controlSocket !== null;
}

/** How long a worker that leaves waits for the master to have what its app has counted; and at a quick stop. */
const metricsMs = 1000;
const quickMs = 100;
/** How long a worker that leaves waits for the collector. */
const lastSpansMs = 2000;

type CreateServing = Awaited<ReturnType<typeof loadWorkerClass>>;

export class AppLoader {
  readonly #parts: AppLoaderParts;
  readonly #createServing: CreateServing;
  readonly #capture: Capture;
  readonly #Enricher: typeof Enricher | null;
  #lifespan: AppLifespan | null = null;
  /** What the app counts itself, if somebody may ask for it. */
  #metrics: AppMetrics | null = null;
  /** Null without otel_endpoint. */
  #tracer: Tracer | null = null;
  /** What the app's websockets publish; null without them. */
  #channel: WorkerChannel | null = null;
  /** Null for an app without. */
  #websockets: Websockets | null = null;

  /**
   * Loads the worker class, and makes the process ready for an app.
   * @throws ConfigError for a class of the user's own that there isn't
   */
  static async create(parts: AppLoaderParts): Promise<AppLoader> {
    const { config } = parts.boot;
    const marked =
      config.enrichResponse ||
      parts.logs.observers.length > 0 ||
      isWatched(config) ||
      config.otelEndpoint !== null;
    const createServing = await loadWorkerClass(config, marked);
    const capture = captureServers(parts);
    // What a worker doesn't use isn't imported.
    const enriching = config.enrichResponse ? await import("../exchange/enrich-response.ts") : null;
    return new AppLoader(parts, createServing, capture, enriching?.Enricher ?? null);
  }

  private constructor(
    parts: AppLoaderParts,
    createServing: CreateServing,
    capture: Capture,
    EnricherClass: typeof Enricher | null,
  ) {
    this.#parts = parts;
    this.#createServing = createServing;
    this.#capture = capture;
    this.#Enricher = EnricherClass;
  }

  /** Imports the app and waits for its startup. Throws what the app throws, AppImportError or StartupError. */
  async load(): Promise<Serving> {
    const { boot, logs } = this.#parts;
    const { chdir: cwd, appType: type, asgiLifespan: mode } = boot.config;
    const app = await loadApp(boot.app, { cwd, capture: this.#capture, type });
    this.#lifespan = new AppLifespan(await loadLifespan(boot.app, { cwd, mode }), logs.log);
    await this.#lifespan.start();
    if (boot.config.adminBind !== null) await this.#openMetrics();
    return await this.serve(app);
  }

  /** Makes of an app what serves it. Throws AppImportError for one that the worker class can't serve. */
  async serve(loaded: App): Promise<Serving> {
    const { boot, worker, hooks, scores, tls, logs, onTired } = this.#parts;
    const { config, slot, numWorkers, listeners } = boot;
    const { log } = logs;
    const tally = await openTally(this.#parts);
    const tracing = await openTracing(this.#parts);
    this.#tracer = tracing?.tracer ?? null;
    const observers = [...logs.observers, tally, this.#tracer].filter((each) => each !== null);
    const app = await routedApp(loaded, config);
    const limit = drawLimit(config.maxRequests, config.maxRequestsJitter, Math.random);
    if (app.websocket !== null) this.#websockets = await this.#openWebsockets();
    const enricher = this.#Enricher === null ? null : new this.#Enricher(limit);
    const shedder = await openShedder(this.#parts);
    const parts = { app, worker, hooks, log, scores, limit, enricher, onTired };
    const handler =
      tracing === null ? new Handler(parts) : new tracing.TracingHandler(parts, tracing.tracer);
    return await this.#createServing({
      slot,
      app,
      config,
      listeners,
      tls,
      numWorkers,
      siblings: listeners.some(({ shared }) => shared)
        ? new Siblings(boot.scoreboardFd, boot.row)
        : null,
      scores,
      capture: this.#capture,
      websockets: this.#websockets,
      handler,
      shedder,
      log,
      observers,
      hasWaiting: () => listeners.some(({ fd }) => hasWaiting(fd)),
    });
  }

  /** What the master says of publications and of the app's metrics. */
  hear(said: AppAnswer): void {
    if (said.type === "app metrics wanted") void this.#metrics?.tell();
    else if (said.type === "app metrics taken") this.#metrics?.taken();
    else this.#channel?.hear(said);
  }

  /** A quick stop: closes the websockets, and waits for nobody but a moment for the kernel and the master. */
  async cut(): Promise<void> {
    await this.#websockets?.drain(0);
    await this.#metrics?.flush(quickMs);
  }

  /** The last request is served: waits for the app's shutdown, and for what it has published and counted, so long at most. */
  async end(leftMs: number): Promise<void> {
    const endMs = performance.now() + leftMs;
    await this.#lifespan?.end(leftMs);
    await this.#channel?.flush(endMs - performance.now());
    await this.#metrics?.flush(Math.min(metricsMs, endMs - performance.now()));
    await this.#tracer?.end(Math.min(endMs - performance.now(), lastSpansMs));
  }

  async #openMetrics(): Promise<void> {
    const { AppMetrics } = await import("../../app/app-metrics.ts");
    const { boot, logs, send } = this.#parts;
    this.#metrics = await AppMetrics.load(boot.app, boot.config.chdir, {
      send: (families, last) => send({ type: "app metrics", families, last }),
      complain: (message) => void (boot.slot === 0 && logs.log.warning(message)),
    });
    await this.#metrics?.tell();
  }

  async #openWebsockets(): Promise<Websockets> {
    const [{ Websockets }, { WorkerChannel }] = await Promise.all([
      import("../../app/websocket/websockets.ts"),
      import("./publish-channel.ts"),
    ]);
    const { boot, scores, logs, send } = this.#parts;
    const { log } = logs;
    const channel = new WorkerChannel({
      log,
      send,
      hasMaster: () => process.connected,
      audience: () => scores.audience,
    });
    this.#channel = channel;
    const maxMessageBytes = boot.config.websocketMaxMessageSize;
    return Websockets.join({ log, maxMessageBytes, channel, tells: boot.slot === 0 });
  }
}

/** Before the app is imported: it may call Bun.serve itself. */
function captureServers({ boot, logs }: AppLoaderParts): Capture {
  const [first] = boot.listeners;
  const nowhere = { bound: { type: "unix", path: "" }, secure: false } as const;
  const info = (message: string) => void (boot.slot === 0 && logs.log.info(message));
  const debug = (message: string) => logs.log.debug(message);
  const capture = new Capture({
    listening: listeningAt(first ?? nowhere),
    listenPrivately,
    log: { info, debug },
  });
  capture.install();
  return capture;
}

// What a worker doesn't use isn't imported (bench: start).

async function openTally({ boot, scores }: AppLoaderParts): Promise<Tally | null> {
  if (!isWatched(boot.config)) return null;
  const { Tally } = await import("../records/tally.ts");
  return new Tally(scores);
}

interface Tracing {
  readonly tracer: Tracer;
  readonly TracingHandler: typeof TracingHandler;
}

async function openTracing({ boot, scores, logs }: AppLoaderParts): Promise<Tracing | null> {
  const { config, slot } = boot;
  if (config.otelEndpoint === null) return null;
  const { TracingHandler } = await import("../traces/tracing-handler.ts");
  const { openTracer } = await import("../traces/tracer.ts");
  const tracer = openTracer({ config, env: process.env, log: logs.log, scores, slot });
  return tracer === null ? null : { tracer, TracingHandler };
}

async function openShedder({ boot, scores, logs }: AppLoaderParts): Promise<Shedder | null> {
  if (boot.config.shedLatencyMs === 0) return null;
  const { Shedder } = await import("../overload/shedder.ts");
  return new Shedder({ config: boot.config, log: logs.log, scores });
}
