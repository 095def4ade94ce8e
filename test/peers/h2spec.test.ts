/** h2spec's 145 tests, side by side with bare Bun.serve. `.ci/tools` fetches it. */
import { afterAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Certificates, type Made } from "../support/certificates.ts";
import { serveHttp2 } from "../support/http2.ts";
import { describeWith, toolPath } from "../support/peers.ts";

const certificates = new Certificates();
afterAll(() => certificates[Symbol.dispose]());

const app = `() => new Response("hello")`;

/** Where a bare Bun.serve has it on another process's loop. */
async function bareServer(made: Made | null) {
  const tls = made === null ? {} : { tls: { cert: made.cert, key: made.key } };
  const options = JSON.stringify({ port: 0, hostname: "127.0.0.1", http2: true, ...tls });
  const code = `console.log(Bun.serve({ ...${options}, fetch: ${app} }).port)`;
  const running = Bun.spawn([process.execPath, "-e", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  for await (const part of running.stdout) {
    text += new TextDecoder().decode(part);
    if (text.includes("\n")) break;
  }
  return { port: Number(text), [Symbol.dispose]: () => running.kill("SIGKILL") };
}

/** The tests that fail, by their names. It waits so long for what should come: a loaded machine is slow. */
async function failures(port: number, secure: boolean): Promise<Set<string>> {
  const report = join(certificates.folder, `${port}.xml`);
  const to = ["-h", "127.0.0.1", "-p", String(port), ...(secure ? ["-t", "-k"] : [])];
  const running = Bun.spawn([String(toolPath("h2spec")), ...to, "-o", "8", "-j", report], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  await running.exited;
  const text = readFileSync(report, "utf8");
  expect(text.match(/<testcase /g)).toHaveLength(145);
  const cases = text.matchAll(/<testcase package="([^"]*)" classname="([^"]*)"[^>]*>\s*<failure/g);
  return new Set([...cases].map(([, section, name]) => `${section}: ${name}`));
}

describeWith(["curl", "h2spec"], "h2spec", () => {
  test.each([
    ["with TLS", true],
    ["without", false],
  ])(
    "finds no more faults than in bare Bun.serve, %s",
    async (_, secure) => {
      const made = secure ? certificates.make({ names: ["IP:127.0.0.1"] }) : null;
      const args =
        made === null
          ? ["--http2-cleartext", "prior-knowledge"]
          : ["--certfile", made.certfile, "--keyfile", made.keyfile, "--http-protocols", "h2,h1"];
      const asks = secure ? ["--http2"] : ["--http2-prior-knowledge"];
      const files = { "app.ts": `export default { fetch: ${app} };` };
      await using server = await serveHttp2({ files, args }, asks);
      using bare = await bareServer(made);
      let [ours, theirs] = await Promise.all([
        failures(server.port, secure),
        failures(bare.port, secure),
      ]);
      // What a busy machine has made too late isn't too late again.
      for (let chances = 2; chances > 0 && !ours.isSubsetOf(theirs); chances--)
        ours = ours.intersection(await failures(server.port, secure));
      expect([...ours].sort()).toEqual([...ours.intersection(theirs)].sort());
      expect(await server.stop()).toBe(0);
    },
    300_000,
  );
});
