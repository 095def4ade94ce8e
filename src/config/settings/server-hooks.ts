import type { ServerHooks } from "../../api/hooks.ts";
import { callable, type Kind } from "../values/kinds.ts";
import { type Setting, setting } from "../setting.ts";

type Hook<Name extends keyof ServerHooks> = Setting<ServerHooks[Name] | null>;

function hook<Name extends keyof ServerHooks>(parameters: number, description: string): Hook<Name> {
  const kind: Kind<ServerHooks[Name] | null> = callable<ServerHooks[Name]>(parameters);
  return setting({ kind, default: null, status: "works", description });
}

export const serverHooks = {
  onStarting: hook<"onStarting">(
    1,
    `(server) in the master, before it listens
After the pid file is written. Each master runs it once.`,
  ),
  onReload: hook<"onReload">(
    1,
    `(server) in the master, when HUP has read the configuration again
Before the first worker of the new generation.`,
  ),
  whenReady: hook<"whenReady">(1, `(server) in the master, listening, before the first worker`),
  preFork: hook<"preFork">(
    2,
    `(server, worker) in the master, before a worker is spawned
worker.pid is "[booting]". There is no fork: the worker shares no memory with the master.`,
  ),
  postFork: hook<"postFork">(
    2,
    `(server, worker) in the worker, before the app is imported
If it throws, the worker fails to boot. A promise is awaited.`,
  ),
  postWorkerInit: hook<"postWorkerInit">(
    1,
    `(worker) in the worker, with the app imported, before the first request
If it throws, the worker fails to boot. A promise is awaited.`,
  ),
  workerInt: hook<"workerInt">(1, `(worker) in the worker, on INT or QUIT`),
  workerAbort: hook<"workerAbort">(1, `(worker) in the worker, on ABRT, mostly for timeout`),
  preExec: hook<"preExec">(1, `(server) in the master, before USR2 starts a new one`),
  preRequest: hook<"preRequest">(
    2,
    `(worker, request) in the worker, before the app sees a request
If it throws, the answer is 500. Without one, method and path are logged at level debug.`,
  ),
  postRequest: hook<"postRequest">(
    4,
    `(worker, request, environ, response) in the worker, after each request
After failures too, with a response of null. What it throws is only logged.`,
  ),
  childExit: hook<"childExit">(
    2,
    `(server, worker) in the master, when a worker is gone
Not for workers that failed to boot.`,
  ),
  workerExit: hook<"workerExit">(
    2,
    `(server, worker) in the worker, as it exits
What it throws is only logged.`,
  ),
  nworkersChanged: hook<"nworkersChanged">(
    3,
    `(server, new, old) in the master, when the number of workers is set
old is null the first time, when server.pid is null as well.`,
  ),
  onExit: hook<"onExit">(1, `(server) in the master, last of all`),
  sslContext: hook<"sslContext">(
    2,
    `(config, defaultFactory) in the master, gives what TLS is served with
defaultFactory() is what the settings say, as plain data; [tls.md](tls.md) has its fields. Called at the start, at each reload and at each renewal; what it gives is
checked as files are. Needs certfile or tls.`,
  ),
};
