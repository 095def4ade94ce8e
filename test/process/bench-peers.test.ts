/**
 * Servers that have the apps of the bench written for themselves: they answer what the apps answer, or the comparison
 * says nothing.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { javascriptPeers } from "../../bench/compare/javascript-peers.ts";
import { otherPeers } from "../../bench/compare/other-peers.ts";
import { freePort } from "../../bench/free-port.ts";
import { Facilities } from "../../bench/servers/facilities.ts";
import { BenchServer } from "../../bench/servers/server.ts";

setDefaultTimeout(120_000);

const apps = ["hello", "json", "file-16k", "file-1m", "stream"] as const;

/** These run the files of bench/apps themselves. */
const runsThem = /^(?:gunicorn-ts|Bun\.serve) /;
/** Those that are there, nginx and node at least where CI runs: the comparison leaves the others out, too, and says so. */
const peers = [...javascriptPeers, ...otherPeers].filter(
  (peer) => !runsThem.test(peer.name) && peer.version() !== null,
);

let facilities: Facilities;
beforeAll(async () => void (facilities = await Facilities.open()));
afterAll(() => facilities[Symbol.asyncDispose]());

/** Python writes other white space and 0.0 for 0: the same value. */
async function contentOf(app: string, response: Response): Promise<unknown> {
  return app === "json" ? await response.json() : await response.text();
}

for (const peer of peers) {
  test.each(apps)(`${peer.name} answers %s as the app does`, async (app) => {
    const port = freePort();
    const command = peer.command({ app, port, workers: 1, feature: null, facilities });
    if ("cannot" in command) {
      // It runs no app that could stream.
      expect([peer.name, app]).toEqual(["nginx, no app", "stream"]);
      return;
    }
    const own = (await import(join(import.meta.dir, `../../bench/apps/${app}.ts`))) as {
      fetch(request: Request): Response;
    };
    await using server = new BenchServer({ ...command, port, audible: false });
    await server.answered();
    const response = await fetch(server.url);
    expect(response.status).toBe(200);
    expect(response.headers.has("content-length")).toBe(app !== "stream");
    const expected = await contentOf(app, own.fetch(new Request(server.url)));
    expect(await contentOf(app, response)).toEqual(expected);
  });
}
