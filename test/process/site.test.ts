/** The site of docs/, as `bun run docs:site` builds it: no dead link, nothing of another host, and a search that finds. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Browser } from "../support/browser.ts";
import { packagesOf } from "../support/packaging/packages.ts";
import { toolPath } from "../support/peers.ts";
import { until } from "../support/server.ts";

const root = join(import.meta.dir, "../..");
const missing = await packagesOf(join(root, "docs/site"));

describe.skipIf(missing !== "")(`bun run docs:site${missing}`, () => {
  const site = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
  let said = "";

  beforeAll(async () => {
    await using run = Bun.spawn([process.execPath, "docs/site/build.ts", site], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    });
    said = (await Promise.all([run.stdout.text(), run.stderr.text()])).join("");
  }, 600_000);
  afterAll(() => rmSync(site, { recursive: true }));

  test("it has a page for each of docs, and no link of them is dead", () => {
    expect(said).toMatch(/^\S+: \d+ pages, \d{4,} links, 0 of them dead or foreign\n$/);
  });

  const browserIsMissing = toolPath("chromium") === null;
  test.skipIf(browserIsMissing)(
    `in Chromium a page is no wider than its window, asks nobody else, and the search finds${browserIsMissing ? " (not installed here: chromium)" : ""}`,
    async () => {
      using server = Bun.serve({
        port: 0,
        fetch: ({ url }) => new Response(Bun.file(join(site, new URL(url).pathname))),
      });
      await using browser = await Browser.start();
      const page = await browser.open(`${server.url}docs/overload.html`, {
        width: 600,
        dark: true,
      });
      const isMounted = "document.querySelector('#app').__vue_app__ !== undefined";
      await until("its script", () => page.evaluate<boolean>(isMounted));
      expect(
        await page.evaluate<number>("document.documentElement.scrollWidth"),
      ).toBeLessThanOrEqual(600);
      await page.evaluate("document.querySelector('.VPNavBarSearch button').click()");
      const field = "document.querySelector('#localsearch-input')";
      await until("the field", () => page.evaluate<boolean>(`${field} !== null`));
      await page.evaluate(
        `${field}.value = "maxRequestsJitter"; ${field}.dispatchEvent(new Event("input")); 0`,
      );
      const found = "[...document.querySelectorAll('a.result')].map(({ href }) => href)";
      await until("what is found", async () =>
        (await page.evaluate<string[]>(found)).some((href) => href.includes("docs/settings.html#")),
      );
      expect(page.errors).toEqual([]);
      const others = page.asked.filter(
        (url) => !url.startsWith(server.url.href) && !url.startsWith("data:"),
      );
      expect(others).toEqual([]);
    },
    240_000,
  );
});
