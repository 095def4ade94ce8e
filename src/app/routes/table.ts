/** Which route takes a request, by the rules of Bun.serve: of two that match, the one that is more definite from the left. */
import { AppImportError } from "../../modules/errors.ts";
import { isPlain } from "../properties.ts";
import { type Handle, handleOf } from "./answers.ts";

export type Params = Readonly<Record<string, string>>;

export interface Match {
  readonly handle: Handle;
  readonly params: Params;
}

interface Route {
  /** `:id` takes any segment that isn't empty, a last one that begins with `*` all that is left. */
  readonly segments: readonly string[];
  /** Null: for all. */
  readonly method: string | null;
  /** When Bun.serve puts it into its tree: functions first, then what is `false`. */
  readonly turn: number;
  /** Of two that differ in the names of parameters only, the higher one is asked first. */
  readonly rank: number;
  readonly handle: Handle | false;
}

/** By method, HEAD among them if GET is; or one for all of them; or false, which leaves them to the app's fetch. */
type Handles = ReadonlyMap<string, Handle> | Handle | false;

const methods = new Set("GET HEAD POST PUT DELETE PATCH OPTIONS CONNECT TRACE".split(" "));

const noParams = Object.freeze(Object.create(null) as Params);

export class RouteTable {
  readonly #exact = new Map<string, Handles>();
  readonly #patterns: readonly Route[];
  /** Those for a method, once it was asked for, the most definite first; null: for one that no route names. */
  readonly #sorted = new Map<string | null, readonly Route[]>();

  /**
   * @param routes as Bun.serve takes them
   * @param fallback answers for files that aren't there
   * @param describe the app, for messages
   * @throws TypeError for what Bun.serve refuses, AppImportError for what only Bun.serve can do
   */
  constructor(routes: object, fallback: Handle, describe: string) {
    const patterns: Route[] = [];
    const entries = Object.entries(routes) as [string, unknown][];
    for (const [index, [path, value]] of entries.entries()) {
      // Elysia has "" beside "/": Bun takes it, and it matches nothing.
      if (value === undefined || path === "") continue;
      checkPath(path);
      const segments = path.slice(1).split("/");
      // This neither.
      if (segments.slice(0, -1).some((segment) => segment.startsWith("*"))) continue;
      const where = `${describe}: routes: ${path}`;
      const handles = handlesOf(where, value, fallback);
      if (segments.some(isOpen)) patterns.push(...patternsOf(segments, handles, value, index));
      else this.#exact.set(path, handles);
    }
    this.#patterns = patterns;
  }

  /** `path` as it was sent, without its query; null if the app's fetch is to answer. */
  find(method: string, path: string): Match | null {
    const exact = forMethod(this.#exact.get(path), method);
    if (exact !== null) return exact === false ? null : { handle: exact, params: noParams };
    if (this.#patterns.length === 0) return null;
    const asked = path.slice(1).split("/");
    for (const { segments, handle } of this.#for(methods.has(method) ? method : null)) {
      if (!matches(segments, asked)) continue;
      return handle === false ? null : { handle, params: paramsOf(segments, asked) };
    }
    return null;
  }

  #for(method: string | null): readonly Route[] {
    let sorted = this.#sorted.get(method);
    if (sorted === undefined) {
      sorted = inOrder(
        this.#patterns.filter(({ method: only }) => only === null || only === method),
      );
      this.#sorted.set(method, sorted);
    }
    return sorted;
  }
}

/** Of routes for one method. */
function inOrder(routes: readonly Route[]): readonly Route[] {
  // Rests of two names have two places in Bun's tree, of which the first one goes first.
  const turns = new Map<string, number>();
  for (const { segments, turn } of routes) {
    const place = placeOf(segments);
    turns.set(place, Math.min(turn, turns.get(place) ?? turn));
  }
  const turnOf = ({ segments }: Route) => turns.get(placeOf(segments))!;
  // Of equal ones, the last one counts.
  return routes
    .toReversed()
    .toSorted(
      (one, other) =>
        compare(one.segments, other.segments) ||
        turnOf(one) - turnOf(other) ||
        other.rank - one.rank,
    );
}

/**
 * @param value what `handles` was made of
 * @param index of it among all routes
 */
function patternsOf(
  segments: readonly string[],
  handles: Handles,
  value: unknown,
  index: number,
): Route[] {
  const route = (method: string | null, made: unknown, handle: Handle | false): Route => {
    const turn = (typeof made === "function" ? 0 : made === false ? 1 : 2) * 2 ** 32 + index;
    return { segments, method, turn, rank: rankOf(method, made), handle };
  };
  if (!(handles instanceof Map)) return [route(null, value, handles as Handle | false)];
  const values = value as Readonly<Record<string, unknown>>;
  // HEAD may be that of GET.
  return [...(handles as ReadonlyMap<string, Handle>)].map(([method, handle]) =>
    route(method, values[method] || values["GET"], handle),
  );
}

/** Its place in Bun's tree. */
function placeOf(segments: readonly string[]): string {
  return segments.map((segment) => (segment.startsWith(":") ? ":" : segment)).join("/");
}

/** In Bun's order: what is for one method before what is for all, and a function last, but not for HEAD. */
function rankOf(method: string | null, value: unknown): number {
  const isFunction = typeof value === "function";
  if (method === null || method === "HEAD") {
    if (isFunction) return method === null ? 0 : 1;
    return value === false ? 2 : 3;
  }
  return isFunction ? 4 : 5;
}

function isOpen(segment: string, index: number, all: readonly string[]): boolean {
  return segment.startsWith(":") || isRest(segment, index, all);
}

function isRest(segment: string, index: number, all: readonly string[]): boolean {
  return segment.startsWith("*") && index === all.length - 1;
}

/** Null: the next route may have it. */
function forMethod(handles: Handles | undefined, method: string): Handle | false | null {
  if (handles === undefined) return null;
  if (typeof handles === "function" || handles === false) return handles;
  return handles.get(method) ?? null;
}

function matches(segments: readonly string[], asked: readonly string[]): boolean {
  for (let index = 0; index < segments.length; index += 1) {
    const [segment, given] = [segments[index]!, asked[index]];
    if (given === undefined) return false;
    if (isRest(segment, index, segments)) return true;
    if (segment.startsWith(":") ? given === "" : given !== segment) return false;
  }
  return asked.length === segments.length;
}

function paramsOf(segments: readonly string[], asked: readonly string[]): Params {
  let params: Record<string, string> | null = null;
  for (let index = 0; index < segments.length; index += 1) {
    const segment = segments[index]!;
    if (segment.startsWith(":")) (params ??= {})[segment.slice(1)] = decode(asked[index]!);
  }
  return params ?? noParams;
}

/** What is no UTF-8 becomes U+FFFD, as in Bun. */
function decode(segment: string): string {
  if (!segment.includes("%")) return segment;
  return segment.replace(/((?:%[0-9a-f]{2})+)|%..|%/gi, (_all, run?: string) =>
    run === undefined ? "\ufffd" : Buffer.from(run.replaceAll("%", ""), "hex").toString(),
  );
}

/** Segment by segment: a name before a parameter, a parameter before the rest. */
function compare(one: readonly string[], other: readonly string[]): number {
  for (const [index, segment] of one.entries()) {
    const against = other[index];
    if (against === undefined) return 1;
    const difference = openness(segment) - openness(against);
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}

function openness(segment: string): number {
  if (segment.startsWith("*")) return 2;
  return segment.startsWith(":") ? 1 : 0;
}

function checkPath(path: string): void {
  if (!path.startsWith("/")) {
    throw new TypeError(`Invalid route ${JSON.stringify(path)}. Path must start with '/'`);
  }
  if (/[^\0-\x7f]/.test(path)) {
    const advice = "Please encode all non-ASCII characters in the path.";
    throw new TypeError(`Invalid route ${JSON.stringify(path)}. ${advice}`);
  }
  const names = path.split("/").filter((segment) => segment.startsWith(":"));
  if (new Set(names).size < names.length) {
    throw new TypeError(`Invalid route ${JSON.stringify(path)}. A parameter stands twice`);
  }
}

function handlesOf(where: string, value: unknown, fallback: Handle): Handles {
  if (value === false) return false;
  const single = oneOf(where, value, fallback);
  if (single !== null) return single;
  if (typeof value === "object" && value !== null && isPlain(value)) {
    const entries = Object.entries(value) as [string, unknown][];
    if (entries.length > 0 && entries.every(([method]) => methods.has(method))) {
      const given = entries.filter(([, each]) => each !== false && each !== undefined);
      const handles = new Map(
        given.map(([method, each]) => [method, oneOf(where, each, fallback) ?? refuse(where)]),
      );
      const get = handles.get("GET");
      if (get !== undefined && !handles.has("HEAD")) handles.set("HEAD", get);
      return handles;
    }
  }
  return refuse(where);
}

/** Null for what doesn't answer by itself. */
function oneOf(where: string, value: unknown, fallback: Handle): Handle | null {
  if (isBunsOwn(value)) {
    const what = "HTML imports and folders in routes are Bun.serve's own";
    throw new AppImportError(`${where}: ${what}, use --worker-class serve`);
  }
  return handleOf(value, fallback);
}

/** `{ dir }`, and an HTML import, which isn't plain. */
function isBunsOwn(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (value instanceof Response || value instanceof Blob) return false;
  return !isPlain(value) || Object.hasOwn(value, "dir") || Object.hasOwn(value, "index");
}

function refuse(where: string): never {
  const values = "a function, a Response, a file, false, or an object of them by method";
  throw new TypeError(`${where}: expected ${values}`);
}
