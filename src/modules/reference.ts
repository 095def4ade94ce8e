import { AppImportError } from "./errors.ts";
import { readLiterals } from "./literals.ts";

/** MODULE or MODULE:EXPORT, taken apart. */
export interface Reference {
  readonly module: string;
  /** Null when only a module is given. */
  readonly target: Target | null;
}

export interface Target {
  /** The export as it was written. */
  readonly text: string;
  /** The names between the dots. */
  readonly path: readonly string[];
  /** The arguments of a call, or null for a plain name. */
  readonly call: readonly unknown[] | null;
}

const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

const form = "an app is MODULE:EXPORT, such as app:fetch";

/** Throws AppImportError, which begins in Gunicorn's words. */
export function parseReference(text: string): Reference {
  const [, scheme] = /^([a-z][a-z\d+.-]+):\/\//i.exec(text) ?? [];
  if (scheme !== undefined)
    throw new AppImportError(`No application module specified: '${text}' is a URL, ${form}`);
  const colon = text.indexOf(":");
  const module = (colon < 0 ? text : text.slice(0, colon)).trim();
  if (module === "")
    throw new AppImportError(
      `No application module specified: '${text}', ${form}${portHint(text)}`,
    );
  return { module, target: colon < 0 ? null : parseTarget(text, text.slice(colon + 1).trim()) };
}

/** Of an address that stands where the app should. */
function portHint(text: string): string {
  return /:\d+$/.test(text) ? `; an address to listen on is --bind ${text}` : "";
}

function parseTarget(whole: string, text: string): Target {
  const parenthesis = text.indexOf("(");
  const path = (parenthesis < 0 ? text : text.slice(0, parenthesis)).trim().split(".");
  const named = path.every((name) => identifier.test(name));
  if (!named || (parenthesis >= 0 && !text.endsWith(")")))
    throw new AppImportError(
      `Failed to parse '${text}' as an attribute name or function call: got '${whole}', ${form}${portHint(whole)}`,
    );
  if (parenthesis < 0) return { text, path, call: null };
  if (path.length > 1)
    throw new AppImportError(`Function reference must be a simple name: '${text}'`);
  const call = readLiterals(text.slice(parenthesis + 1, -1));
  if (call === null)
    throw new AppImportError(`Failed to parse arguments as literal values: '${text}'`);
  return { text, path, call };
}
