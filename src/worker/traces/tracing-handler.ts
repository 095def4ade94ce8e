/** A handler whose apps are asked within the trace of each request; without traces there is none of it on the way. */
import type { RequestFacts } from "../../api/request-record.ts";
import type { App } from "../../app/load.ts";
import { Handler } from "../exchange/handler.ts";
import type { Tracer } from "./tracer.ts";

type Parts = ConstructorParameters<typeof Handler>[0];

export class TracingHandler extends Handler {
  readonly #tracer: Tracer;
  readonly #fetch: App["fetch"];
  // Of the request that begins: it is asked about in the same breath, and costs no closure (bench: traces).
  #facts: RequestFacts | null = null;
  #handle: App["fetch"];

  constructor(parts: Parts, tracer: Tracer) {
    super(parts);
    this.#tracer = tracer;
    this.#fetch = parts.app.fetch;
    this.#handle = parts.app.fetch;
  }

  override begin(
    facts: RequestFacts,
    request: Request,
    server: unknown,
    handle: App["fetch"] = this.#fetch,
  ): Response | Promise<Response> {
    this.#facts = facts;
    this.#handle = handle;
    return super.begin(facts, request, server, this.#within);
  }

  readonly #within = (request: Request, server: unknown): Response | Promise<Response> => {
    const facts = this.#facts as RequestFacts;
    this.#facts = null;
    return this.#tracer.within(facts, request, server, this.#handle);
  };
}
