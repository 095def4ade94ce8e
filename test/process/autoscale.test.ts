/** `autoscale` with a load that comes and goes: up, down, by hand, and nothing lost on the way. */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { closedLoad } from "../support/loads/closed-load.ts";
import { ctl, ctlData } from "../support/ctl.ts";
import { gunicorn, until } from "../support/server.ts";

const limitMs = 600_000;
const patienceMs = 180_000;

/** Requests wait, and the workers don't compute: what others do on this machine says nothing. */
const waits = `export const fetch = async () => { await Bun.sleep(300); return new Response("ok"); };`;

function configuration(max: number): string {
  return `export default {
    workerClass: "sync", controlSocket: "app.ctl", adminBind: "127.0.0.1:0",
    autoscale: { min: 1, max: ${max}, upAfter: 2, downAfter: 4 } };`;
}

test(
  "follows the load up and down, says why, and loses nothing; what is set by hand stays until a reload",
  async () => {
    const files = { "app.ts": waits, "gunicorn.conf.ts": configuration(3) };
    await using server = await gunicorn({ files });
    {
      await using load = closedLoad(server, 6);
      await until("three workers", () => server.log.includes("2 -> 3 workers"), patienceMs);
      await ctl(server, "wait --ready");
      expect(server.log).toMatch(
        /Autoscale: 1 -> 2 workers: \d[\d.]* requests are with the app, which takes 1 at a time/,
      );
      expect(await ctlData(server, "show stats")).toMatchObject({
        workers_target: 3,
        autoscale: { min: 1, max: 3, paused: false, up: 2, down: 0 },
      });
      // A reload under load goes on with as many.
      await ctl(server, "reload --wait");
      expect(await ctlData(server, "show stats")).toMatchObject({ workers_target: 3 });
      // So does a new master.
      await ctl(server, "upgrade -s app.ctl");
      await ctl(server, "wait --ready -s app.ctl.2");
      expect(await ctlData(server, "show stats -s app.ctl.2")).toMatchObject({ workers_target: 3 });
      await ctl(server, "shutdown -s app.ctl.2");
      await server.logged(/New master \(pid:\d+\) exited with code 0/);
      expect(load.losses).toEqual([]);
    }
    // Some load is left, less than one of them needs.
    await using load = closedLoad(server, 1);
    await until("one worker less", () => server.log.includes("3 -> 2 workers: "), patienceMs);
    expect((await ctl(server, "scale 3")).out).toMatch(/ -> 3\n$/);
    await server.logged("Autoscale: paused, as the number of workers was set by hand");
    expect((await ctl(server, "show stats")).out).toContain("\nAutoscale:       1..3, paused\n");
    writeFileSync(join(server.folder, "gunicorn.conf.ts"), configuration(2));
    await ctl(server, "reload --wait");
    expect((await ctl(server, "show stats")).out).toContain("\nAutoscale:       1..2\n");
    expect(load.losses).toEqual([]);
    expect(await server.stop()).toBe(0);
  },
  limitMs,
);

test(
  "a server without it reads nothing of it",
  async () => {
    const config = `export const whenReady = () =>
      console.error("read:", Object.keys(require.cache).filter((file) => /src.(arbiter.act.)?scaling/.test(file)).length);`;
    await using server = await gunicorn({ files: { "app.ts": waits, "gunicorn.conf.ts": config } });
    expect(server.log).toContain("read: 0\n");
  },
  limitMs,
);
