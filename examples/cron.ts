/**
 * A job that one of all workers does: the one of slot 0. When that worker is replaced, its successor goes on.
 *
 *     gunicorn-ts -w 4 cron.ts
 */
import { log } from "gunicorn-ts";

const everyMs = Number(process.env["EVERY_MS"] ?? 60_000);

let timer: Timer | undefined;
let runs = 0;

/** Before this worker serves. */
export function startup(): void {
  if (process.env["GUNICORN_SLOT"] === "0") timer = setInterval(cleanUp, everyMs);
}

/** When it has served its last request. For a moment two workers have the slot: the job must bear that. */
export function shutdown(): void {
  clearInterval(timer);
}

function cleanUp(): void {
  runs += 1;
  log.info(`Cleaned up, run ${runs} of slot ${process.env["GUNICORN_SLOT"]}`);
}

export function fetch(): Response {
  return Response.json({ slot: process.env["GUNICORN_SLOT"], runs });
}
