/** Each bad configuration of TLS is refused with one line, before a socket is opened. */
import { afterAll, describe, expect, test } from "bun:test";
import { badTls, configFileOf } from "../support/bad-tls.ts";
import { Certificates } from "../support/certificates.ts";
import { start, until } from "../support/server.ts";

const certificates = new Certificates();
afterAll(() => certificates[Symbol.dispose]());

const rows = badTls(certificates);
const app = "export default { fetch: () => new Response('hello') };\n";

describe.each([["--check-config", ["--check-config"]]])("%s refuses", (_, args) => {
  test.concurrent.each(rows.map((row) => [row.name, row] as const))(
    "%s",
    async (_name, row) => {
      await using server = start({
        args,
        files: { "app.ts": app, "gunicorn.conf.ts": configFileOf(row) },
        env: row.env ?? {},
        bind: row.bind ?? ["127.0.0.1:0"],
      });
      expect(await server.process.exited).toBe(1);
      await until("the end of its output", () => server.ended());
      const [first = "", ...rest] = server.log.split("\n");
      expect(first.replace(/^Error: (gunicorn\.conf\.ts: |--bind: )?/, "")).toStartWith(row.says);
      expect(rest).toEqual([""]);
    },
    120_000,
  );
});
