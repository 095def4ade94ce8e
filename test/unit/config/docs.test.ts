import { describe, expect, test } from "bun:test";
import { renderSettings } from "../../../docs/generate.ts";
import { settingEntries } from "../../../src/config/settings.ts";

describe("docs/settings.md", () => {
  test("is what the table says", async () => {
    const path = new URL("../../../docs/settings.md", import.meta.url);
    expect(await Bun.file(path).text()).toBe(renderSettings());
  });

  test("has a heading for every setting", () => {
    const headings = [...renderSettings().matchAll(/^### \w+/gm)].map(([heading]) => heading);
    expect(headings).toEqual(settingEntries.map(([key]) => `### ${key}`));
  });

  test.each([
    ["workerClass (worker_class)", "- Command line: `-k STRING`, `--worker-class STRING`"],
    ["workers", "- Environment: `WEB_CONCURRENCY`"],
    ["bind", '- Default: `["127.0.0.1:8000"]`'],
    ["bind", "`--bind ADDRESS` (repeatable)"],
    ["timeout", "- Value: 0 (never) to 2147483, in seconds"],
    ["proxyProtocol (proxy_protocol)", "`--proxy-protocol [MODE]`"],
    ["controlSocketMode (control_socket_mode)", "- Default: `0600`"],
    ["dirtyApps (dirty_apps)", "- Status: not supported yet"],
    ["paste", "- Status: Python only; pass MODULE:EXPORT"],
    ["whenReady (when_ready)", "- Runs in: master"],
    ["preRequest (pre_request)", "- Runs in: worker"],
  ])("says of %s: %s", (heading, fact) => {
    const [, text = ""] = renderSettings().split(`\n### ${heading}\n`);
    expect(text.split("\n### ")[0]).toContain(fact);
  });
});
