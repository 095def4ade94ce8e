/**
 * What was thrown, in words. Anything can be thrown: a Proxy, an object whose getters throw, an error that holds
 * itself. Nothing here throws, and nothing is longer than a log should take.
 */

const longest = 65_536;
/** How many errors of an AggregateError are told, and how deep one may stand in another. */
const mostErrors = 20;
const deepest = 3;

/** What was thrown: the stack of a bug, the place of a syntax error, or the text of something that isn't an Error. */
export function describeError(error: unknown): string {
  const text = textOf(error);
  return attempt(() => error instanceof Error) === true ? text : `Thrown: ${text}`;
}

/** The text of any value: of an Error as describeError(), of others what Bun shows. */
export function textOf(value: unknown): string {
  const text = attempt(() => describe(value, 0)) ?? unreadable(value);
  if (text.length <= longest) return text;
  return `${text.slice(0, longest)}... (${text.length - longest} more characters)`;
}

function describe(error: unknown, depth: number): string {
  if (typeof error === "string") return error;
  if (!(error instanceof Error)) return Bun.inspect(error);
  const errors = error instanceof AggregateError ? attempt(() => [...error.errors]) : null;
  if (errors !== null && errors.length > 0 && depth < deepest) {
    const told = errors.slice(0, mostErrors).map((each) => nested(each, depth + 1));
    const more = errors.length - told.length;
    return [...told, ...(more > 0 ? [`... and ${more} more errors`] : [])].join("\n");
  }
  return describePlace(error) ?? describeStack(error);
}

function nested(error: unknown, depth: number): string {
  const text = attempt(() => describe(error, depth)) ?? unreadable(error);
  return attempt(() => error instanceof Error) === true ? text : `Thrown: ${text}`;
}

function unreadable(value: unknown): string {
  return `a value of type ${typeof value} that can't be read`;
}

/** Bun's BuildMessage and ResolveMessage know where in a source text they are. */
function describePlace(error: Error): string | null {
  return attempt(() => {
    const { position } = error as { readonly position?: Position | null };
    if (!position?.file) return null;
    const { file, line, column, lineText } = position;
    return `${error.name}: ${error.message}\n    at ${file}:${line}:${column}: ${lineText.trim()}`;
  });
}

interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly lineText: string;
}

function describeStack(error: Error): string {
  const name = readText(() => error.name) ?? "Error";
  const message = readText(() => error.message);
  const line = `${name}: ${message ?? "(its message can't be read)"}`;
  const stack = readText(() => error.stack);
  if (stack === null) return line;
  return message === null || !stack.includes(message) ? `${line}\n${stack}` : stack;
}

function readText(read: () => unknown): string | null {
  const value = attempt(read);
  return typeof value === "string" ? value : null;
}

/** The value, or null if it can't be had. */
function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    // A getter or trap of the app's: that it throws is all there is to know.
    return null;
  }
}
