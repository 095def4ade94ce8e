/**
 * A swarm of one machine, as examples/deploy/rollout/stack.yaml has it: versions, one that never gets ready, and
 * containers that die.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { example } from "../support/deployment.ts";
import { type Docker, lanAddress } from "../support/containers/docker.ts";
import { Executables } from "../support/packaging/executable.ts";
import { toolPath } from "../support/peers.ts";
import { until } from "../support/server.ts";
import { app, type Outcome, underLoad } from "./load.ts";
import { patient, type ProxyStatus, withStatus } from "./proxy.ts";

const root = join(import.meta.dir, "../..");

/** Of the Dockerfile, what its image is of besides the executable. */
const [, dockerfile = ""] =
  /FROM scratch\nCOPY .*\n([\s\S]*)$/.exec(example("Dockerfile", {})) ?? [];

/** Version 3 stays at its import: it never serves, and /ready says 503. */
const versions = `${app("process.env.VERSION")}
if (process.env.VERSION === "3") await new Promise(() => {});
`;

/** What a test has otherwise: a socket besides port 80, and times of a machine that others load. */
const ours = (folder: string) => `version: "3.8"
services:
  site:
    environment: { GUNICORN_CMD_ARGS: --drain-delay 5 --keep-alive 20 }
    healthcheck: { interval: 1s, timeout: 60s, retries: 5, start_period: 5s }
    deploy: { update_config: { monitor: 2s } }
  proxy:
    volumes: [{ type: bind, source: "${folder}", target: /run/web }]
configs:
  haproxy: { file: "${folder}/haproxy.cfg" }
`;

export class Swarm implements AsyncDisposable {
  readonly #docker: Docker;
  readonly #folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-rollout-"));
  readonly socket = join(this.#folder, "web");
  readonly status: ProxyStatus;

  private constructor(docker: Docker) {
    this.#docker = docker;
    const config = example("rollout/haproxy-swarm.cfg", {
      ...patient,
      "bind :80": "bind :80\n  bind unix@/run/web/web mode 666",
    });
    const { text, status } = withStatus(config, this.#folder, "/run/web");
    this.status = status;
    chmodSync(this.#folder, 0o755);
    writeFileSync(join(this.#folder, "haproxy.cfg"), text);
    writeFileSync(join(this.#folder, "ours.yaml"), ours(this.#folder));
  }

  /** Makes the images and starts version 1; the swarm ends the daemon in the end. */
  static async start(docker: Docker): Promise<Swarm> {
    const swarm = new Swarm(docker);
    try {
      await swarm.#makeImages();
      await docker.must("swarm", "init", "--advertise-addr", lanAddress);
      const files = [
        join(root, "examples/deploy/rollout/stack.yaml"),
        join(swarm.#folder, "ours.yaml"),
      ];
      const words = files.flatMap((file) => ["-c", file]);
      await docker.must("stack", "deploy", ...words, "--resolve-image", "never", "web");
      await swarm.allServe();
    } catch (error) {
      await swarm[Symbol.asyncDispose]();
      throw error;
    }
    return swarm;
  }

  async #makeImages(): Promise<void> {
    using executables = new Executables();
    await this.#docker.importProgram("base", "site", await executables.make("site", versions));
    for (const version of ["1", "2", "3"]) {
      const folder = join(executables.folder, `image${version}`);
      await this.#docker.buildText(
        `FROM base\nENV VERSION=${version}\n${dockerfile}`,
        folder,
        `site:${version}`,
      );
    }
    await this.#docker.importProgram("haproxy:2.6", "usr/sbin/haproxy", toolPath("haproxy")!, [
      'CMD ["/usr/sbin/haproxy", "-db", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]',
    ]);
  }

  /** The containers of the app, healthy ones and others. */
  async containers(): Promise<string[]> {
    const label = "label=com.docker.swarm.service.name=web_site";
    return (await this.#docker.must("ps", "--quiet", "--filter", label))
      .split("\n")
      .filter(Boolean);
  }

  /** Waits until three tasks are healthy, and HAProxy has them all. */
  async allServe(): Promise<void> {
    await until(
      "three tasks",
      async () => {
        const names = await this.status.serving().catch(() => []);
        return names.length === 3 && (await this.containers()).length === 3;
      },
      180_000,
    ).catch(async (error: Error) => {
      throw new Error(`${error.message}\n${await this.#told()}`);
    });
  }

  async #told(): Promise<string> {
    const said = [
      await this.#docker.run("service", "ps", "--no-trunc", "web_site", "web_proxy"),
      await this.#docker.run("service", "logs", "--tail", "30", "web_proxy"),
      await this.#docker.run("service", "logs", "--tail", "30", "web_site"),
    ];
    return said.map(({ output }) => output).join("\n");
  }

  /** Another version by `docker service update`, until it serves or the one before serves again, as `expected` says. */
  async #update(version: number, expected: "completed" | "rollback_completed"): Promise<void> {
    const words = ["--quiet", "--no-resolve-image", "--image", `site:${version}`];
    // It fails where the swarm rolls back, and returns when it begins to.
    const { output } = await this.#docker.run("service", "update", ...words, "web_site");
    const template = ["--format", "{{.UpdateStatus.State}}"];
    const state = await until(
      "the update's end",
      async () => {
        const now = await this.#docker.must("service", "inspect", ...template, "web_site");
        return /^(?:rollback_)?(?:completed|paused)$/.test(now) ? now : null;
      },
      180_000,
    );
    if (state !== expected) throw new Error(`${state}: ${output}\n${await this.#told()}`);
    await this.allServe();
  }

  async rollOut(requests: number): Promise<Outcome> {
    const what = "Docker Swarm: version 2";
    return underLoad(what, this.socket, requests, () => this.#update(2, "completed"));
  }

  async rollBack(requests: number): Promise<Outcome> {
    const what = "Docker Swarm: version 3, which is never ready";
    return underLoad(what, this.socket, requests, () => this.#update(3, "rollback_completed"));
  }

  /** Kills all of a container, one after the other, as often; the swarm starts another one each time. */
  async kills(requests: number, times: number): Promise<Outcome> {
    return underLoad(
      `Docker Swarm: kill -9 of a container, ${times} times`,
      this.socket,
      requests,
      async () => {
        for (let time = 0; time < times; time++) {
          const [victim = "", ...others] = await this.containers();
          await this.#docker.must("kill", "--signal", "KILL", victim);
          await until(
            "another container",
            async () => {
              const now = await this.containers();
              return (
                now.length === 3 && !now.includes(victim) && others.every((id) => now.includes(id))
              );
            },
            180_000,
          );
          await this.allServe();
        }
      },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#docker[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
