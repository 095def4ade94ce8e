/** What has happened to the server, in the order of time: reloads, births and deaths, and changes of what is wanted. */
import type { Ending, Fleet } from "../decide/state.ts";
import { type Progress, type ProgressFacts, progressOf } from "../decide/status.ts";

export interface Happening {
  /** In milliseconds since 1970. */
  readonly at: number;
  /** Whether somebody may have to look after it. */
  readonly bad: boolean;
  readonly text: string;
}

type Said = Omit<Happening, "at">;

/** The facts of a state that happenings are seen by. */
export type HistoryFacts = ProgressFacts & { readonly fleet: Pick<Fleet, "ended"> };

export interface Seen {
  readonly progress: Progress;
  readonly ended: Fleet["ended"];
}

/** How many are kept. */
const limit = 100;

export class History {
  #seen: Seen | null = null;
  #happenings: readonly Happening[] = [];

  /** The newest last. */
  get happenings(): readonly Happening[] {
    return this.#happenings;
  }

  /** To be called after each event. @param at in milliseconds since 1970 */
  observe(facts: HistoryFacts, at: number): void {
    const now = { progress: progressOf(facts), ended: facts.fleet.ended };
    const news = this.#seen === null ? [] : changes(this.#seen, now);
    this.#seen = now;
    if (news.length === 0) return;
    this.#happenings = [...this.#happenings, ...news.map((said) => ({ at, ...said }))].slice(
      -limit,
    );
  }
}

/** In words, how a worker ended; and whether it did so by a fault. */
const endings: Readonly<Record<Ending, { readonly bad: boolean; readonly how: string }>> = {
  told: { bad: false, how: "left as it was told" },
  recycled: { bad: false, how: "was recycled" },
  timeout: { bad: true, how: "timed out" },
  killed: { bad: true, how: "hadn't left in time, and was killed" },
  signal: { bad: true, how: "was ended by a signal" },
  exit: { bad: true, how: "ended on its own" },
  boot: { bad: true, how: "failed to boot" },
};

/** What has become of the server from one look to the next. Pure. */
export function changes(before: Seen, now: Seen): readonly Said[] {
  return [
    ...ofReload(before.progress, now.progress),
    ...ofMaster(before.progress, now.progress),
    ...deaths(before, now),
    ...births(before.progress, now.progress),
  ];
}

const reloadSteps: Readonly<Record<NonNullable<Progress["reload"]>, string>> = {
  "reading the configuration": "Reload: the configuration is read",
  "on trial": "Reload: a worker of the new configuration is tried",
  "replacing workers": "Reload: workers are replaced",
};

function ofReload(before: Progress, now: Progress): readonly Said[] {
  if (now.phase === "stopping") return [];
  // Until the next load has been read, it is the one before that has failed.
  const failed = ({ reload, reloadFailed }: Progress) =>
    reloadFailed && reload !== "reading the configuration";
  if (failed(now) && !(failed(before) && before.loads === now.loads))
    return [bad("Reload failed, the running workers stay")];
  if (now.reload === before.reload) return [];
  if (now.reload !== null) return [good(reloadSteps[now.reload])];
  return failed(now) ? [] : [good(`Reload done: generation ${now.generation}`)];
}

function ofMaster(before: Progress, now: Progress): readonly Said[] {
  const said: Said[] = [];
  if (before.target !== now.target)
    said.push(good(`Workers wanted: ${before.target}, now ${now.target}`));
  if (before.newMaster !== now.newMaster)
    said.push(
      now.newMaster === null
        ? good(`The new master (pid:${before.newMaster}) has gone`)
        : good(`A new master (pid:${now.newMaster}) is there`),
    );
  if (before.understudy && !now.understudy) said.push(good("The old master has gone"));
  if (before.phase !== "stopping" && now.phase === "stopping") said.push(good("The server stops"));
  else if (!before.draining && now.draining) said.push(good("Clients are told to go elsewhere"));
  if (!before.resting && now.resting) said.push(good("No workers until HUP or TTIN"));
  return said;
}

function deaths(before: Seen, now: Seen): readonly Said[] {
  const alive = new Set(now.progress.workers.map(({ age }) => age));
  const gone = before.progress.workers.filter(({ age }) => !alive.has(age));
  if (gone.length === 0) return [];
  const reasons = Object.entries(endings)
    .map(([why, each]) => {
      const ending = why as Ending;
      return { ...each, count: now.ended[ending] - before.ended[ending] };
    })
    .filter(({ count }) => count > 0);
  const [first] = reasons;
  // Of several that are seen at once nobody knows which ended how, unless all did alike.
  if (first !== undefined && reasons.length === 1)
    return gone.map(({ pid, slot }) => ({
      bad: first.bad,
      text: `Worker ${pid} (slot ${slot}) ${first.how}`,
    }));
  const pids = gone.map(({ pid }) => pid).join(", ");
  const how = reasons.map(({ count, how: each }) => `${count} ${each}`).join("; ");
  return [{ bad: reasons.some((reason) => reason.bad), text: `Workers ${pids} ended: ${how}` }];
}

function births(before: Progress, now: Progress): readonly Said[] {
  const known = new Set(ready(before).map(({ age }) => age));
  return ready(now)
    .filter(({ age }) => !known.has(age))
    .map(({ pid, slot }) => good(`Worker ${pid} (slot ${slot}) is ready`));
}

function ready({ workers }: Progress) {
  return workers.filter(({ phase }) => phase === "ready");
}

function good(text: string): Said {
  return { bad: false, text };
}

function bad(text: string): Said {
  return { bad: true, text };
}
