/**
 * Who serves with which certificates. Each generation has its own, read with it; a renewal makes a new edition of them. A
 * worker keeps to its generation: a reload that is taken back leaves nothing of the new configuration behind. Pure.
 */
import type { Action } from "./events.ts";
import { type Fleet, type Generation, leaving, type WorkerState } from "./state.ts";

/** What a renewal of a generation's certificates changes: nothing, if nobody is born under it any more. */
export function renewed({ wanted, fallback }: Fleet, number: number): Partial<Fleet> {
  if (wanted.number === number) return { wanted: nextEdition(wanted) };
  if (fallback?.generation.number !== number) return {};
  return { fallback: { ...fallback, generation: nextEdition(fallback.generation) } };
}

function nextEdition(generation: Generation): Generation {
  return { ...generation, edition: generation.edition + 1 };
}

/** The edition that a worker of a generation gets when it is spawned now. */
export function editionOf(fleet: Fleet, number: number): number {
  return living(fleet).find((each) => each.number === number)?.edition ?? 0;
}

/** Whether a worker serves with certificates that have been renewed since. */
export function isOutdated(generation: Generation, worker: WorkerState): boolean {
  return worker.generation === generation.number && worker.edition < generation.edition;
}

/** The newest certificates, for workers that take them while they serve; those that leave are done with new connections. */
export function sendCredentials(fleet: Fleet): Action[] {
  return living(fleet).flatMap((generation) =>
    fleet.workers
      .filter((worker) => generation.takesCredentials && isOutdated(generation, worker))
      .filter((worker) => !leaving(worker))
      .map(({ age }): Action => ({ do: "send credentials", age, edition: generation.edition })),
  );
}

/** Those that workers may still be born under. */
function living({ wanted, fallback }: Fleet): Generation[] {
  return fallback === null ? [wanted] : [wanted, fallback.generation];
}
