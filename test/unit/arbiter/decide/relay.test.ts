import { describe, expect, test } from "bun:test";
import { join, leave, type Members, onTaken, relay } from "../../../../src/arbiter/decide/relay.ts";
import { windowBytes } from "../../../../src/ipc/window.ts";

const three: Members = [1, 2, 3].reduce<Members>((all, age) => join(all, age, 100 + age), []);

describe("relay()", () => {
  const rows: [from: number, to: number[]][] = [
    [1, [2, 3]],
    [2, [1, 3]],
    // It publishes, and has no subscribers of its own.
    [9, [1, 2, 3]],
  ];
  test.each(rows)("from worker %d goes to %p, once", (from, to) => {
    expect(relay(three, from, 10, 1)).toMatchObject({ to, lines: [] });
  });

  test("reaches who has joined twice once, and nobody who has left", () => {
    const members = leave(join(three, 2, 102), 3).members;
    expect(relay(members, 1, 10, 1).to).toEqual([2]);
    expect(leave(members, 7)).toMatchObject({ members, lines: [] });
    expect(relay([], 1, 10, 1).to).toEqual([]);
  });

  test("tells a burst that one worker loses once, at its begin and at its end", () => {
    const full = relay(three, 1, windowBytes, 1);
    // The third takes all, the second nothing.
    let { members } = onTaken(full.members, 3, windowBytes);
    const first = relay(members, 1, 10, 2);
    expect(first.to).toEqual([3]);
    expect(first.lines.map(({ message }) => message)).toEqual([
      "Websockets: worker (pid:102) is slow to take what others publish, messages to it are dropped",
    ]);
    const second = relay(first.members, 1, 10, 3);
    expect(second).toMatchObject({ to: [3], lines: [] });
    const part = onTaken(second.members, 2, 10);
    expect(part.lines).toEqual([]);
    const end = onTaken(part.members, 2, windowBytes);
    expect(end.lines.map(({ message }) => message)).toEqual([
      "Websockets: worker (pid:102) gets what others publish again, 5 messages to it dropped",
    ]);
    ({ members } = end);
    expect(relay(members, 1, 10, 1)).toMatchObject({ to: [2, 3], lines: [] });
  });

  test("tells what was dropped when the worker goes", () => {
    const full = relay(three, 1, windowBytes, 1);
    const { members } = relay(full.members, 3, 1, 1);
    expect(leave(members, 2).lines.map(({ message }) => message)).toEqual([
      "Websockets: worker (pid:102) has gone, 1 message to it dropped",
    ]);
  });
});
