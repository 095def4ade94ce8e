// Debian's logrotate, with the logs and pid files of the units of examples/deploy/systemd.
import { expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { example } from "../support/deployment.ts";
import { describeWith } from "../support/peers.ts";
import { gunicorn, until } from "../support/server.ts";

const app = `export const fetch = () => new Response("ok");\n`;

/** Where each of the two units of examples/deploy/systemd has its logs and its pid file, in the folder of a test. */
const units = [
  ["web.service", "log/web", "run/web"],
  ["gunicorn-ts@shop.service", "log/gunicorn-ts-shop", "run/gunicorn-ts-shop"],
] as const;

describeWith(["logrotate"], "logrotate", () => {
  test.each(units)(
    "%s: logs rotate, master and workers follow, and no line is lost or torn",
    async (_, logs, run) => {
      const home = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
      for (const name of [logs, run]) mkdirSync(join(home, name), { recursive: true });
      const accessLog = join(home, logs, "access.log");
      await using server = await gunicorn({
        files: { "app.ts": app },
        args: ["-w", "2", "-p", join(home, run, "web.pid"), "--access-logfile", accessLog],
      });
      const config = join(home, "logrotate.conf");
      const text = example("logrotate.conf", {
        "/var/log/": `${home}/log/`,
        "/run/": `${home}/run/`,
        // What is compressed can't be read below.
        "compress\n  #": "#",
        "  delaycompress\n": "",
        // Lines may come a moment after their requests.
        "  notifempty\n": "",
      });
      writeFileSync(config, text);
      // It refuses a configuration that others may write.
      chmodSync(config, 0o644);
      const rotate = () => {
        const { exitCode, stderr } = Bun.spawnSync(
          ["logrotate", "--force", "--state", join(home, "state"), config],
          { env: { PATH: `${process.env["PATH"]}:/usr/sbin` } },
        );
        expect([exitCode, stderr.toString()]).toEqual([0, ""]);
      };
      let asked = 0;
      for (let round = 0; round < 3; round++) {
        for (let count = 0; count < 50; count++) {
          await (await fetch(`${server.url}/asked/${asked}`, { keepalive: false })).text();
          asked += 1;
        }
        rotate();
        // Whoever hasn't opened it anew yet still writes to the old file, and logrotate renames that only.
        await until("the new file", () => existsSync(accessLog));
      }
      expect(await server.stop()).toBe(0);
      // Nobody is there to be told, and that is no failure.
      rotate();
      const files = readdirSync(join(home, logs));
      const texts = files.map((name) => readFileSync(join(home, logs, name), "utf8"));
      const lines = texts.join("").split("\n");
      const numbers = lines.flatMap((line) => {
        const found =
          /^127\.0\.0\.1 - - \[[^\]]+\] "GET \/asked\/(\d+) HTTP\/1\.1" 200 2 "-" "[^"]+"$/.exec(
            line,
          );
        return found === null ? [] : [Number(found[1])];
      });
      expect(numbers.sort((one, other) => one - other)).toEqual(
        Array.from({ length: asked }, (__, n) => n),
      );
      expect(files.length).toBe(4);
      rmSync(home, { recursive: true });
    },
    120_000,
  );
});
