import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunicorn, until } from "../support/server.ts";

test.each(["async", "serve"])(
  "-k %s: an access_log_format that is a JSON object makes lines that are JSON",
  async (workerClass) => {
    await using server = await gunicorn({
      files: { "app.ts": `export default () => new Response("hello");\n` },
      args: [
        "-k",
        workerClass,
        "--access-logfile",
        "access.log",
        "--access-logformat",
        '{"p":"%(U)s","a":"%(a)s","x":%({x}i)s,"b":%(b)s}',
      ],
    });
    const headers = { "user-agent": 'a "b" \\c', x: "\xc3\xa9" };
    await (await fetch(`${server.url}/caf%C3%A9`, { headers })).text();
    expect(await server.stop()).toBe(0);
    const text = await until("lines", () =>
      readFileSync(join(server.folder, "access.log"), "utf8"),
    );
    const lines = text
      .trimEnd()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(lines.at(-1)).toEqual({ p: "/café", a: 'a "b" \\c', x: "é", b: 5 });
  },
  120_000,
);
