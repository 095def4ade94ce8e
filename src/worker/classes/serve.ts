/**
 * The worker class `serve`: Bun.serve in each worker, for apps that need Bun's own routes or protocols. It
 * can't inherit sockets, so each worker opens its own by reusePort: what waits in the queue of a
 * worker that leaves is reset, unless the kernel migrates it (net.ipv4.tcp_migrate_req).
 */
import type { Handle } from "../../app/routes/answers.ts";
import type { ServedBy } from "../../app/captured-server.ts";
import { AppServer } from "../../app/server.ts";
import type { RequestFacts } from "../../api/request-record.ts";
import { isA, isAbortError } from "../../api/thrown.ts";
import { errors } from "../../http/errors.ts";
import { htmlPage } from "../../http/page.ts";
import { ConnectionCut } from "../../app/connection-cut.ts";
import { NativeResponse } from "../../http/response/globals/body.ts";
import { installMarks } from "../../http/response/globals/install.ts";
import { traceOfRequest } from "../records/traces.ts";
import { ServeRecord } from "../records/serve-record.ts";
import type { Serving } from "../../api/serving.ts";
import { type Origin, ServeAddress } from "./serve/address.ts";
import { idleSeconds, type Server, unseenRoutes } from "./serve/options.ts";
import { pathAt, soundUrl } from "./serve/sound-url.ts";
import type { InternalContext } from "./serving.ts";

/** How long every answer says `Connection: close` before stop() severs the idle connections. */
const farewellMs = 150;
const pollMs = 10;

/** What would make a worker deaf that its master believes to be serving, and what Bun.serve can't do. */
const { stop, reload, unref } = AppServer.prototype;
const refusals = {
  stop,
  reload,
  unref,
  earlyHints: cantDo("earlyHints", "send it"),
  peerCertificate: cantDo("peerCertificate", "show it"),
};

const noCut =
  "The app has closed the connection, which Bun.serve can't: 500 is sent, use --worker-class async";

const ofNode =
  "a node listener on worker class serve has no upgrades, trailers and interim answers: use --worker-class async";

/** Bun's own methods of a server: one with TLS has others than one without. */
const bareTimeout = Symbol("bareTimeout");
const bareUpgrade = Symbol("bareUpgrade");

type AdoptedServer = Server & {
  [bareTimeout]: Server["timeout"];
  [bareUpgrade]: Server["upgrade"];
};

/** As it is before the app may replace the global one, and marked where somebody wants sizes. */
let OwnResponse = Response;

export class BunServing implements Serving {
  readonly #context: InternalContext;
  readonly #addresses: ServeAddress[] = [];
  #draining = false;
  /** Requests that have become websockets: they have no answer. */
  readonly #upgraded = new WeakSet<Request>();
  /** Requests that can't become websockets. */
  readonly #fixed = new WeakSet<Request>();
  /** Which server a request came by, where there are several: Bun's upgrade() throws at any other. */
  readonly #cameBy: WeakMap<Request, Server> | null;
  /** Requests whose time the app has set itself. */
  readonly #timed = new WeakSet<Request>();
  /** The app says how long connections may be idle, requests under way included: as in Bun.serve. */
  readonly #ownTimeout: boolean;

  constructor(context: InternalContext) {
    const { routes, options, describe, nodeUpgrades } = context.app;
    const unseen = routes === null ? [] : unseenRoutes(routes);
    if (unseen.length > 0 && context.slot === 0) {
      const what = "routes that Bun.serve answers itself are neither logged nor counted";
      context.log.info(`${describe}: ${what}: ${unseen.join(", ")}`);
    }
    if (nodeUpgrades !== null && context.slot === 0) context.log.info(`${describe}: ${ofNode}`);
    this.#ownTimeout = options?.["idleTimeout"] !== undefined;
    this.#cameBy = context.listeners.length > 1 ? new WeakMap() : null;
    this.#context = context;
  }

  static async create(this: void, context: InternalContext): Promise<Serving> {
    return new BunServing(context);
  }

  /** Before the app is imported. Routes may be files; `marked`: somebody wants to know how long its Responses are. */
  static prepareProcess(this: void, marked: boolean): void {
    installMarks(marked);
    OwnResponse = Response;
  }

  async listen(): Promise<void> {
    const context = this.#context;
    for (const listener of context.listeners) {
      const address = await ServeAddress.open({
        context,
        listener,
        answer: (request, server, handle, origin) => this.#answer(request, server, handle, origin),
        adopt: (server) => this.#adopt(server),
      });
      this.#addresses.push(address);
    }
  }

  windDown(): void {
    this.#draining = true;
  }

  async drain(): Promise<void> {
    const { websockets, config, handler } = this.#context;
    this.windDown();
    // At once: no farewell brings its clients to the port of a successor, which waits for it.
    const http3 = this.#addresses.map((address) => address.stopHttp3());
    await Bun.sleep(farewellMs);
    const stops = this.#addresses.map((address) => address.stop());
    // Not before the listeners are closed: clients come back at once, and to whoever listens.
    await websockets?.drain(config.gracefulTimeout * 1000 - farewellMs);
    await Promise.all([...stops, ...http3]);
    // stop() resolves with the last response handed over; the handler's own end comes after it.
    while (handler.inFlight > 0) await Bun.sleep(pollMs);
  }

  #adopt(server: Server): void {
    const { timeout, upgrade } = server;
    const ours = {
      [bareTimeout]: timeout,
      [bareUpgrade]: upgrade,
      slot: this.#context.slot,
      trace: traceOfRequest,
    };
    this.#context.capture.attach(server as unknown as ServedBy);
    Object.assign(server, refusals, ours, this.#watched(server));
  }

  /** The server's own methods, which tell us what the app does with a request. */
  #watched(server: Server): Pick<Server, "upgrade" | "timeout"> {
    const timeout = server.timeout.bind(server);
    return {
      upgrade: (request: Request, ...rest: [never]) => {
        if (this.#fixed.has(request)) return false;
        // An app that listens has one server object for all addresses.
        const by = (this.#cameBy?.get(request) ?? server) as AdoptedServer;
        const isUpgraded = by[bareUpgrade](request, ...rest);
        if (isUpgraded) this.#upgraded.add(request);
        return isUpgraded;
      },
      timeout: (request, seconds) => {
        this.#timed.add(request);
        timeout(request, seconds);
      },
    };
  }

  async #answer(
    request: Request,
    server: Server,
    handle: Handle,
    origin: Origin,
  ): Promise<Response | undefined> {
    const { handler, observers, shedder } = this.#context;
    // Before the URL is asked for.
    const protocol = observers.length === 0 ? "" : origin.protocolOf(request);
    const given = request.url;
    const facts: RequestFacts = { method: request.method, target: targetOf(given) };
    if (!origin.upgrades) this.#fixed.add(request);
    this.#cameBy?.set(request, server);
    const served =
      observers.length === 0
        ? null
        : new ServeRecord(facts, request, server, protocol, origin.secure);
    const url = soundUrl(given, request.headers, server, origin.secure);
    if (url === null) return this.#refuse(request, server, served);
    // Copies of the request, which frameworks make, take it over.
    if (url !== given) Object.defineProperty(request, "url", { value: url });
    if (shedder?.refuses(facts, performance.now()) === true) {
      const answer = overloaded();
      served?.answered(observers, answer, false);
      return this.#directed(answer, origin.alternative);
    }
    let response: Response | null = null;
    // Bun would cut a request that an app works on, without a word.
    this.#limit(request, server, 0);
    try {
      const made: unknown = await handler.begin(facts, request, server, handle);
      if (made instanceof NativeResponse) response = made;
      else if (!this.#upgraded.has(request)) {
        const what = made === null ? "null" : typeof made;
        handler.complain(facts, `Expected a Response, got ${what}`);
      }
    } catch (error) {
      // Bun has found out by then that the client has left, whoever has asked for the signal.
      if (isAbortError(error) && request.signal.aborted) handler.gaveUp(facts, error);
      else if (isA(error, ConnectionCut)) handler.complain(facts, noCut);
      else response = await handler.fail(facts, error);
    }
    shedder?.finished();
    if (this.#upgraded.has(request)) {
      // Whatever the app has returned: the client has this answer.
      const switched = new OwnResponse(null, { status: 101 });
      handler.finish(facts, request, switched);
      served?.answered(observers, switched, true);
      return undefined;
    }
    this.#limit(request, server, idleSeconds);
    handler.finish(facts, request, response);
    const answer = response ?? plainError();
    served?.answered(observers, answer, response !== null);
    // What a proxy takes for the inside of a tunnel isn't read (RFC 9110 §9.3.6).
    if (facts.method === "CONNECT") return withField(answer, "connection", "close");
    return this.#directed(answer, origin.alternative);
  }

  /** Answers 400 to what Bun.serve has let pass, without asking the app. */
  #refuse(request: Request, server: Server, served: ServeRecord | null): Response {
    const { log, observers } = this.#context;
    const { text, level } = errors[request.method === "CONNECT" ? "bad target" : "bad host"];
    log[level](`Invalid request from ip=${server.requestIP(request)?.address ?? ""}: ${text}`);
    const headers = { "content-type": "text/html", connection: "close" };
    const page = new OwnResponse(htmlPage("Bad Request", text), { status: 400, headers });
    served?.answered(observers, page, false);
    return page;
  }

  /** Bounds the time of a request, unless the app has done so. */
  #limit(request: Request, server: Server, seconds: number): void {
    if (this.#ownTimeout || this.#timed.has(request)) return;
    (server as AdoptedServer)[bareTimeout](request, seconds);
  }

  /** Tells the client where to open its next connection: while draining, elsewhere; else by HTTP/3, if it likes. */
  #directed(response: Response, alternative: string | null): Response {
    if (this.#draining) return withField(response, "connection", "close");
    if (alternative === null || response.headers.has("alt-svc")) return response;
    return withField(response, "alt-svc", alternative);
  }
}

function withField(response: Response, name: string, value: string): Response {
  try {
    response.headers.set(name, value);
    return response;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Of fetch(): its headers can't be changed.
    const { body, status, statusText, headers } = response;
    return new OwnResponse(body, { status, statusText, headers: [...headers, [name, value]] });
  }
}

function cantDo(method: string, what: string): () => never {
  return () => {
    const why = `Bun.serve can't ${what}, use --worker-class async`;
    throw new Error(`server.${method}() is not supported: ${why}`);
  };
}

/** RFC 9110 §10.2.3, §15.6.4: clients that come back by themselves do so after a moment. */
function overloaded(): Response {
  const headers = { "Retry-After": "1" };
  return new OwnResponse("Service Unavailable", { status: 503, headers });
}

function plainError(): Response {
  return new OwnResponse("Internal Server Error", { status: 500 });
}

function targetOf(url: string): string {
  return url.slice(pathAt(url)) || "/";
}
