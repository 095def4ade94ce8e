/**
 * A real Docker for a test. Its daemon lives in namespaces of its own (mounts, network, processes), so that whatever
 * ends it, a killed test run too, leaves no container, mount, bridge or firewall rule; its data is in memory and goes
 * with them.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ImageRoot } from "./image-root.ts";
import { isRoot } from "../needs.ts";
import { toolPath } from "../peers.ts";
import { childrenOf, until } from "../server.ts";

const project = join(import.meta.dir, "../../..");

/** The address of the daemon in its network, for a swarm; the kernel of a test machine may have no interface of type dummy. */
export const lanAddress = "10.77.0.1";

/** In the new namespaces: data in memory, then the daemon in the shell's place. No firewall rule is needed to reach a container. */
const inside = `mount --make-rprivate / && mkdir "$0/data" && mount -t tmpfs tmpfs "$0/data" && ip link set lo up &&
ip link add lan type bridge && ip address add ${lanAddress}/24 dev lan && ip link set lan up &&
exec dockerd --data-root "$0/data" --exec-root "$0/exec" --pidfile "$0/pid" -H "unix://$0/socket" --iptables=false --ip6tables=false --cgroup-parent "/$1"`;

const unshare = [
  "unshare",
  "--net",
  "--mount",
  "--pid",
  "--ipc",
  "--uts",
  "--cgroup",
  "--fork",
  "--kill-child",
  "--mount-proc",
];

export interface Ran {
  readonly code: number;
  readonly output: string;
}

export class Docker implements AsyncDisposable {
  readonly #folder: string;
  readonly #log: string;
  readonly #process: Bun.Subprocess;
  /** Containers' control groups are below it: they outlive a daemon that is killed. */
  readonly cgroup: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#log = join(folder, "log");
    this.cgroup = `gunicorn-ts-test-${process.pid}`;
    // Killed together with the tests; unshare's end is that of all inside.
    const command = [
      "setpriv",
      "--pdeathsig",
      "KILL",
      ...unshare,
      "sh",
      "-c",
      inside,
      folder,
      this.cgroup,
    ];
    const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
    this.#process = Bun.spawn(command, {
      env: { PATH: path, HOME: folder },
      stdio: ["ignore", Bun.file(this.#log), Bun.file(this.#log)],
    });
  }

  /** Starts the daemon and waits until it answers; throws with what it has said when it ends instead. */
  static async start(): Promise<Docker> {
    const docker = new Docker(mkdtempSync(join(tmpdir(), "gunicorn-ts-docker-")));
    try {
      await until(
        "dockerd",
        async () => {
          if (docker.#process.exitCode !== null) throw new Error("dockerd has ended");
          return (
            existsSync(join(docker.#folder, "socket")) && (await docker.run("version")).code === 0
          );
        },
        120_000,
      );
      return docker;
    } catch (error) {
      const said = existsSync(docker.#log) ? readFileSync(docker.#log, "utf8").slice(-2000) : "";
      await docker[Symbol.asyncDispose]();
      throw new Error(`${(error as Error).message}\n${said}`, { cause: error });
    }
  }

  /** The daemon, or why there is none; in CI there must be one. */
  static async startOrTell(): Promise<Docker | string> {
    if (!isRoot) return "needs root";
    if (toolPath("dockerd") === null) return "not installed here: dockerd";
    // A daemon that didn't come in time may do so on a second try.
    const starting = Docker.start().catch(() => Docker.start());
    if (process.env["CI"] === "true") return starting;
    return starting.catch((error: Error) => `dockerd can't start: ${error.message}`);
  }

  /** A command of Docker's client; both of its outputs are collected. */
  async run(...words: readonly string[]): Promise<Ran> {
    const child = Bun.spawn(["docker", "-H", `unix://${this.#folder}/socket`, ...words], {
      // The builder that comes with the daemon: the other one is a program of its own.
      env: { PATH: process.env["PATH"], HOME: this.#folder, DOCKER_BUILDKIT: "0" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [output, complaints, code] = await Promise.all([
      child.stdout.text(),
      child.stderr.text(),
      child.exited,
    ]);
    return { code, output: output + complaints };
  }

  /** The same, where a failure is the test's. */
  async must(...words: readonly string[]): Promise<string> {
    const { code, output } = await this.run(...words);
    if (code !== 0) throw new Error(`docker ${words.join(" ")}: ${output}`);
    return output.trim();
  }

  /** The same of Compose, which is a program of its own, in a folder. */
  async compose(words: readonly string[], folder: string): Promise<string> {
    const child = Bun.spawn(["docker-compose", ...words], {
      cwd: folder,
      env: {
        PATH: process.env["PATH"],
        HOME: this.#folder,
        DOCKER_HOST: `unix://${this.#folder}/socket`,
        COMPOSE_PROJECT_NAME: "site",
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [output, told, code] = await Promise.all([
      child.stdout.text(),
      child.stderr.text(),
      child.exited,
    ]);
    if (code !== 0) throw new Error(`docker-compose ${words.join(" ")}: ${told}`);
    return output;
  }

  /** What curl gets there; empty where nobody answers, or with an error. */
  async curl(url: string): Promise<string> {
    const child = Bun.spawn([...this.within(), "curl", "-sf", "--max-time", "30", url], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    return child.stdout.text();
  }

  /** Words that run a command in the daemon's network, where containers have addresses. */
  within(): string[] {
    const [daemon] = childrenOf(this.#process.pid);
    return ["nsenter", `--net=/proc/${daemon}/ns/net`];
  }

  /**
   * Makes the image `web`, from what is on this machine: Bun with its libraries, the project as an installed package, and the app.
   * `dockerfile` says the rest: its WORKDIR, ENV and CMD.
   */
  async buildImage(dockerfile: string, app: string): Promise<void> {
    const root = new ImageRoot(join(this.#folder, "root"));
    root.program("usr/local/bin/bun", process.execPath);
    const [, folder = "/srv/web"] = /^WORKDIR (.*)$/m.exec(dockerfile) ?? [];
    const modules = `${folder}/node_modules`;
    for (const part of ["bin", "src", "package.json"]) {
      root.place(`${modules}/gunicorn-ts/${part}`, join(project, part));
    }
    for (const name of ["citty", "consola"])
      root.place(`${modules}/${name}`, join(project, "node_modules", name));
    root.write(`${folder}/app.ts`, app);
    const changes = [...dockerfile.matchAll(/^(?:WORKDIR|ENV|CMD) .*$/gm)].map(([line]) => line);
    await this.#import(root, "web", [...changes, "ENV PATH=/usr/local/bin"]);
  }

  /** Makes the image that a Dockerfile begins with, from what is on this machine: Bun, and programs as Debian has them. */
  async buildBase(name: string, programs: readonly string[]): Promise<void> {
    const root = new ImageRoot(join(this.#folder, "base"));
    root.program("usr/local/bin/bun", process.execPath);
    root.place("usr/local/bin/bunx", process.execPath);
    for (const program of programs) root.program(`usr/bin/${program}`, `/usr/bin/${program}`);
    for (const shell of ["sh", "bash"]) root.place(`bin/${shell}`, `/usr/bin/${shell}`);
    await this.#import(root, name, ["ENV PATH=/usr/local/bin:/usr/bin:/bin"]);
  }

  /** Makes an image of one program with its libraries, from what is on this machine. */
  async importProgram(
    name: string,
    path: string,
    target: string,
    changes: readonly string[] = [],
  ): Promise<void> {
    const root = new ImageRoot(join(this.#folder, name.replaceAll(/\W/g, "-")));
    root.program(path, target);
    await this.#import(root, name, changes);
  }

  /** Builds a Dockerfile's text in a new folder, which may hold nothing else that it needs. */
  async buildText(text: string, folder: string, name: string): Promise<void> {
    mkdirSync(folder);
    writeFileSync(join(folder, "Dockerfile"), text);
    await this.build(folder, name);
  }

  /** Builds a folder's Dockerfile without any network. */
  async build(folder: string, name: string): Promise<string> {
    const limits = ["--network", "none", "--cgroup-parent", `/${this.cgroup}`];
    return this.must("build", ...limits, "-t", name, folder);
  }

  async #import(root: ImageRoot, name: string, changes: readonly string[]): Promise<void> {
    const file = join(this.#folder, "image.tar");
    root.pack(file);
    const words = changes.flatMap((change) => ["--change", change]);
    await this.must("import", ...words, file, name);
    rmSync(file);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // It is the first process of its namespace: all others go with it, and unshare ends.
    for (const daemon of childrenOf(this.#process.pid)) process.kill(daemon, "SIGKILL");
    await this.#process.exited;
    const groups = ["find", "/sys/fs/cgroup", "-depth", "-type", "d", "-path", `*/${this.cgroup}*`];
    // The kernel needs a moment to see that a group is empty.
    await until("the control groups gone", () => {
      Bun.spawnSync([...groups, "-exec", "rmdir", "{}", ";"]);
      return Bun.spawnSync(groups).stdout.length === 0;
    });
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
