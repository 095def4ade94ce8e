/**
 * The `serve` kind: Bun.serve in each worker, for apps that need Bun's own routes or protocols. It
 * can't inherit sockets, so each worker opens its own by reusePort: what waits in the queue of a
 * worker that leaves is reset, unless the kernel migrates it (net.ipv4.tcp_migrate_req).
 */
import type { RequestFacts } from "../handler.ts";
import type { Serving, ServingContext } from "../serving.ts";

/** How long every answer says `Connection: close` before stop() severs the idle connections. */
const farewellMs = 150;
const pollMs = 10;

export class BunServing implements Serving {
  readonly #context: ServingContext;
  #servers: Bun.Server<undefined>[] = [];
  #draining = false;

  constructor(context: ServingContext) {
    this.#context = context;
  }

  listen(): void {
    const { listeners, config } = this.#context;
    this.#servers = listeners.map(({ hostname, port }) =>
      Bun.serve({
        hostname,
        port,
        reusePort: true,
        development: false,
        // Bun.serve has one timer for everything that is idle; its grain is coarser than a second.
        idleTimeout: Math.min(255, config.keepalive),
        fetch: (request, server) => this.#answer(request, server),
      }),
    );
  }

  async drain(): Promise<void> {
    this.#draining = true;
    await Bun.sleep(farewellMs);
    await Promise.all(this.#servers.map((server) => server.stop()));
    // stop() resolves with the last response handed over; the handler's own end comes after it.
    while (this.#context.handler.inFlight > 0) await Bun.sleep(pollMs);
  }

  async #answer(request: Request, server: Bun.Server<undefined>): Promise<Response> {
    const { handler } = this.#context;
    const facts: RequestFacts = { method: request.method, target: targetOf(request.url) };
    let response: Response | null = null;
    try {
      response = await handler.begin(facts, request, server);
    } catch (error) {
      response = await handler.fail(facts, error);
    }
    if (response !== null && !(response instanceof Response)) {
      handler.complain(facts, `Expected a Response, got ${typeof response}`);
      response = null;
    }
    handler.finish(facts, request, response);
    return this.#closing(response ?? plainError());
  }

  /** While draining, tells the client to open its next connection elsewhere. */
  #closing(response: Response): Response {
    if (!this.#draining) return response;
    const headers = new Headers(response.headers);
    headers.set("connection", "close");
    const { status, statusText } = response;
    return new Response(response.body, { status, statusText, headers });
  }
}

function plainError(): Response {
  return new Response("Internal Server Error", { status: 500 });
}

function targetOf(url: string): string {
  const at = url.indexOf("/", url.indexOf("//") + 2);
  return at === -1 ? "/" : url.slice(at);
}
