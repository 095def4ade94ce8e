// The units of examples/deploy: systemd's own checks, and what they start. No systemd runs here: the test takes its place.
import { expect, test } from "bun:test";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../bench/free-port.ts";
import { Deployment, example } from "../support/deployment.ts";
import { Load } from "../support/loads/load.ts";
import { describeWith, nginxCommand, temporaryPaths } from "../support/peers.ts";
import { allReplaced, childrenOf, until } from "../support/server.ts";

const bun = { "/usr/local/bin/bun": process.execPath };
const units: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "web.service": bun,
  "web.socket": {},
  "gunicorn-ts@.service": bun,
  "gunicorn-ts.target": {},
};

describeWith(["systemd-analyze"], "examples/deploy/systemd", () => {
  test("all units are there, and systemd finds nothing wrong in them", async () => {
    expect(readdirSync(join(import.meta.dir, "../../examples/deploy/systemd")).toSorted()).toEqual(
      Object.keys(units).toSorted(),
    );
    await using deployment = new Deployment();
    for (const [name, replacements] of Object.entries(units)) {
      deployment.write(name, example(`systemd/${name}`, replacements));
    }
    const files = Object.keys(units).map((name) => name.replace("@.", "@shop."));
    const { exitCode, stderr } = Bun.spawnSync(
      ["systemd-analyze", "verify", ...files.map((name) => `./${name}`)],
      {
        cwd: deployment.folder,
        env: { PATH: process.env["PATH"], SYSTEMD_UNIT_PATH: `${deployment.folder}:` },
      },
    );
    expect([stderr.toString(), exitCode]).toEqual(["", 0]);
  });

  test("web.service leaves little to whoever breaks in", async () => {
    await using deployment = new Deployment();
    const file = deployment.write("web.service", example("systemd/web.service", bun));
    const { stdout } = Bun.spawnSync([
      "systemd-analyze",
      "security",
      "--offline=true",
      "--no-pager",
      file,
    ]);
    const [, exposure] = /Overall exposure level for \S+: ([\d.]+)/.exec(stdout.toString()) ?? [];
    // systemd's own words: below 4.0 is OK, a service without any of it has 9.6.
    expect(Number(exposure)).toBeLessThan(4);
  });
});

/** The command of a unit's ExecStart, its lines joined. */
function execStart(unit: string): string[] {
  const [, command = ""] = /^ExecStart=((?:.*\\\n)*.*)$/m.exec(unit) ?? [];
  return command.replaceAll("\\\n", " ").split(/\s+/);
}

/** What gunicorn-ts@NAME.service starts, in a folder for all apps. */
async function appStarted(deployment: Deployment, name: string): Promise<number> {
  const { folder } = deployment;
  for (const part of [`run/gunicorn-ts-${name}`, `log/gunicorn-ts-${name}`])
    mkdirSync(join(folder, part), { recursive: true });
  deployment.write(
    "app.ts",
    `export async function fetch(request) { await request.text(); return new Response("${name}"); }`,
  );
  deployment.write(`etc/${name}.ts`, `export default { workers: 2, wsgiApp: "app:fetch" };\n`);
  const unit = example("systemd/gunicorn-ts@.service", {
    ...bun,
    "%i": name,
    "/etc/gunicorn-ts/": `${folder}/etc/`,
    "/run/": `${folder}/run/`,
    "/var/log/": `${folder}/log/`,
  });
  deployment.install();
  deployment.run(execStart(unit));
  await deployment.says("Using worker: async");
  return Number(await Bun.file(join(folder, `run/gunicorn-ts-${name}/web.pid`)).text());
}

describeWith(["nginx"], "examples/deploy: two apps behind nginx", () => {
  test("each answers by its name; while one is replaced or stopped, the other one goes on", async () => {
    await using shop = new Deployment();
    await using blog = new Deployment();
    await using proxy = new Deployment();
    const [master] = await Promise.all([appStarted(shop, "shop"), appStarted(blog, "blog")]);
    const port = freePort();
    const { folder } = proxy;
    mkdirSync(join(folder, "tmp"));
    const apps = example("nginx-apps.conf", {
      "/run/gunicorn-ts-shop/": `${shop.folder}/run/gunicorn-ts-shop/`,
      "/run/gunicorn-ts-blog/": `${blog.folder}/run/gunicorn-ts-blog/`,
      "listen 80": `listen 127.0.0.1:${port}`,
    });
    // The account of nginx's own processes may not enter the folders of a test.
    const text = `${process.geteuid?.() === 0 ? "user root;" : ""} daemon off; pid ${folder}/nginx.pid; error_log stderr;
      events {} http { access_log off; ${temporaryPaths(`${folder}/tmp`)} ${apps} }`;
    proxy.run(nginxCommand(folder, proxy.write("nginx.conf", text)));

    const ask = async (host: string) => {
      const headers = { host };
      const answer = await fetch(`http://127.0.0.1:${port}/`, { headers, keepalive: false }).catch(
        () => null,
      );
      return answer === null
        ? "no answer"
        : answer.status === 200
          ? await answer.text()
          : String(answer.status);
    };
    await until("nginx to answer", async () => (await ask("blog.example.com")) === "blog");
    expect(await ask("shop.example.com")).toBe("shop");
    expect(await ask("other.example.com")).toBe("no answer");

    const load = new Load({
      port,
      host: "blog.example.com",
      fresh: 2,
      kept: 2,
      posting: 2,
      expected: "blog",
    });
    const before = childrenOf(master!);
    process.kill(master!, "SIGHUP");
    await allReplaced(() => childrenOf(master!), before);
    await load.more(100);
    expect(await ask("shop.example.com")).toBe("shop");
    process.kill(master!, "SIGTERM");
    await shop.exited;
    await load.more(100);
    expect(await ask("shop.example.com")).toBe("502");
    expect((await load.stop()).failures).toEqual([]);
  });
});
