/**
 * What workers publish to websockets, passed on to the other workers, of whatever generation. Pure. One that is slow
 * to take it loses messages, and the log says so: neither the master nor the other workers wait for it.
 */
import { emptyWindow, offer, taken, type Window } from "../../ipc/window.ts";
import type { LogLevel } from "../../log/error-log.ts";

/** A worker that has websockets. */
export interface Member {
  readonly age: number;
  readonly pid: number;
  readonly window: Window;
}

export type Members = readonly Member[];

export interface Line {
  readonly level: LogLevel;
  readonly message: string;
}

/** Who gets it, by age, and what the log has to hear. */
export interface Relayed {
  readonly members: Members;
  readonly to: readonly number[];
  readonly lines: readonly Line[];
}

/** A worker that joins twice is there once. */
export function join(members: Members, age: number, pid: number): Members {
  if (members.some((each) => each.age === age)) return members;
  return [...members, { age, pid, window: emptyWindow }];
}

/** A worker has gone, which may never have joined. */
export function leave(members: Members, age: number): Relayed {
  const gone = members.find((each) => each.age === age);
  const dropped = gone?.window.dropped ?? 0;
  const message = `Websockets: worker (pid:${gone?.pid}) has gone, ${messages(dropped)} to it dropped`;
  return {
    members: members.filter((each) => each !== gone),
    to: [],
    lines: dropped === 0 ? [] : [{ level: "warning", message }],
  };
}

/** `count` messages of so many bytes in all: to each member but the one that they come from. */
export function relay(members: Members, from: number, bytes: number, count: number): Relayed {
  const to: number[] = [];
  const lines: Line[] = [];
  const next = members.map((member) => {
    if (member.age === from) return member;
    const window = offer(member.window, bytes, count);
    if (window.dropped === 0) to.push(member.age);
    else if (member.window.dropped === 0) lines.push(slow(member));
    return { ...member, window };
  });
  return { members: next, to, lines };
}

/** A member has taken so many bytes. */
export function onTaken(members: Members, age: number, bytes: number): Relayed {
  const lines: Line[] = [];
  const next = members.map((member) => {
    if (member.age !== age) return member;
    const window = taken(member.window, bytes);
    const { dropped } = member.window;
    if (dropped > 0 && window.dropped === 0) lines.push(recovered(member, dropped));
    return { ...member, window };
  });
  return { members: next, to: [], lines };
}

function slow({ pid }: Member): Line {
  const message = `Websockets: worker (pid:${pid}) is slow to take what others publish, messages to it are dropped`;
  return { level: "warning", message };
}

function recovered({ pid }: Member, dropped: number): Line {
  const message = `Websockets: worker (pid:${pid}) gets what others publish again, ${messages(dropped)} to it dropped`;
  return { level: "warning", message };
}

function messages(count: number): string {
  return count === 1 ? "1 message" : `${count} messages`;
}
