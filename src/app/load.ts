/** From MODULE:EXPORT to an app: what the module exports, or else what it listens with. */
import { basename, extname } from "node:path";
import { AppImportError } from "../modules/errors.ts";
import { moduleExtensions } from "../modules/find.ts";
import { importModule } from "../modules/import.ts";
import { didYouMean, nearest } from "../modules/nearest.ts";
import { parseReference, type Target } from "../modules/reference.ts";
import { resolveModule } from "../modules/resolve.ts";
import type { Capture, Captured } from "./capture.ts";
import { noTls } from "./options.ts";
import {
  type App,
  type AppType,
  fromListener,
  fromServer,
  isNodeListener,
  type NodeListener,
  readApp,
  withExported,
} from "./shape.ts";

export type { App } from "./shape.ts";

interface Module {
  /** The module as it was written. */
  readonly name: string;
  /** The file as messages name it: `app.ts`. */
  readonly file: string;
  readonly exports: Readonly<Record<string, unknown>>;
  /** What it is to have: the setting app_type. */
  readonly type: AppType;
}

/** A value that was found; wrapped, since a promise asks a bare one for its `then`, and a router Proxy has one. */
interface Found {
  readonly value: unknown;
  /** The object that a method was found on. */
  readonly owner: unknown;
}

/** How long a script that exports nothing may take to call Bun.serve, behind a promise that nobody awaits. */
const scriptMs = 10_000;
/** How long a module may take to do so if its exports are no app. */
const moduleMs = 1000;

/** Where an app is looked for that isn't named, in this order. */
const usualExports = ["default", "fetch", "app"];

/** Of a module that is no ES module, each property is an export. */
const mostListed = 12;

export interface LoadOptions {
  readonly cwd: string;
  /** Where what the app calls Bun.serve for is found; installed already. */
  readonly capture?: Capture;
  /** The setting app_type; auto if left out. */
  readonly type?: AppType;
}

/**
 * Imports the module of MODULE[:EXPORT] and answers its app: the export, or what the module listens with. Throws
 * AppImportError when the reference doesn't name one; what the app's own code throws while it is imported or called
 * passes through as it is.
 */
export async function loadApp(text: string, options: LoadOptions): Promise<App> {
  const reference = parseReference(text);
  const { module: name, target } = reference;
  const path = resolveModule(reference, options.cwd);
  const { capture = null, type = "auto" } = options;
  const module: Module = { name, file: basename(path), exports: await importModule(path), type };
  if (target === null) return withExported(await chooseApp(module, capture), module.exports);
  const { value, owner } =
    target.call === null ? find(module, target) : call(module, target, target.call);
  const found = demandApp(await settle(value, owner), module, target);
  return withExported(await becomeApp(found, capture, type), module.exports);
}

/**
 * An app is served as it is, beside whatever the module listens with; what is an app when it listens does so first, unless
 * the module has listened itself.
 */
async function becomeApp(
  found: App | NodeListener,
  capture: Capture | null,
  type: AppType,
): Promise<App> {
  const listensElse = capture === null || capture.captured !== null;
  const exported = isNodeListener(found) && listensElse ? (found.otherwise ?? found) : found;
  if (!isNodeListener(exported)) {
    if (!exported.captured) capture?.leaveAside();
    return exported;
  }
  if (capture === null)
    throw new AppImportError(`${exported.describe} is a node listener (req, res)`);
  const { describe } = exported;
  const listensItself = capture.captured !== null;
  if (!listensItself) await exported.listen();
  const captured = await capture.wait(moduleMs);
  if (captured === null)
    throw new AppImportError(`${exported.describe} doesn't listen by node:http`);
  return await fromCaptured(captured, { describe, type, listensItself });
}

interface CapturedBy {
  readonly describe: string;
  readonly type: AppType;
  /** Not when the worker has asked it to. */
  readonly listensItself: boolean;
}

async function fromCaptured(
  captured: Captured,
  { describe, type, listensItself }: CapturedBy,
): Promise<App> {
  const maker = captured.type === "serve" ? "Bun.serve" : "node:http";
  if (type !== "auto" && (type === "node") !== (captured.type === "node"))
    throw new AppImportError(`${describe}: it listens by ${maker}, and app_type is ${type}`);
  if (captured.type === "serve") return fromServer(captured.server, describe, listensItself);
  // As for Bun.serve's option: clients would get what the app didn't mean.
  if (captured.hasTls) {
    throw new AppImportError(`${describe}: tls: ${noTls}`);
  }
  // Most apps need none: its code would cost time at the start, and at every garbage collection.
  const { dispatchTo, isKnown } = await import("./node/dispatch.ts");
  if (!isKnown(captured.onRequest)) {
    throw new AppImportError(
      `${describe}: node:http of Bun ${Bun.version} is unknown to this version of gunicorn-ts`,
    );
  }
  const { upgradesOf } = await import("./node/upgrades.ts");
  const { onRequest, server, path } = captured;
  const place = listensItself ? captured.place : null;
  return fromListener(dispatchTo(onRequest, server), upgradesOf(server, path), describe, place);
}

async function chooseApp(module: Module, capture: Capture | null): Promise<App> {
  const chosen = await chooseExport(module);
  if (!(chosen instanceof AppImportError)) return await becomeApp(chosen, capture, module.type);
  const isScript = Object.keys(module.exports).length === 0;
  const limitMs = isScript ? scriptMs : moduleMs;
  const captured = (await capture?.wait(limitMs)) ?? null;
  if (captured === null) {
    if (!isScript || capture === null) throw chosen;
    const hasNot = `has called neither Bun.serve nor listen() of node:http in ${limitMs / 1000} seconds`;
    throw new AppImportError(`${chosen.message}, and ${hasNot}`);
  }
  const describe = `${module.file}: the server that it starts`;
  return await fromCaptured(captured, { describe, type: module.type, listensItself: true });
}

/** Answers with what is wrong with the exports, if none is an app. */
async function chooseExport({
  name: module,
  file,
  exports,
  type,
}: Module): Promise<App | NodeListener | AppImportError> {
  const refusals: string[] = [];
  for (const name of usualExports) {
    if (!Object.hasOwn(exports, name)) continue;
    const { value } = await settle(exports[name], null);
    const app = readApp(value, null, `${file}: ${name}`, type);
    if (typeof app === "string") refusals.push(`${file}: ${name} ${app}`);
    else if (app !== null) return app;
  }
  if (refusals[0] !== undefined) return new AppImportError(refusals[0]);
  const names = Object.keys(exports);
  const usable = names.find((name) => isApp(exports[name], type));
  const listed = listExports({ file, exports });
  if (usable !== undefined)
    return new AppImportError(
      `${listed}: none is named default, fetch or app, did you mean '${module}:${usable}'?`,
    );
  if (!moduleExtensions.includes(extname(file)))
    return new AppImportError(`${file} is no module of TypeScript or JavaScript, and has no app`);
  const wanted = type === "node" ? "is a node listener (req, res)" : "is a function or has fetch";
  return new AppImportError(names.length === 0 ? listed : `${listed}: none ${wanted}`);
}

function isApp(value: unknown, type: AppType): boolean {
  const app = readApp(value, null, "", type);
  return app !== null && typeof app !== "string";
}

/** Follows the names from export to property. */
function find(module: Module, { text, path }: Target): Found {
  let found: Found = { value: module.exports, owner: null };
  for (const [depth, name] of path.entries()) {
    const { value } = found;
    const holds = value !== null && (typeof value === "object" || typeof value === "function");
    const next = holds ? (value as Record<string, unknown>)[name] : undefined;
    if (next === undefined)
      throw new AppImportError(
        `Failed to find attribute '${text}' in '${module.name}': ${listExports(module)}${depth === 0 ? hintAt(name, module) : ""}`,
      );
    // The module itself is no `this`.
    found = { value: next, owner: depth === 0 ? null : value };
  }
  return found;
}

/** The export that a misspelt one may mean, or that there is an app without naming one. */
function hintAt(name: string, { name: module, exports, type }: Module): string {
  const near = nearest(name, Object.keys(exports));
  if (near !== null) return didYouMean(`'${module}:${near}'`);
  const found = usualExports.find((each) => isApp(exports[each], type));
  if (found === undefined) return "";
  if (found === "default") return `, did you mean '${module}', whose default is an app?`;
  return didYouMean(`'${module}:${found}'`);
}

function call(module: Module, target: Target, args: readonly unknown[]): Found {
  const { value: factory } = find(module, target);
  const name = target.path.join(".");
  if (typeof factory !== "function")
    throw new AppImportError(`${module.file}: ${describeValue(name, factory)} can't be called`);
  return { value: factory(...args), owner: null };
}

/** Waits for a value, if it is a native promise. */
async function settle(value: unknown, owner: unknown): Promise<Found> {
  return { value: value instanceof Promise ? await value : value, owner };
}

function demandApp(
  { value, owner }: Found,
  { file, type }: Module,
  { text }: Target,
): App | NodeListener {
  if (value === null || value === undefined)
    throw new AppImportError(`Failed to find application object: '${text}'`);
  const app = readApp(value, owner, `${file}: ${text}`, type);
  if (app === null)
    throw new AppImportError(
      `${file}: ${describeValue(text, value)} is not a function and has no fetch`,
    );
  if (typeof app === "string") throw new AppImportError(`${file}: ${text} ${app}`);
  return app;
}

function listExports({ file, exports }: Pick<Module, "file" | "exports">): string {
  const names = Object.keys(exports);
  const listed = names.slice(0, mostListed).map((name) => describeValue(name, exports[name]));
  const more = names.length > mostListed ? ` and ${names.length - mostListed} more` : "";
  return `${file} exports ${listed.join(", ") || "nothing"}${more}`;
}

function describeValue(name: string, value: unknown): string {
  const type = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  return `"${name}" (${type})`;
}
