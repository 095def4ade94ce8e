// Debian's logrotate with the postrotate of Gunicorn's documentation.
import { expect, test } from "bun:test";
import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { example } from "../support/deployment.ts";
import { describeWith } from "../support/peers.ts";
import { gunicorn, type RunningServer, until } from "../support/server.ts";

const app = `export const fetch = () => new Response("ok");\n`;

/** All files of a log, by the number of each. */
function logsOf({ folder }: RunningServer, name: string): string[] {
  const names = readdirSync(folder).filter((each) => each.startsWith(name));
  return names.map((each) => readFileSync(join(folder, each), "utf8"));
}

describeWith(["logrotate"], "logrotate", () => {
  test("rotates both logs, master and workers follow, and no line is lost or torn", async () => {
    await using server = await gunicorn({
      files: { "app.ts": app },
      args: ["-w", "2", "-p", "pid", "--access-logfile", "access.log"],
    });
    const { folder } = server;
    const config = join(folder, "logrotate.conf");
    const text = example("logrotate.conf", {
      "/var/log/web/": `${folder}/`,
      "/run/web/web.pid": `${folder}/pid`,
      // What is compressed can't be read below.
      "compress\n  #": "#",
      "  delaycompress\n": "",
      // Lines may come a moment after their requests.
      "  notifempty\n": "",
    });
    writeFileSync(config, text);
    // It refuses a configuration that others may write.
    chmodSync(config, 0o644);
    const rotate = () =>
      Bun.spawnSync(["logrotate", "--force", "--state", join(folder, "state"), config], {
        env: { PATH: `${process.env["PATH"]}:/usr/sbin` },
      });
    let asked = 0;
    for (let round = 0; round < 3; round++) {
      for (let count = 0; count < 50; count++) {
        await (await fetch(`${server.url}/asked/${asked}`, { keepalive: false })).text();
        asked += 1;
      }
      const { exitCode, stderr } = rotate();
      expect([exitCode, stderr.toString()]).toEqual([0, ""]);
      // Whoever hasn't opened it anew yet still writes to the old file, and logrotate renames that only.
      await until("the new file", () => readdirSync(folder).includes("access.log"));
    }
    expect(await server.stop()).toBe(0);
    const lines = logsOf(server, "access.log").join("").split("\n");
    const numbers = lines.flatMap((line) => {
      const found =
        /^127\.0\.0\.1 - - \[[^\]]+\] "GET \/asked\/(\d+) HTTP\/1\.1" 200 2 "-" "[^"]+"$/.exec(
          line,
        );
      return found === null ? [] : [Number(found[1])];
    });
    expect(numbers.sort((one, other) => one - other)).toEqual(
      Array.from({ length: asked }, (_, n) => n),
    );
    expect(logsOf(server, "access.log").length).toBe(4);
  }, 120_000);
});
