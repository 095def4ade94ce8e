import { join } from "node:path";
import { type WorkerClass, workerClassOf } from "../../config/worker-classes.ts";
import type { Serving } from "../../api/serving.ts";
import { checkApp, type InternalContext } from "./serving.ts";

/** What the module of a worker class exports by the name that the table has. */
interface ServingClass {
  new (context: InternalContext): Serving;
  /** Before the app is imported. `marked`: somebody wants to know what Responses were made from. */
  prepareProcess(marked: boolean): void;
}

/**
 * Loads a worker class and makes the process ready for the app; the answer serves it. What isn't used isn't imported.
 * @returns throws AppImportError for an app that the class can't serve
 */
export async function loadWorkerClass(
  name: WorkerClass,
  marked: boolean,
): Promise<(context: InternalContext) => Serving> {
  const row = workerClassOf(name);
  const exports = (await import(join(import.meta.dir, "..", row.module))) as Record<
    string,
    unknown
  >;
  const Class = exports[row.export] as ServingClass;
  Class.prepareProcess(marked);
  return (context) => {
    checkApp(context);
    return new Class(context);
  };
}
