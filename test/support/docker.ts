/**
 * A real Docker for a test. Its daemon lives in namespaces of its own (mounts, network, processes), so that whatever ends it, a killed test
 * run too, leaves no container, mount, bridge or firewall rule; its data is in memory and goes with them.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { childrenOf, until } from "./server.ts";

const project = join(import.meta.dir, "../..");

/** In the new namespaces: data in memory, then the daemon in the shell's place. No firewall rule is needed to reach a container. */
const inside = `mount --make-rprivate / && mkdir "$0/data" && mount -t tmpfs tmpfs "$0/data" && ip link set lo up &&
exec dockerd --data-root "$0/data" --exec-root "$0/exec" --pidfile "$0/pid" -H "unix://$0/socket" --iptables=false --ip6tables=false`;

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
    const command = ["setpriv", "--pdeathsig", "KILL", ...unshare, "sh", "-c", inside, folder];
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

  /** A command of Docker's client; both of its outputs are collected. */
  async run(...words: readonly string[]): Promise<Ran> {
    const child = Bun.spawn(["docker", "-H", `unix://${this.#folder}/socket`, ...words], {
      env: { PATH: process.env["PATH"], HOME: this.#folder },
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
    const root = join(this.#folder, "root");
    const place = (path: string, target: string) => {
      mkdirSync(join(root, dirname(path)), { recursive: true });
      symlinkSync(target, join(root, path));
    };
    const write = (path: string, text: string) => {
      mkdirSync(join(root, dirname(path)), { recursive: true });
      writeFileSync(join(root, path), text);
    };
    place("usr/local/bin/bun", process.execPath);
    const libraries =
      Bun.spawnSync(["ldd", process.execPath]).stdout.toString().match(/\/\S+/g) ?? [];
    for (const library of new Set(libraries)) place(library, library);
    const [, folder = "/srv/web"] = /^WORKDIR (.*)$/m.exec(dockerfile) ?? [];
    const modules = `${folder}/node_modules`;
    for (const part of ["bin", "src", "package.json"]) {
      place(`${modules}/gunicorn-ts/${part}`, join(project, part));
    }
    for (const name of ["citty", "consola"])
      place(`${modules}/${name}`, join(project, "node_modules", name));
    write(`${folder}/hello.ts`, app);
    write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
    write("etc/group", "root:x:0:\n");
    mkdirSync(join(root, "tmp"), { mode: 0o777 });
    const changes = [...dockerfile.matchAll(/^(?:WORKDIR|ENV|CMD) .*$/gm)].flatMap(([line]) => [
      "--change",
      line,
    ]);
    const tar = [
      "tar",
      "--dereference",
      "--owner=0",
      "--group=0",
      "--mode=a+rX",
      "-cf",
      join(this.#folder, "image.tar"),
      "-C",
      root,
      ".",
    ];
    const { exitCode, stderr } = Bun.spawnSync(tar);
    if (exitCode !== 0) throw new Error(`tar: ${stderr.toString()}`);
    await this.must(
      "import",
      ...changes,
      "--change",
      "ENV PATH=/usr/local/bin",
      join(this.#folder, "image.tar"),
      "web",
    );
    rmSync(join(this.#folder, "image.tar"));
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
