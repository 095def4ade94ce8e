/** What an app's module exports to be called around its serving: `startup` and `shutdown`, as ASGI's lifespan. */
import { basename } from "node:path";
import { AppImportError } from "../modules/errors.ts";
import { importModule } from "../modules/import.ts";
import { parseReference } from "../modules/reference.ts";
import { resolveModule } from "../modules/resolve.ts";

/** The two functions; null for one that isn't exported, or isn't to be called. */
export interface Lifespan {
  readonly startup: (() => unknown) | null;
  readonly shutdown: (() => unknown) | null;
}

const nothing: Lifespan = { startup: null, shutdown: null };

/**
 * Reads the two from a module that is imported already, by its MODULE:EXPORT.
 * @param mode the setting asgi_lifespan
 * @throws AppImportError when there are none and `mode` is `on`
 */
export async function loadLifespan(
  text: string,
  { cwd, mode }: { readonly cwd: string; readonly mode: "auto" | "on" | "off" },
): Promise<Lifespan> {
  if (mode === "off") return nothing;
  const path = resolveModule(parseReference(text), cwd);
  const exports = await importModule(path);
  const find = (name: string): (() => unknown) | null => {
    const found = Object.hasOwn(exports, name) ? exports[name] : null;
    return typeof found === "function" ? () => (found as () => unknown)() : null;
  };
  const lifespan = { startup: find("startup"), shutdown: find("shutdown") };
  if (mode === "on" && lifespan.startup === null && lifespan.shutdown === null) {
    const wanted = "asgi_lifespan = on wants functions of these names";
    throw new AppImportError(`${basename(path)} exports neither startup nor shutdown: ${wanted}`);
  }
  return lifespan;
}
