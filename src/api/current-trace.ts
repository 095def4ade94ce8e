/** The trace of the request that an app works on, wherever in its code. */
import type { Trace } from "./trace.ts";

/** What an AsyncLocalStorage is here. */
interface Store {
  getStore(): Trace | undefined;
}

// An app may import this package from another place on disk than the server runs from, and then this file exists twice
// in the process.
const key = Symbol.for("gunicorn-ts.traces");

const shared = globalThis as { [key]?: Store };

export function provideTraces(store: Store): void {
  shared[key] = store;
}

/** Null outside of a request, without otel_endpoint, and where no server runs. */
export function currentTrace(): Trace | null {
  return shared[key]?.getStore() ?? null;
}
