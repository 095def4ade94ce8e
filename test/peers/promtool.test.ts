/** Prometheus's own tool reads the metrics, and the rules that docs/monitoring.md shows. */
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adminArgs, adminUrl, askAdmin } from "../support/admin.ts";
import { describeWith, toolPath } from "../support/peers.ts";
import { gunicorn } from "../support/server.ts";

interface Ran {
  readonly code: number;
  readonly output: string;
}

async function promtool(args: readonly string[], input = ""): Promise<Ran> {
  const child = Bun.spawn([toolPath("promtool") as string, ...args], {
    stdin: new Blob([input]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, error] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, output: out + error };
}

/** The code blocks of a page that begin with a comment which names a file. */
async function filesOf(page: string): Promise<ReadonlyMap<string, string>> {
  const text = await Bun.file(join(import.meta.dir, "../../docs", page)).text();
  const blocks = text.matchAll(/^```yaml\n# (\S+)\n([\s\S]*?)^```$/gm);
  return new Map([...blocks].map(([, name = "", body = ""]) => [name, body]));
}

describeWith(["promtool"], "promtool", () => {
  test("finds nothing to say of the metrics", async () => {
    const app = `export const fetch = () => new Response("ok");`;
    await using server = await gunicorn({
      files: { "app.ts": app },
      args: ["-w", "2", ...adminArgs],
    });
    const url = await adminUrl(server);
    const answer = await askAdmin(url, "/metrics", { headers: { Accept: "text/plain" } });
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(await promtool(["check", "metrics"], await answer.text())).toEqual({
      code: 0,
      output: "",
    });
  }, 120_000);

  test("takes the files of docs/monitoring.md", async () => {
    const folder = mkdtempSync(join(tmpdir(), "promtool-"));
    const files = await filesOf("monitoring.md");
    expect([...files.keys()]).toEqual(["prometheus.yml", "gunicorn-rules.yml"]);
    for (const [name, text] of files) writeFileSync(join(folder, name), text);
    const config = await promtool(["check", "config", join(folder, "prometheus.yml")]);
    expect(config).toMatchObject({ code: 0, output: expect.stringContaining("SUCCESS") });
    const rules = await promtool(["check", "rules", join(folder, "gunicorn-rules.yml")]);
    expect(rules).toMatchObject({ code: 0, output: expect.stringContaining("SUCCESS") });
    rmSync(folder, { recursive: true });
  }, 120_000);
});
