import { describe, expect, test } from "bun:test";
import { closeSync, fstatSync, openSync } from "node:fs";
import { tmpdir } from "node:os";
import { Succession } from "../../../../../src/arbiter/act/master/succession.ts";
import { createRow, readRow, type Totals } from "../../../../../src/ipc/scoreboard.ts";
import { createNamelessFile } from "../../../../../src/os/shared-memory.ts";
import { World } from "../../../../support/arbiter-world.ts";

/** A master that has answered so many requests; each has spent some CPU time, and started two workers. */
class Master {
  requests = 0;
  readonly succession: Succession;

  constructor(inherited: number | null = null, room = true) {
    this.succession = new Succession((bytes) => {
      if (!room) throw new Error("no room");
      return createNamelessFile(tmpdir(), bytes);
    }, inherited);
    const { fleet } = new World().ready(1, 2).state;
    this.succession.count(() => fleet, this, this);
  }

  get totals(): Totals {
    const row = createRow();
    row.answers[2] = this.requests;
    return readRow(row);
  }

  cpuTimes() {
    return { workersCpuSeconds: this.requests / 2, masterCpuSeconds: 0.25 };
  }

  /** USR2. */
  upgrade(): Master {
    const { fd, close } = this.succession.handOver();
    const next = new Master(openSync(`/proc/self/fd/${fd}`, "r+"));
    close();
    return next;
  }

  /** An event, with the other master or without. */
  sees(other: boolean): void {
    this.succession.observe(other);
  }

  get shown(): number {
    return this.succession.join().totals.answers[2] as number;
  }
}

describe("an upgrade", () => {
  test("without one, a master shows what it has counted", () => {
    const master = new Master();
    master.requests = 5;
    master.sees(false);
    expect(master.shown).toBe(5);
    expect(master.succession.join()).toMatchObject({ spawned: 2, loads: 1, ended: { told: 0 } });
  });

  test("both show what both have counted, and who stays has it all", () => {
    const old = new Master();
    old.requests = 100;
    const next = old.upgrade();
    expect(next.shown).toBe(100);
    next.requests = 7;
    old.requests = 110;
    // Whoever shows something lets the other one know.
    expect(old.shown).toBe(110);
    expect(next.shown).toBe(117);
    expect(old.shown).toBe(117);
    old.requests = 120;
    old.sees(true);
    next.sees(true);
    expect(next.shown).toBe(127);
    next.sees(false);
    expect(next.shown).toBe(127);
    next.requests = 8;
    expect(next.succession.join()).toMatchObject({
      spawned: 4,
      loads: 2,
      workersCpuSeconds: 64,
      masterCpuSeconds: 0.5,
    });
    expect(next.shown).toBe(128);
  });

  test("an old master that goes on has what the new one has served, also of a second one", () => {
    const old = new Master();
    old.requests = 10;
    for (const [index, served] of [3, 4].entries()) {
      const next = old.upgrade();
      next.requests = served;
      next.sees(true);
      old.sees(true);
      old.sees(false);
      expect(old.shown).toBe(10 + [3, 7][index]!);
    }
  });

  test("three times, one after the other", () => {
    let master = new Master();
    for (let all = 1; all <= 4; all += 1) {
      master.requests = 1;
      expect(master.shown).toBe(all);
      const next = master.upgrade();
      master.sees(true);
      next.sees(true);
      next.sees(false);
      expect(next.shown).toBe(all);
      master = next;
    }
  });

  test("that fails changes nothing", () => {
    const master = new Master();
    master.requests = 10;
    const { close } = master.succession.handOver();
    close();
    master.sees(false);
    expect(master.shown).toBe(10);
  });

  test("without memory begins at 0, and leaves the old one as it is", () => {
    const master = new Master(null, false);
    master.requests = 10;
    expect(() => master.succession.handOver()).toThrow("no room");
    master.sees(true);
    master.sees(false);
    expect(master.shown).toBe(10);
  });

  test("the descriptor is the new master's alone", () => {
    const { fd, close } = new Master().succession.handOver();
    expect(fstatSync(fd).isFile()).toBe(true);
    close();
    expect(() => closeSync(fd)).toThrow("EBADF");
  });
});
