/** `ctl tune` of servers that run: what it measures, advises and does. */
import { expect, test } from "bun:test";
import { closedLoad } from "../support/loads/closed-load.ts";
import { ctl, ctlData } from "../support/ctl.ts";
import { gunicorn, until } from "../support/server.ts";

const limitMs = 120_000;

function controlled(app: string, args: readonly string[]) {
  return gunicorn({ files: { "app.ts": app }, args: ["--control-socket", "app.ctl", ...args] });
}

const hello = `export const fetch = () => new Response("ok");`;
const waits = `export const fetch = async () => { await Bun.sleep(200); return new Response("ok"); };`;

test(
  "says honestly that it can't tell, and leaves a server without load alone",
  async () => {
    await using server = await controlled(hello, ["-w", "2"]);
    await ctl(server, "wait --ready");
    // What a worker does after its start may be something.
    const out = await until("a calm server", async () => {
      const tuned = await ctl(server, "tune --seconds 2 --apply");
      expect(tuned.code).toBe(0);
      return tuned.out.includes("not enough load") ? tuned.out : null;
    });
    expect(out).toMatch(/^Watched: +\d+ s\n/);
    expect(out).toMatch(/\nGuideline: +\d+, 2 x CPUs \+ 1, /);
    expect(out).toMatch(/\nAdvice: +not enough load to tell: the workers use 0(\.\d+)? CPUs, for/);
    expect(out).toEndWith("nothing to do\n");
    expect(server.log).not.toContain("Handling command: scale");
    expect((await ctl(server, "show load")).out).toMatch(
      /^SLOT +CPU TIME +LOOP DELAY +BUSY +CONNS +REQUESTS +MEMORY\n +0 [^]*\nCPUs: +[\d.]+\nMemory free: +\d/,
    );
  },
  limitMs,
);

test(
  "finds that sync workers wait, and gives them company",
  async () => {
    await using server = await controlled(waits, ["-k", "sync"]);
    await using load = closedLoad(server, 4);
    await until("answers", () => load.answered > 4);
    const data = await ctlData(server, "tune --seconds 4 --apply");
    expect(data).toMatchObject({ workers: 1, advised: 2, limit: "turns", applied: true });
    await server.logged("Handling command: scale 2 ");
    expect(load.losses).toEqual([]);
  },
  limitMs,
);

test(
  "finds that an app waits in calls that block, and says which loop",
  async () => {
    const app = `export const fetch = () => { Bun.sleepSync(900); return new Response("ok"); };`;
    await using server = await controlled(app, []);
    await using load = closedLoad(server, 3);
    await until("answers", () => load.answered > 2);
    const data = await ctlData(server, "tune --seconds 4");
    expect(data).toMatchObject({ workers: 1, applied: false });
    expect(Number(data["loop_longest"])).toBeGreaterThan(0.3);
    expect(Number(data["loop_standstill"])).toBeGreaterThan(0.4);
  },
  limitMs,
);
