/** The kind of worker_class. The contract is that of kinds.ts. */
import { ConfigError } from "../../api/errors.ts";
import { type WorkerClass, workerClassEntries } from "../worker-classes.ts";
import { type Kind, refuse, show } from "./kinds.ts";

/** Gunicorn's other words for classes that are here. */
const otherNames: Readonly<Record<string, WorkerClass>> = { gthread: "sync" };

const pythonWorkers = ["gevent", "gevent_wsgi", "gevent_pywsgi", "eventlet", "tornado", "asgi"];

const names = workerClassEntries.map(([name]) => name);
const range = `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;

export const workerClass: Kind<WorkerClass> = {
  takes: "value",
  metavar: "STRING",
  range,
  parse(value) {
    const name = names.find((each) => each === value);
    if (name !== undefined) return name;
    if (typeof value !== "string") return refuse(range, value);
    if (Object.hasOwn(otherNames, value)) return otherNames[value] as WorkerClass;
    if (pythonWorkers.includes(value)) throw new ConfigError(`${value}: Python only; use async`);
    if (/^[./]|:/.test(value)) {
      throw new ConfigError(`${value}: a worker class of your own is not supported yet`);
    }
    return refuse(range, value);
  },
  show,
};
