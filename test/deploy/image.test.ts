/** The Dockerfile of examples/deploy: built with the package as installed, and run with as few rights as it says. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { example } from "../support/deployment.ts";
import { Container, ContainerLoad } from "../support/containers/docker-container.ts";
import { Docker } from "../support/containers/docker.ts";
import { toolPath } from "../support/peers.ts";
import { install } from "../support/packaging/package.ts";
import { until } from "../support/server.ts";

setDefaultTimeout(300_000);

const app = `import { log } from "gunicorn-ts";
log.info("imported by " + process.getuid());
export const fetch = async (request: Request): Promise<Response> => {
  if (new URL(request.url).pathname !== "/named") return new Response("hello from " + process.getuid());
  const own = await globalThis.fetch("http://localhost:9100/live");
  return new Response("a name was found: " + own.status);
};
`;

const started = await Docker.startOrTell();
const why = typeof started === "string" ? ` (${started})` : "";

const hardened = ["--read-only", "--tmpfs", "/run", "--cap-drop", "ALL"];
const noMore = ["--security-opt", "no-new-privileges"];

/** The first container's words in kubernetes.yaml. */
const [, list = ""] = /args:\n([\s\S]*?)\n +ports:/.exec(example("kubernetes.yaml", {})) ?? [];
const args = [...list.matchAll(/- (\S+)/g)].map(([, word = ""]) => word);

describe.skipIf(typeof started === "string")(`examples/deploy/Dockerfile${why}`, () => {
  const docker = started as Docker;

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
    // As where the package is published: no tarball of it is in the app's folder.
    rmSync(await install(folder));
    writeFileSync(join(folder, "app.ts"), app);
    // Nothing is published: what is installed here is copied.
    const text = example("Dockerfile", { "RUN bun install --frozen-lockfile --production\n": "" });
    writeFileSync(join(folder, "Dockerfile"), text);
    const programs = ["env", "sh", "bash", "ldd", "grep", "xargs", "cp", "mkdir"];
    await docker.buildBase("oven/bun:1.4.5", programs);
    await docker.build(folder, "site");
    rmSync(folder, { recursive: true });
  }, 300_000);
  afterAll(() => docker[Symbol.asyncDispose]());

  test("it is below 130 MB, without a shell, and no root runs it", async () => {
    const [size, user, signal] = (
      await docker.must(
        "inspect",
        "--format",
        "{{.Size}} {{.Config.User}} {{.Config.StopSignal}}",
        "site",
      )
    ).split(" ");
    expect(Number(size)).toBeLessThan(130_000_000);
    expect([user, signal]).toEqual(["65532:65532", "SIGTERM"]);
    expect((await docker.run("run", "--rm", "--entrypoint", "/bin/sh", "site")).code).toBe(127);
  });

  test("it runs with the words and rights of kubernetes.yaml, where nothing can be written", async () => {
    const words = ["--read-only", "--cap-drop", "ALL", ...noMore];
    await using container = await Container.run(docker, words, "site", args);
    const url = await container.url(9100);
    await until("ready", async () => (await docker.curl(`${url}ready`)) !== "");
    await container.do("stop", "--time", "40");
    expect(await container.inspect("{{.State.ExitCode}}")).toBe("0");
  });

  test.skipIf(toolPath("docker-compose") === null)(
    `compose.yaml starts it, healthy, with its limits${toolPath("docker-compose") === null ? " (not installed here: docker-compose)" : ""}`,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
      writeFileSync(join(folder, "compose.yaml"), example("compose.yaml", { "8000:8000": "8000" }));
      const group = {
        services: { site: { cgroup_parent: `/${docker.cgroup}`, healthcheck: { interval: "1s" } } },
      };
      writeFileSync(join(folder, "group.json"), JSON.stringify(group));
      const compose = (...words: string[]) =>
        docker.compose(["-f", "compose.yaml", "-f", "group.json", ...words], folder);
      await compose("up", "--detach", "--no-build");
      const container = new Container(docker, (await compose("ps", "--quiet")).trim());
      await until(
        "its health",
        async () => (await container.inspect("{{.State.Health.Status}}")) === "healthy",
        120_000,
      );
      const limits =
        "{{.HostConfig.NanoCpus}} {{.HostConfig.Memory}} {{.HostConfig.ReadonlyRootfs}}";
      expect(await container.inspect(limits)).toBe("2000000000 1073741824 true");
      expect(await container.log()).toContain("Booting worker");
      await compose("stop");
      expect(await container.inspect("{{.State.ExitCode}}")).toBe("0");
      await compose("down");
      rmSync(folder, { recursive: true });
    },
  );

  const rows: [claim: string, words: string[], uid: number][] = [
    ["as it says", [...hardened, ...noMore], 65532],
    ["by another user", [...hardened, ...noMore, "--user", "1000"], 1000],
    ["with Docker's defaults", [], 65532],
  ];
  test.each(rows)(
    "%s it is healthy, answers, reloads, and stops under load without a loss",
    async (_claim, words, uid) => {
      const soon = ["--health-interval", "1s"];
      await using container = await Container.run(docker, [...words, ...soon], "site");
      await until(
        "its health",
        async () => (await container.inspect("{{.State.Health.Status}}")) === "healthy",
        120_000,
      );
      const url = await container.url(8000);
      expect(await docker.curl(`${url}named`)).toBe("a name was found: 200");
      const load = new ContainerLoad(docker, url, `hello from ${uid}`);
      await load.underWay(container);
      const ctl = ["/site", "ctl", "-s", "/run/site.ctl", "reload", "--wait"];
      expect(await container.exec(...ctl)).toBe("Reloading");
      await container.do("stop", "--time", "35");
      expect(await container.inspect("{{.State.ExitCode}}")).toBe("0");
      const { answered, lost } = await load.end();
      expect(lost).toEqual([]);
      expect(answered).toBeGreaterThan(100);
      expect(await container.log()).toEndWith("[INFO] Shutting down: Master");
    },
  );
});
