import { describe, expect, test } from "bun:test";
import { type AdminRequest, Pages, type PagesParts } from "../../../../src/arbiter/admin/pages.ts";
import { figuresOf } from "../../../../src/arbiter/admin/page/figures.ts";
import { page } from "../../../../src/arbiter/admin/page/assets.ts";
import type { AdminSettings } from "../../../../src/arbiter/admin/settings.ts";
import type { AppFamily } from "../../../../src/telemetry/metrics/app-families.ts";
import { parseAddress } from "../../../../src/net/bind-address.ts";
import { World } from "../../../support/arbiter-world.ts";
import { snapshotOf } from "../../../support/snapshots.ts";

const ask: Omit<AdminRequest, "target"> = {
  method: "GET",
  accept: null,
  authorization: null,
  host: "127.0.0.1:9100",
  origin: null,
  fetchSite: null,
};

interface Asked {
  /** What had to be made anew, in order. */
  readonly made: string[];
  /** The commands that were carried out. */
  readonly commands: (readonly string[])[];
  readonly clock: { nowMs: number; stepMs: number };
  readonly ask: (target: string, change?: Partial<AdminRequest>) => ReturnType<Pages["answer"]>;
}

interface Scene {
  readonly bind?: string;
  readonly token?: string | null;
  readonly families?: readonly AppFamily[];
}

function pagesOf({ bind = "127.0.0.1:9100", token = null, families }: Scene = {}): Asked {
  const made: string[] = [];
  const commands: (readonly string[])[] = [];
  const clock = { nowMs: 1000, stepMs: 0 };
  const snapshot = snapshotOf(new World().ready(1, 2));
  const look = { atMs: 0, status: snapshot.status };
  const parts: PagesParts = {
    progress: () => (made.push("health"), snapshot.status),
    snapshot: () => (made.push("figures"), snapshot),
    measured: () => (made.push("metrics"), snapshot),
    appFamilies: () => (families === undefined ? null : Promise.resolve(families)),
    hide: () => {},
    figures: () => {
      made.push("events");
      const facts = { at: clock.nowMs, version: "", history: [], steered: false };
      return figuresOf(snapshot, look, { last: null, oldest: null }, facts);
    },
    steer: (words) => (commands.push(words), { done: true, data: {} }),
    nowMs: () => (clock.nowMs += clock.stepMs),
  };
  const pages = new Pages(parts);
  const settings: Pick<AdminSettings, "address" | "token"> = {
    address: parseAddress(bind, "/"),
    token,
  };
  pages.settings = settings;
  const answer: Asked["ask"] = (target, change) => pages.answer({ ...ask, ...change, target });
  return { made, commands, clock, ask: answer };
}

describe("Pages", () => {
  test("make figures anew ten times a second at most, events once, and health each time", async () => {
    const { made, clock, ask } = pagesOf();
    for (const target of ["/metrics", "/metrics", "/stats", "/stats", "/ready", "/ready"])
      expect((await ask(target)).status).toBe(200);
    const { next } = await ask("/events");
    await ask("/events");
    expect(made).toEqual(["metrics", "figures", "health", "health", "events"]);
    clock.nowMs += 100;
    await ask("/metrics?a=b");
    next?.();
    expect(made).toHaveLength(6);
    clock.nowMs += 900;
    expect(next?.()).toContain('data: {"at":2000,');
    expect(made).toHaveLength(7);
  });

  test("metrics have the app's own, also where those that are kept get old meanwhile", async () => {
    const values = [{ metricName: null, labels: {}, value: 7 }];
    const orders = {
      name: "orders",
      help: "",
      type: "counter",
      aggregator: "sum",
      values,
    } as const;
    const { clock, ask } = pagesOf({ families: [orders] });
    expect((await ask("/metrics")).body).toContain("orders_total 7\n");
    clock.nowMs += 98;
    clock.stepMs = 1;
    for (const _ of [0, 1]) expect((await ask("/metrics")).body).toContain("orders_total 7\n");
  });

  test("the page has its parts whole, and nothing runs in it but them", async () => {
    const { body, type, fields } = await pagesOf().ask("/");
    expect(type).toBe("text/html; charset=utf-8");
    expect(body).not.toContain("/* script */");
    expect(body).not.toContain("/* styles */");
    // HTML §4.12.1.3: these would end the script, or hide the rest.
    const script = /<script type="module">([\s\S]*?)<\/script>/.exec(body)?.[1] ?? "";
    expect(script).toContain("void watch();");
    expect(script).not.toContain("<!--");
    const hash = new Bun.CryptoHasher("sha256").update(script).digest("base64");
    expect(fields).toContain(`script-src 'sha256-${hash}';`);
    const style = /<style>([\s\S]*?)<\/style>/.exec(body)?.[1] ?? "";
    const styleHash = new Bun.CryptoHasher("sha256").update(style).digest("base64");
    expect(fields).toContain(`style-src 'sha256-${styleHash}';`);
    expect(fields).not.toContain("unsafe");
    expect(body.replace(script, "")).not.toMatch(/\son[a-z]+=|\sstyle=|https?:/);
  });

  test("the page says whether a token is needed", async () => {
    expect((await pagesOf().ask("/")).body).toBe(page.text);
    const { body } = await pagesOf({ token: "a" }).ask("/");
    expect(body).toContain('<html data-guarded lang="en">');
  });

  const foreign = { origin: "http://evil.example" };
  const rebound = { host: "evil.example:9100" };
  const shows = { authorization: "Bearer a" };
  const post = { method: "POST" };
  const inside = { bind: "127.0.0.1:9100" };
  const outside = { bind: "0.0.0.0:9100" };
  const guarded = { bind: "127.0.0.1:9100", token: "a" };
  const rows: readonly (readonly [
    what: string,
    server: { bind: string; token?: string },
    target: string,
    change: Partial<AdminRequest>,
    status: number,
  ])[] = [
    ["another site asks for events", inside, "/events", foreign, 403],
    ["another site asks for figures", inside, "/stats", foreign, 403],
    ["another site asks for metrics", outside, "/metrics", foreign, 403],
    ["another site, with the token", guarded, "/stats", { ...foreign, ...shows }, 403],
    ["another site asks for health", inside, "/live", foreign, 200],
    ["another site links to the page", inside, "/", { fetchSite: "cross-site" }, 200],
    ["a name of a stranger's, for events", inside, "/events", rebound, 421],
    ["a name of a stranger's, for figures", outside, "/stats", rebound, 421],
    ["a name of a stranger's, for metrics", inside, "/metrics", rebound, 421],
    ["any name, for metrics of a public address", outside, "/metrics", rebound, 200],
    ["any name, with the token", guarded, "/events", { ...rebound, ...shows }, 200],
    ["any name, without the token", guarded, "/events", rebound, 401],
    ["any name, for health", inside, "/ready", rebound, 200],
    ["a command without a token of the server's", inside, "/commands/reload", post, 403],
    ["a command without the token", guarded, "/commands/reload", post, 401],
    ["a command by GET", guarded, "/commands/reload", shows, 405],
    [
      "a command of another site's",
      guarded,
      "/commands/reload",
      { ...post, ...shows, ...foreign },
      403,
    ],
    ["a command that isn't for pages", guarded, "/commands/shutdown", { ...post, ...shows }, 404],
    [
      "a question whether another site may",
      guarded,
      "/commands/reload",
      { method: "OPTIONS" },
      405,
    ],
    ["figures by POST", inside, "/stats", post, 405],
  ];
  test.each(rows)("%s", async (_what, server, target, change, status) => {
    const { commands, ask } = pagesOf(server);
    const answer = await ask(target, change);
    expect(answer.status).toBe(status);
    expect(answer.fields).not.toContain("Access-Control");
    expect(commands).toEqual([]);
  });

  test.each([
    ["/commands/reload", ["reload"]],
    ["/commands/worker/add", ["worker", "add"]],
    ["/commands/worker/remove", ["worker", "remove"]],
  ])("%s is carried out for who shows the token", async (target, words) => {
    const { commands, ask } = pagesOf(guarded);
    expect((await ask(target, { ...post, ...shows })).status).toBe(200);
    expect(commands).toEqual([words]);
  });
});
