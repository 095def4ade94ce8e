/** Exports that are node listeners: which value of a framework takes (req, res), and a server of node:http made of it. */

type Listener = (request: never, response: never) => unknown;

/**
 * Makes the server, and lets it listen; null for a value that is no node listener. Nothing is called that isn't there.
 * @param anyFunction a function is one, whatever its parameters are called
 */
export function listenerOf(value: unknown, anyFunction = false): (() => Promise<void>) | null {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return null;
  const has = (name: string): boolean =>
    typeof (value as Record<string, unknown>)[name] === "function";
  const call = (name: string) => (value as Record<string, () => unknown>)[name]!();
  // Express, connect.
  if (typeof value === "function") {
    const isFramework = has("handle") && has("use");
    const isListener = anyFunction || isFramework || takesResponse(value);
    return isListener ? () => serve(value as Listener) : null;
  }
  if (!has("listen")) return null;
  // Fastify.
  if (has("routing") && has("ready"))
    return async () => {
      await call("ready");
      await serve((value as { routing: Listener }).routing);
    };
  // Koa.
  if (has("callback")) return () => serve(call("callback") as Listener);
  // Nest, whose server is the one of the framework below.
  if (has("getHttpAdapter") && has("init"))
    return async () => {
      await call("init");
      await listen(call("getHttpServer") as Server);
    };
  // polka.
  if (has("handler") && has("use")) return () => serve(bound(value, "handler"));
  // http.Server.
  if (has("on") && has("close"))
    return (value as { listening?: boolean }).listening === true
      ? () => Promise.resolve()
      : () => listen(value as Server);
  return null;
}

/** By the name that a listener's second parameter has everywhere. */
function takesResponse(value: object): boolean {
  const text = Function.prototype.toString.call(value);
  return /^(?:async\s+)?(?:function\s*[\w$]*\s*)?\(\s*[\w$]+\s*,\s*_?(?:res|response|reply)\b/.test(
    text,
  );
}

interface Server {
  listen(port: number, onListening: () => void): unknown;
  once(event: "error", listener: (error: unknown) => void): unknown;
}

function bound(value: object, name: string): Listener {
  return ((...args: unknown[]) =>
    (value as Record<string, (...args: unknown[]) => unknown>)[name]!(...args)) as Listener;
}

function serve(listener: Listener): Promise<void> {
  const { createServer } = process.getBuiltinModule("node:http");
  return listen(createServer(listener as never));
}

/** The port is of no account: the capture takes it. */
function listen(server: Server): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(8000, resolve);
  return promise;
}
