/**
 * What code of others has thrown may be anything: a Proxy that is revoked, an object whose getters throw. Invariant:
 * nothing here throws by looking at it.
 */

/** Whether it is an instance of the class; false when that can't be found out. */
export function isA<T>(thrown: unknown, Class: abstract new (...args: never[]) => T): thrown is T {
  try {
    return thrown instanceof Class;
  } catch {
    // A trap of a Proxy, or its lack of a target.
    return false;
  }
}

/** The property, or undefined when it can't be read. */
export function propertyOf(thrown: unknown, name: string): unknown {
  try {
    return (thrown as Readonly<Record<string, unknown>>)[name];
  } catch {
    // A getter, or nothing that has properties.
    return undefined;
  }
}

/** Whether it is what a body or a signal rejects with when the client has left; an app's own signals reject with the same. */
export function isAbortError(thrown: unknown): boolean {
  return isA(thrown, DOMException) && propertyOf(thrown, "name") === "AbortError";
}

/** The property if it is a text. */
export function textProperty(thrown: unknown, name: string): string | null {
  const value = propertyOf(thrown, name);
  return typeof value === "string" ? value : null;
}

/** The message of an Error, or that it has none that can be read. */
export function messageOf(error: Error): string {
  return textProperty(error, "message") ?? "(its message can't be read)";
}

/** A value as Bun shows it; an inspector of the app's own may throw. */
export function inspectSafely(value: unknown, options: Bun.BunInspectOptions = {}): string {
  try {
    return Bun.inspect(value, options);
  } catch {
    return `a value of type ${typeof value} that can't be read`;
  }
}
