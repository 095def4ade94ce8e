import type { ConfigData } from "../../config/types.ts";
import { type ClassCode, workerClassOf } from "../../config/worker-classes.ts";
import type { Serving } from "../../api/serving.ts";
import { ownFile } from "../../own-files.ts";
import { checkApp, type InternalContext } from "./serving.ts";

/** What the module of a built-in class exports by the name that the table has. */
interface BuiltIn {
  create(context: InternalContext): Promise<Serving>;
  /** Before the app is imported. `marked`: somebody wants to know what Responses were made from. */
  prepareProcess(marked: boolean): void;
}

type Create = (context: InternalContext) => Promise<Serving>;

/**
 * Loads a worker class and makes the process ready for the app; the answer serves it. What isn't used isn't imported.
 * @returns throws AppImportError for an app that the class can't serve
 * @throws ConfigError for a class of the user's own that there isn't
 */
export async function loadWorkerClass(
  config: Pick<ConfigData, "workerClass" | "chdir">,
  marked: boolean,
): Promise<Create> {
  const { code } = workerClassOf(config.workerClass);
  const create = await (code === null ? loadOwn(config, marked) : loadBuiltIn(code, marked));
  return async (context) => {
    checkApp(context);
    return await create(context);
  };
}

async function loadBuiltIn({ source, export: name }: ClassCode, marked: boolean): Promise<Create> {
  const exports = (await import(ownFile(source))) as Record<string, unknown>;
  const Class = exports[name] as BuiltIn;
  Class.prepareProcess(marked);
  return (context) => Class.create(context);
}

async function loadOwn(
  config: Pick<ConfigData, "workerClass" | "chdir">,
  marked: boolean,
): Promise<Create> {
  const { loadOwnClass, publicContext } = await import("./own-class.ts");
  const { installMarks } = await import("../../http/response/globals/install.ts");
  installMarks(marked);
  const Class = await loadOwnClass(config);
  return async (context) => new Class(publicContext(context));
}
