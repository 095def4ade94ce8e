/**
 * A real podman for a test, in namespaces of its own (mounts, network, processes): whatever ends the test, no
 * container, mount, bridge or firewall rule is left; its images are in memory and go with them.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ImageRoot } from "./image-root.ts";
import { childrenOf, until } from "../server.ts";

/** In the new namespaces; the first process there is one that waits. */
const inside = `mount --make-rprivate / && mount -t tmpfs tmpfs "$0/data" && mount -t tmpfs tmpfs /run && ip link set lo up &&
touch "$0/up" && exec sleep infinity`;

const unshare = ["unshare", "--net", "--mount", "--pid", "--ipc", "--uts", "--fork"];

/** Debian's runc, as Docker has it: crun of that age refuses a machine with both kinds of control groups. */
const configuration = (folder: string) => `[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "${folder}/data/tmp"
[network]
network_config_dir = "${folder}/data/networks"
`;

const storage = (folder: string) => `[storage]
driver = "overlay"
graphroot = "${folder}/data/graph"
runroot = "${folder}/data/run"
`;

export class Podman implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-podman-"));
  readonly #env: Readonly<Record<string, string>>;
  readonly #process: Bun.Subprocess;

  private constructor() {
    const { folder } = this;
    mkdirSync(join(folder, "data"));
    writeFileSync(join(folder, "containers.conf"), configuration(folder));
    writeFileSync(join(folder, "storage.conf"), storage(folder));
    this.#env = {
      PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`,
      HOME: folder,
      CONTAINERS_CONF: join(folder, "containers.conf"),
      CONTAINERS_STORAGE_CONF: join(folder, "storage.conf"),
    };
    // Killed together with the tests; unshare's end is that of all inside.
    const held = ["setpriv", "--pdeathsig", "KILL", ...unshare, "--kill-child", "--mount-proc"];
    this.#process = Bun.spawn([...held, "sh", "-c", inside, folder], {
      env: this.#env,
      stdio: ["ignore", "ignore", "ignore"],
    });
  }

  static async start(): Promise<Podman> {
    const podman = new Podman();
    await until("its namespaces", () => {
      if (podman.#process.exitCode !== null) throw new Error("unshare has ended");
      return existsSync(join(podman.folder, "up"));
    });
    return podman;
  }

  /** What it prints; a failure is the test's. */
  must(...words: readonly string[]): string {
    const { exitCode, stdout, stderr } = this.#run(["podman", ...words]);
    if (exitCode !== 0) throw new Error(`podman ${words.join(" ")}: ${stderr.toString()}`);
    return stdout.toString().trim();
  }

  /** What a container has printed, to either output. */
  log(container: string): string {
    const { stdout, stderr } = this.#run(["podman", "logs", container]);
    return stdout.toString() + stderr.toString();
  }

  /** What curl gets in its network; empty where nobody answers, or with an error. */
  curl(url: string): string {
    return this.#run(["curl", "-sf", "--max-time", "30", url]).stdout.toString();
  }

  /** Makes an image of one program with its libraries, from what is on this machine. */
  importProgram(name: string, path: string, target: string): void {
    const root = new ImageRoot(join(this.folder, "root"));
    root.program(path, target);
    const file = join(this.folder, "image.tar");
    root.pack(file);
    this.must("import", "--change", `ENTRYPOINT ["/${path}"]`, file, name);
  }

  #run(command: readonly string[]): Bun.SyncSubprocess<"pipe", "pipe"> {
    const [first] = childrenOf(this.#process.pid);
    const within = ["nsenter", "--all", `--target=${first}`];
    return Bun.spawnSync([...within, ...command], { env: this.#env, stderr: "pipe" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const first of childrenOf(this.#process.pid)) process.kill(first, "SIGKILL");
    await this.#process.exited;
    // The groups of control that it has made, empty by now; one that somebody else uses stays.
    const groups = ["find", "/sys/fs/cgroup", "-depth", "-type", "d", "-path", "*/libpod_parent*"];
    Bun.spawnSync([...groups, "-exec", "rmdir", "{}", ";"], { stderr: "ignore" });
    rmSync(this.folder, { recursive: true, force: true });
  }
}
