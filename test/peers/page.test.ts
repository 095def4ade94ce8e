/** The admin server's page in a real browser: what it shows is what /stats says, it moves by itself, and it steers. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { Admin } from "../../src/arbiter/admin/admin.ts";
import { progressOf } from "../../src/arbiter/decide/status.ts";
import type { Snapshot, SnapshotSources } from "../../src/arbiter/admin/snapshot.ts";
import { parseAddress } from "../../src/net/bind-address.ts";
import { adminArgs, adminUrl, askAdmin } from "../support/admin.ts";
import { generation, World } from "../support/arbiter-world.ts";
import { Browser, type BrowserPage } from "../support/browser.ts";
import { describeWith } from "../support/peers.ts";
import { gunicorn, until } from "../support/server.ts";
import { snapshotOf } from "../support/snapshots.ts";

const files = { "app.ts": `export const fetch = () => new Response("ok");` };

/** Values of the table's cells, as they were before they were made readable, by row. */
const cells = `[...document.querySelectorAll("#workers tr")].map((row) => [...row.cells].map((cell) => JSON.parse(cell.dataset.value)))`;
const textOf = (selector: string) => `document.querySelector("${selector}").textContent`;

type Cell = string | number | null;

/** Slot, pid, age, state, requests in flight and memory. */
const shown = (rows: readonly (readonly Cell[])[]) =>
  rows.map(([slot, pid, age, state, , inFlight, , , , memory]) => {
    return [slot, pid, age, state, inFlight, memory];
  });

function inStats({ status }: Snapshot): readonly (readonly (Cell | undefined)[])[] {
  return [...status.workers]
    .sort((one, other) => one.slot - other.slot || one.age - other.age)
    .map(({ slot, pid, age, phase, scores, memoryBytes }) => {
      return [slot, pid, age, phase, scores?.inFlight, memoryBytes];
    });
}

const isShown = (page: BrowserPage, selector: string) =>
  page.evaluate<boolean>(`document.querySelector("${selector}").checkVisibility()`);

const click = (page: BrowserPage, selector: string) =>
  page.evaluate(`document.querySelector("${selector}").click()`);

describeWith(["chromium"], "the page in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await Browser.start();
  }, 240_000);
  afterAll(() => browser[Symbol.asyncDispose](), 120_000);

  test("shows what /stats says, moves, and sees a worker that is killed", async () => {
    await using server = await gunicorn({ files, args: ["-w", "2", ...adminArgs] });
    const url = await adminUrl(server);
    const page = await browser.open(url);
    const rows = () => page.evaluate<Cell[][]>(cells);
    // Between two looks a worker's memory may change, but not for ever.
    await until("equal values", async () => {
      const stats = (await (await askAdmin(url, "/stats")).json()) as Snapshot;
      return Bun.deepEquals(shown(await rows()), inStats(stats)) && stats.status.ready === 2;
    });
    expect(await page.evaluate(textOf("#line"))).toBe("2 of 2 workers ready");

    const line = "document.querySelector('#charts polyline').getAttribute('points')";
    await until("a rate, and durations", async () => {
      await (await server.fetch()).text();
      return (await rows()).some(([, , , , , , rate, p50, p99]) => {
        return Number(rate) > 0 && Number(p50) > 0 && Number(p99) >= Number(p50);
      });
    });
    const asked = await page.evaluate<string[]>(
      `[...document.querySelectorAll("#workers .newest")].map((cell) => cell.title)`,
    );
    expect(asked).toContain("GET /");
    const before = await page.evaluate<string>(line);
    await until("the chart to move", async () => (await page.evaluate<string>(line)) !== before);

    const [victim = 0] = server.workers();
    process.kill(victim, "SIGKILL");
    await until("its successor", async () => {
      const now = await rows();
      return (
        now.length === 2 && now.every(([, pid, , state]) => pid !== victim && state === "ready")
      );
    });
    const history = await page.evaluate<string>("document.querySelector('#history').innerText");
    expect(history).toContain(`Worker ${victim} (slot `);
    expect(history).toContain("was ended by a signal");
    expect(page.errors).toEqual([]);
    expect(page.asked).toEqual([`${url}/`, `${url}/events`]);
  }, 240_000);

  test("asks for the token, and steers with it", async () => {
    await using server = await gunicorn({
      files,
      args: adminArgs,
      env: { GUNICORN_ADMIN_TOKEN: "s3cret" },
    });
    const url = await adminUrl(server);
    const page = await browser.open(url);
    await until("the form", () => isShown(page, "#login"));
    expect(await isShown(page, "#figures")).toBe(false);
    expect(page.asked).not.toContain(`${url}/events`);
    expect(page.errors).toEqual([]);

    const enter = (token: string) =>
      page.evaluate(
        `document.querySelector("#token").value = "${token}"; document.querySelector("#login").requestSubmit()`,
      );
    await enter("wrong");
    await until("a refusal", async () => (await page.evaluate(textOf("#refusal"))) !== "");
    expect(await isShown(page, "#figures")).toBe(false);
    page.errors.length = 0;

    await enter("s3cret");
    await until("the figures", () => isShown(page, "#figures"));
    expect(await isShown(page, "#login")).toBe(false);
    await click(page, "[data-command='worker/add']");
    const linesOf = async () => String(await page.evaluate(textOf("#line")));
    await until("another worker", async () => (await linesOf()) === "2 of 2 workers ready");
    await click(page, "[data-command='worker/remove']");
    await until("one worker less", async () => (await linesOf()) === "1 of 1 workers ready");
    await click(page, "[data-command='reload']");
    await until("a reload", async () =>
      String(await page.evaluate(textOf("#facts"))).includes("generation 2"),
    );
    await server.logged("Handling command: worker add (admin_bind)");

    await page.load(() => page.send("Page.reload"));
    await until("the figures again", () => isShown(page, "#figures"));
    expect(page.asked.join()).not.toContain("s3cret");
    expect(server.log).not.toContain("s3cret");
    expect(page.errors).toEqual([]);
  }, 240_000);

  test("isn't for other sites: neither their pages nor their names get anything", async () => {
    await using server = await gunicorn({
      files,
      args: ["-w", "2", ...adminArgs],
    });
    const url = await adminUrl(server);
    using other = Bun.serve({
      port: 0,
      fetch: () => new Response("<p>evil", { headers: { "Content-Type": "text/html" } }),
    });
    const page = await browser.open(`http://127.0.0.1:${other.port}/`);
    const tries = await page.evaluate<string[]>(`Promise.all([
        fetch("${url}/stats").then((r) => r.text()).catch(() => "no answer"),
        fetch("${url}/stats", { mode: "no-cors" }).then((r) => r.text()).catch(() => "no answer"),
        fetch("${url}/commands/worker/add", { method: "POST", mode: "no-cors" }).then((r) => r.text()).catch(() => "no answer"),
        new Promise((resolve) => {
          const frame = document.createElement("iframe");
          frame.src = "${url}/";
          frame.onload = () => resolve(frame.contentDocument === null ? "no answer" : "framed");
          document.body.append(frame);
        }),
      ])`);
    expect(tries).toEqual(["no answer", "", "", "no answer"]);
    const rebound = await browser.open(`http://evil.example:${new URL(url).port}/`);
    await until("the refusal", async () =>
      String(await rebound.evaluate(textOf("#line"))).startsWith("421: without a token"),
    );
    expect(await isShown(rebound, "#figures")).toBe(false);
    expect(server.workers()).toHaveLength(2);
    expect(server.log).not.toContain("Handling command");
  }, 240_000);

  test.each([
    ["wide", { width: 1280, height: 720 }],
    ["600 pixels wide", { width: 600, height: 900 }],
    ["600 pixels wide in the dark", { width: 600, height: 900, dark: true }],
  ])(
    "has room for 50 workers: %s",
    async (_what, view) => {
      const world = new World(generation(1, { workers: 50 }));
      world.ready(...world.state.fleet.workers.map(({ age }) => age));
      const row = { inFlight: 12, loopDelayMs: 1234 };
      const snapshot = snapshotOf(
        world,
        Object.fromEntries(world.state.fleet.workers.map(({ age }) => [age, row])),
      );
      let url = "";
      const admin = new Admin({
        host: {
          log: (_, message) => void (url = /Admin server at: (\S+)/.exec(message)?.[1] ?? url),
          facts: () => {
            throw new Error("nobody steers");
          },
          handle: () => {},
        },
        progress: () => progressOf(world.state),
        status: () => snapshot.status,
        release: () =>
          ({
            resolved: { config: { workerClass: "async" } },
            secure: null,
          }) as unknown as ReturnType<SnapshotSources["release"]>,
        counts: () => ({ ...snapshot.status, workersCpuSeconds: 0, masterCpuSeconds: 0 }),
        apps: { metrics: () => null },
        listeners: { waiting: () => 0 },
      });
      admin.use({
        address: parseAddress("127.0.0.1:0", "/"),
        options: { backlog: 16, kind: "shared" },
        token: null,
      });
      try {
        await until("the server", () => url !== "");
        const page = await browser.open(url, view);
        const rows = await until("50 rows", async () => {
          const now = await page.evaluate<Cell[][]>(cells);
          return now.length === 50 ? now : null;
        });
        expect(shown(rows)).toEqual(inStats(snapshot) as Cell[][]);
        const width = await page.evaluate<number>("document.documentElement.scrollWidth");
        expect(width).toBeLessThanOrEqual(view.width);
        expect(page.errors).toEqual([]);
      } finally {
        admin.close();
      }
    },
    120_000,
  );
});
