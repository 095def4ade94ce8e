/**
 * A configuration file: `gunicorn-ts -c config/gunicorn.conf.ts hello:fetch`. As gunicorn.conf.ts in the
 * folder that the server starts in, it is read without being asked for. The command line is stronger.
 */

import { defineConfig } from "gunicorn-ts";

export default defineConfig({
  bind: ["127.0.0.1:8000"],

  // A number, or "auto": as many as there are CPUs for this process.
  workers: 2,

  // Seconds that a worker's event loop may be blocked before it is killed and replaced.
  timeout: 30,

  // Seconds that a worker gets to finish its requests when it is told to stop.
  gracefulTimeout: 30,

  // Replace a worker after so many requests, give or take, so that they don't all leave at once.
  maxRequests: 10_000,
  maxRequestsJitter: 1000,

  // Hooks of the master. A hook and the app share no memory: each process imports this file for itself.
  whenReady(server) {
    server.log.info(`Ready with ${server.numWorkers} workers`);
  },

  // Hooks of the workers.
  postWorkerInit(worker) {
    worker.log.info(`Worker ${worker.slot} has loaded the app`);
  },
});
