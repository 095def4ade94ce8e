/** What stands in an object that may be Bun.serve's options. */

/** A handler, as Bun.serve calls it. */
type Fetch = (request: Request, server: unknown) => Response | Promise<Response>;

/** Whether an object can be Bun.serve's options: frameworks have routes and errors of their own. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

export function ownValue(value: object, name: string): unknown {
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

/** A property of the object's own that is an object, and no array; else null. */
export function ownObject(value: object, name: string): object | null {
  const found = ownValue(value, name);
  return typeof found === "object" && !Array.isArray(found) ? found : null;
}

/** The object's fetch, own or inherited; null if it has none. */
export function ownFetch(value: object): Fetch | null {
  const { fetch } = value as { fetch?: unknown };
  return typeof fetch === "function"
    ? (request, server) => fetch.call(value, request, server)
    : null;
}
