/** Containers of a test's Docker, and clients beside them. */
import { join } from "node:path";
import type { Docker } from "./docker.ts";
import { until } from "../server.ts";
import type { StopLoadResult } from "../loads/stop-load.ts";

/** A container of the image, with the words that `docker run` takes. */
export class Container implements AsyncDisposable {
  readonly #docker: Docker;
  readonly #id: string;

  constructor(docker: Docker, id: string) {
    this.#docker = docker;
    this.#id = id;
  }

  static async run(
    docker: Docker,
    words: readonly string[],
    image = "web",
    command: readonly string[] = [],
  ): Promise<Container> {
    const group = ["--cgroup-parent", `/${docker.cgroup}`];
    const run = ["run", "--detach", ...group, ...words, image, ...command];
    return new Container(docker, await docker.must(...run));
  }

  inspect(template: string): Promise<string> {
    return this.#docker.must("inspect", "--format", template, this.#id);
  }

  /** Where a port of it is, in the daemon's network. */
  async url(port: number): Promise<string> {
    return `http://${await this.inspect("{{.NetworkSettings.IPAddress}}")}:${port}/`;
  }

  do(verb: string, ...words: readonly string[]): Promise<string> {
    return this.#docker.must(verb, ...words, this.#id);
  }

  /** Runs a command in it. */
  exec(...words: readonly string[]): Promise<string> {
    return this.#docker.must("exec", this.#id, ...words);
  }

  log(): Promise<string> {
    return this.#docker.must("logs", this.#id);
  }

  /** All processes in it, with the numbers that the daemon sees. */
  async processes(): Promise<{ pid: number; state: string; kilobytes: number; title: string }[]> {
    const table = await this.#docker.must("top", this.#id, "-eo", "pid,stat,rss,args");
    return table
      .split("\n")
      .slice(1)
      .map((line) => {
        const [pid, state = "", kilobytes, ...title] = line.trim().split(/\s+/);
        return { pid: Number(pid), state, kilobytes: Number(kilobytes), title: title.join(" ") };
      });
  }

  /** Waits until it has as many workers, and none of those named. */
  async settled(count: number, without: readonly number[] = []): Promise<number[]> {
    return until(
      `${count} workers`,
      async () => {
        // The process of the first one is there before its master listens.
        if (!(await this.log()).includes("Booting worker")) return null;
        const processes = await this.processes();
        const pids = processes
          .filter(({ title }) => title.includes("worker"))
          .map(({ pid }) => pid);
        return pids.length === count && !pids.some((pid) => without.includes(pid)) ? pids : null;
      },
      120_000,
    ).catch(async (error: Error) => {
      throw new Error(
        `${error.message}\n${JSON.stringify(await this.processes())}\n${await this.log()}`,
      );
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#docker.must("rm", "--force", this.#id);
  }
}

/** Clients in the daemon's network, who connect until they are refused. */
export class ContainerLoad {
  readonly #process: Bun.Subprocess<"pipe", "pipe", "inherit">;
  readonly #read: Promise<void>;
  #told = "";

  constructor(docker: Docker, url: string, text: string) {
    const clients = join(import.meta.dir, "../loads/stop-load.ts");
    this.#process = Bun.spawn([...docker.within(), process.execPath, clients, url, text], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#read = this.#collect();
  }

  async #collect(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of this.#process.stdout) this.#told += decoder.decode(bytes);
  }

  /** Waits for the first 100 answers. */
  async underWay(container: Pick<Container, "log">): Promise<void> {
    await until("100 answers", async () => {
      if (this.#told !== "") return true;
      if (this.#process.exitCode === null) return false;
      throw new Error(await container.log());
    });
  }

  async end(): Promise<StopLoadResult> {
    this.#process.stdin.end();
    await this.#read;
    return JSON.parse(this.#told.split("\n").at(-2) ?? "") as StopLoadResult;
  }
}
