/** A worker class of the user's own is found by its reference, and given what src/api/serving.ts promises. */
import { ConfigError } from "../../api/errors.ts";
import type { Serving, ServingClass, ServingContext } from "../../api/serving.ts";
import type { ConfigData } from "../../config/types.ts";
import { loadClass } from "../../modules/load-class.ts";
import type { InternalContext } from "./serving.ts";

const methods = ["listen", "windDown", "drain"] as const satisfies readonly (keyof Serving)[];

/** @throws ConfigError when there is no such class, or it lacks a method */
export async function loadOwnClass({
  workerClass,
  chdir,
}: Pick<ConfigData, "workerClass" | "chdir">): Promise<ServingClass> {
  const setting = "workerClass";
  const Class = await loadClass({ setting, text: workerClass, folder: chdir });
  const prototype = Class.prototype as Partial<Serving>;
  const missing = methods.filter((name) => typeof prototype[name] !== "function");
  if (missing.length > 0) {
    throw new ConfigError(`${setting}: '${workerClass}': has no method ${missing.join(", ")}`);
  }
  return Class as unknown as ServingClass;
}

/** What a class may rely on from one release to the next. */
export function publicContext(context: InternalContext): ServingContext {
  const { slot, numWorkers, config, listeners, tls, handler, log, observers } = context;
  const { describe, fetch, options, routes, websocket } = context.app;
  const app = Object.freeze({ describe, fetch, options, routes, websocket });
  const hasWaiting = () => context.hasWaiting();
  const given = {
    slot,
    numWorkers,
    config,
    listeners,
    tls,
    handler,
    app,
    log,
    observers,
    hasWaiting,
  };
  return Object.freeze(given);
}
