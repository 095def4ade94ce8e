/** Two hosts behind HAProxy, each with one executable: the next version by USR2 on one, by stop and start on the other. */
import { copyFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { Deployment, example } from "../support/deployment.ts";
import { Executables } from "../support/packaging/executable.ts";
import { Hosts } from "../support/containers/hosts.ts";
import { toolPath } from "../support/peers.ts";
import { type RunningServer, start, until } from "../support/server.ts";
import { app, type Outcome, underLoad } from "./load.ts";
import { patient, type ProxyStatus, withStatus } from "./proxy.ts";

/** The words in the head of haproxy-hosts.cfg. */
const [, documented = ""] = /^# +site (.*)$/m.exec(example("rollout/haproxy-hosts.cfg", {})) ?? [];

/** What is other than documented, to see what it is for. */
export interface Otherwise {
  readonly drainDelay?: number;
  readonly retries?: number;
}

export class TwoHosts implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  readonly #executables: Executables;
  readonly #proxy: Deployment;
  readonly #servers: RunningServer[] = [];
  readonly #words: readonly string[];
  readonly #name: string;
  readonly hosts: Hosts;
  readonly status: ProxyStatus;
  readonly socket: string;
  #version = 1;

  private constructor(hosts: Hosts, { drainDelay = 5, retries = 3 }: Otherwise) {
    this.#words = documented
      .replace("--drain-delay 5", () => `--drain-delay ${drainDelay}`)
      .replace("--keep-alive 10", "--keep-alive 20")
      .split(" ");
    const lacks = [
      ...(drainDelay === 0 ? ["no drain_delay"] : []),
      ...(retries === 0 ? ["no retries"] : []),
    ];
    this.#name = ["two hosts", ...lacks].join(", ");
    this.hosts = this.#stack.use(hosts);
    this.#executables = this.#stack.use(new Executables());
    this.#proxy = this.#stack.use(new Deployment());
    const { folder } = this.#proxy;
    this.socket = join(folder, "web");
    const config = example("rollout/haproxy-hosts.cfg", {
      ...patient,
      "retries 3": `retries ${retries}`,
      "bind :80": `bind unix@${this.socket}`,
    });
    const { text, status } = withStatus(config, folder);
    this.status = status;
    this.#proxy.write("haproxy.cfg", text);
  }

  /** Both hosts serve version 1. */
  static async start(otherwise: Otherwise = {}): Promise<TwoHosts> {
    const two = new TwoHosts(await Hosts.start(2), otherwise);
    try {
      await two.#executables.make("site1", app("1"));
      await Promise.all([two.#startOn(0), two.#startOn(1)]);
      two.#proxy.run([
        ...two.hosts.beside(),
        toolPath("haproxy")!,
        "-db",
        "-f",
        join(two.#proxy.folder, "haproxy.cfg"),
      ]);
      await two.status.up(["one", "two"]);
    } catch (error) {
      await two[Symbol.asyncDispose]();
      throw error;
    }
    return two;
  }

  /** The path of a host's executable; there is one of the current version then. */
  async #install(index: number): Promise<string> {
    const path = join(this.#executables.folder, `site-${index}`);
    // A file that runs can't be written to, but its name can be given away.
    await copyFile(join(this.#executables.folder, `site${this.#version}`), `${path}.next`);
    await rename(`${path}.next`, path);
    return path;
  }

  async #startOn(index: number): Promise<void> {
    const server = start({
      through: this.hosts.on(index),
      executable: await this.#install(index),
      app: null,
      bind: [],
      args: [...this.#words, "-w", "1"],
    });
    this.#servers[index] = this.#stack.use(server);
    await server.logged("Booting worker");
  }

  #ctl(index: number, socket: string, ...command: readonly string[]): Promise<string> {
    const server = this.#servers[index]!;
    const run = Bun.spawn(
      [join(this.#executables.folder, `site-${index}`), "ctl", "-s", socket, ...command],
      { cwd: server.folder, stdio: ["ignore", "pipe", "pipe"] },
    );
    return Promise.all([run.stdout.text(), run.stderr.text(), run.exited]).then(
      ([told, complaints, code]) => {
        if (code === 0) return told;
        throw new Error(`ctl ${command.join(" ")}: ${complaints}\n${server.log}`);
      },
    );
  }

  /** USR2 to the master of a host, and the old one's leave when the new one is ready. */
  async upgrade(index: number): Promise<void> {
    const server = this.#servers[index]!;
    const from = server.log.length;
    await this.#install(index);
    server.kill("SIGUSR2");
    await until("a new master", () => server.log.slice(from).includes("Starting gunicorn-ts"));
    await this.#ctl(index, "site.ctl.2", "wait", "--ready");
    await this.#ctl(index, "site.ctl", "shutdown");
    await server.logged("Master has been promoted.", from);
  }

  /** TERM to the master of a host, and another one when it has ended. */
  async restart(index: number): Promise<void> {
    const code = await this.#servers[index]!.stop();
    if (code !== 0) throw new Error(`exit code ${code}\n${this.#servers[index]!.log}`);
    await this.#startOn(index);
  }

  /** The next version on one host after the other, under load. */
  async rollOut(requests: number): Promise<Outcome> {
    this.#version = 2;
    await this.#executables.make("site2", app("2"));
    return underLoad(
      `${this.#name}: USR2 on one, stop and start on the other`,
      this.socket,
      requests,
      async () => {
        await this.upgrade(0);
        await this.status.up(["one", "two"]);
        await this.restart(1);
        await this.status.up(["one", "two"]);
      },
    );
  }

  /** One host loses power under load, and stays away. */
  powerCut(requests: number): Promise<Outcome> {
    return underLoad(`${this.#name}: one loses power`, this.socket, requests, async () => {
      this.hosts.silence(1, true);
      await this.#servers[1]![Symbol.asyncDispose]();
      await this.status.up(["one"]);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
