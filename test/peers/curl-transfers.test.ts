import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { curl, describeWith, mirrorApp, mirrored, repeatedText, sha256 } from "../support/peers.ts";
import { gunicorn } from "../support/server.ts";

const app = { files: { "app.ts": mirrorApp } };
const hugeBytes = 100_000_000;

describeWith(["curl"], "curl", () => {
  test("IPv6", async () => {
    await using other = await gunicorn({ ...app, bind: ["[::1]:0"] });
    const { code, output } = await curl(["-g", "-w", "\n%{local_port}", `${other.url}/a`]);
    const [json = "", port] = output.split("\n");
    const { url, peer } = mirrored(json);
    expect([code, url]).toEqual([0, `http://[::1]:${other.port}/a`]);
    expect(peer).toEqual({ address: "::1", family: "IPv6", port: Number(port) });
  });

  test.each(["file", "stdin"])(
    "100 MB up from a %s",
    async (from) => {
      await using server = await gunicorn(app);
      const text = repeatedText(hugeBytes);
      const file = join(server.folder, "upload");
      writeFileSync(file, text);
      const { code, output } = await curl(
        ["-T", from === "file" ? file : "-", `${server.url}/`],
        from === "file" ? "ignore" : Bun.file(file),
      );
      expect(code).toBe(0);
      expect(mirrored(output).body).toEqual({ bytes: hugeBytes, sha256: sha256(text) });
    },
    120_000,
  );

  test("100 MB down", async () => {
    await using server = await gunicorn(app);
    const file = join(server.folder, "down");
    const done = await curl([
      "-o",
      file,
      "-w",
      "%{http_code} %{size_download}",
      `${server.url}/huge`,
    ]);
    expect(done).toEqual({ code: 0, output: `200 ${hugeBytes}`, notes: "" });
    const down = await Bun.file(file).bytes();
    expect(sha256(down)).toBe(sha256(repeatedText(hugeBytes)));
  }, 120_000);
});
