/** The kind of worker_class. The contract is that of kinds.ts. */
import { ConfigError } from "../../api/errors.ts";
import {
  type BuiltInClass,
  type OwnClass,
  type WorkerClass,
  workerClassEntries,
} from "../worker-classes.ts";
import { type Kind, refuse, show } from "./kinds.ts";

/** Gunicorn's other words for classes that are here. */
const otherNames: Readonly<Record<string, BuiltInClass>> = { gthread: "sync" };

const pythonWorkers = ["gevent", "gevent_wsgi", "gevent_pywsgi", "eventlet", "tornado", "asgi"];

/** Classes of Python's packages, as Gunicorn names them: MODULE.CLASS. */
const pythonClass = /^(?:aiohttp|gunicorn|meinheld|uvicorn|uvicorn_worker)\.[\w.]+$/;

const names = workerClassEntries.map(([name]) => name);
const range = `${names.join(", ")} or a class of your own, MODULE:CLASS`;

const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

export const workerClass: Kind<WorkerClass> = {
  takes: "value",
  metavar: "STRING",
  range,
  parse(given) {
    if (typeof given === "function") {
      const why = "each worker loads it for itself, by its name";
      throw new ConfigError(`must be the text MODULE:CLASS, got a function: ${why}`);
    }
    if (typeof given !== "string") return refuse(range, given);
    const value = given.trim();
    const name = names.find((each) => each === value);
    if (name !== undefined) return name;
    if (Object.hasOwn(otherNames, value)) return otherNames[value] as BuiltInClass;
    const isPython = pythonWorkers.includes(value) || pythonClass.test(value);
    if (isPython || value.startsWith("egg:")) {
      throw new ConfigError(`${value}: Python only; use async`);
    }
    return isReference(value) ? value : refuse(range, value);
  },
  show,
};

/** A Windows path would be one too, whose class is no name. */
function isReference(value: string): value is OwnClass {
  const at = value.lastIndexOf(":");
  return at > 0 && identifier.test(value.slice(at + 1)) && !value.slice(0, at).includes(":");
}
