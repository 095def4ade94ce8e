/** What serves one address of a `serve` worker: a Bun.serve, and for HTTP/3 another one, on the UDP port of that number. */
import { nativeServe } from "../../../app/capture.ts";
import type { Handle } from "../../../app/routes/answers.ts";
import type { BoundTo, ListeningSocket } from "../../../api/serving.ts";
import { type Protocols, protocolsAt } from "../../../config/protocols.ts";
import { joinHostPort } from "../../../net/ip-address.ts";
import { AppImportError } from "../../../modules/errors.ts";
import type { TlsSource } from "../../../tls/credentials.ts";
import type { Http3Side } from "./http3-side.ts";
import { type Answer, type Server, serveOptions } from "./options.ts";
import type { InternalContext } from "../serving.ts";

/** What requests have in common that come by one server. */
export interface Origin {
  readonly secure: boolean;
  /** Of a request whose `url` nobody has asked for yet. */
  protocolOf(request: Request): string;
  /** Where else its clients may come to: a value of Alt-Svc. */
  readonly alternative: string | null;
  /** Whether a request can become a websocket. Bun's upgrade() throws for one that has come by another server. */
  readonly upgrades: boolean;
}

export interface AddressParts {
  readonly context: InternalContext;
  readonly listener: ListeningSocket;
  readonly answer: (
    request: Request,
    server: Server,
    handle: Handle,
    origin: Origin,
  ) => ReturnType<Answer>;
  /** Makes the server fit for an app, before it has any request. */
  readonly adopt: (server: Server) => void;
}

const pollMs = 10;
/** How long clients of HTTP/2 have to close their connections, once they have GOAWAY and all their answers. */
const goAwayMs = 1000;

const http1Only: Protocols = { http1: true, http2: false, http3: false };
const http3Only: Protocols = { http1: false, http2: false, http3: true };
const http3Origin: Origin = {
  secure: true,
  protocolOf: () => "HTTP/3",
  alternative: null,
  upgrades: false,
};

export class ServeAddress implements Origin {
  readonly secure: boolean;
  readonly protocolOf: Origin["protocolOf"];
  readonly upgrades = true;
  readonly #speaks: Protocols;
  readonly #server: Server;
  /** Bun's own: the app's server object refuses it. */
  readonly #stop: Server["stop"];
  readonly #http3: Http3Side | null;

  /**
   * Listens. What TLS, HTTP/2 and HTTP/3 need is imported where they are used.
   * @throws AppImportError for an app that needs a protocol which the address doesn't speak; and what Bun.serve throws
   */
  static async open(parts: AddressParts): Promise<ServeAddress> {
    const { app, config, tls } = parts.context;
    const { bound, secure } = parts.listener;
    // A unix socket is --request's, which speaks HTTP/1.1.
    const speaks = bound.type === "unix" ? http1Only : protocolsAt(config, secure);
    // Frameworks pass handlers for websockets that nobody has asked for.
    if (!speaks.http1 && app.websocket !== null && !app.captured)
      throw new AppImportError(`${app.describe}: websockets need h1 in http_protocols`);
    const certificates = secure ? await certificatesOf(tls) : null;
    const protocolOf = await teller(speaks);
    const Side = speaks.http3 ? (await import("./http3-side.ts")).Http3Side : null;
    return new ServeAddress(parts, speaks, certificates, protocolOf, Side);
  }

  private constructor(
    { context, listener, answer, adopt }: AddressParts,
    speaks: Protocols,
    tls: readonly object[] | null,
    protocolOf: Origin["protocolOf"],
    Side: typeof Http3Side | null,
  ) {
    const { app, websockets, slot, log } = context;
    const { bound, secure } = listener;
    this.secure = secure;
    this.protocolOf = protocolOf;
    this.#speaks = speaks;
    const sockets = app.websocket === null ? null : websockets?.serving(app.websocket, app.server);
    const server: Server = nativeServe(
      serveOptions({
        app,
        websocket: sockets?.handlers ?? null,
        bound,
        speaks: { ...speaks, http3: false },
        tls,
        answer: (request, server, handle) => answer(request, server, handle, this),
      }),
    );
    this.#server = server;
    this.#stop = server.stop.bind(server);
    const reload = server.reload.bind(server);
    // bun-types want fetch or routes; Bun keeps them.
    sockets?.attach(server, (other) => void reload({ websocket: other } as never));
    adopt(server);
    if (Side === null || bound.type === "unix") this.#http3 = null;
    else if (slot > 0) {
      log.info("HTTP/3 is for the worker of slot 0: this one serves the other protocols");
      this.#http3 = null;
    } else {
      const options = serveOptions({
        app,
        websocket: null,
        bound,
        speaks: http3Only,
        tls,
        answer: (request, _, handle) => answer(request, server, handle, http3Origin),
      });
      const all = context.listeners.map((each) => each.bound);
      Object.assign(options, { ipv6Only: needsV6only(bound, all) });
      this.#http3 = new Side({
        open: () => nativeServe(options),
        where: `UDP ${joinHostPort(bound.hostname, bound.port)}`,
        port: bound.port,
        log,
      });
    }
  }

  get alternative(): string | null {
    return this.#http3 === null ? null : this.#http3.alternative;
  }

  /** Takes no more HTTP/3, and resolves when the last answer is out: a successor waits for the port. */
  async stopHttp3(): Promise<void> {
    await this.#http3?.stop();
  }

  /** Takes no more connections; resolves when those that are there have their answers. */
  async stop(): Promise<void> {
    const stopped = this.#stop();
    await (this.#speaks.http2 ? Promise.race([stopped, this.#sever()]) : stopped);
  }

  /** Bun's stop() waits for clients of HTTP/2 to close their connections, and some never do. */
  async #sever(): Promise<void> {
    const server = this.#server;
    while (server.pendingRequests + server.pendingWebSockets > 0) await Bun.sleep(pollMs);
    await Bun.sleep(goAwayMs);
    await this.#stop(true);
  }
}

/** `[::]` takes v4 datagrams too, which is in the way of `0.0.0.0` on the same port. */
export function needsV6only(bound: BoundTo, all: readonly BoundTo[]): boolean {
  if (bound.type === "unix" || bound.hostname !== "::") return false;
  const { port } = bound;
  return all.some(
    (each) => each.type === "tcp" && each.hostname === "0.0.0.0" && each.port === port,
  );
}

/** Of a secure address, which is never served without. */
async function certificatesOf(tls: TlsSource | null): Promise<readonly object[]> {
  if (tls === null) throw new TypeError("a secure address without credentials");
  const { tlsOptions } = await import("./tls-options.ts");
  return tlsOptions(tls.current);
}

/** Answers with what tells the protocol of a request. */
async function teller({ http1, http2 }: Protocols): Promise<Origin["protocolOf"]> {
  if (http1 && http2) return (await import("./request-protocol.ts")).protocolOf;
  const only = http1 ? "HTTP/1.1" : "HTTP/2";
  return () => only;
}
