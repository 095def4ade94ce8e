/**
 * Hosts of one network, each a network namespace of its own, for a test. A namespace lives as long as the process that
 * holds it, and those are killed together with the tests: nothing is left, whatever ends them.
 */
import { readlinkSync } from "node:fs";
import { toolPath } from "../peers.ts";
import { until } from "../server.ts";

const own = readlinkSync("/proc/self/ns/net");

async function hold(): Promise<Bun.Subprocess> {
  const holder = Bun.spawn(
    ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sleep", "infinity"],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  await until("a network namespace", () => {
    if (holder.exitCode !== null) throw new Error(`unshare ended with ${holder.exitCode}`);
    return readlinkSync(`/proc/${holder.pid}/ns/net`) !== own;
  });
  return holder;
}

/** Words that run a command in a process's network. */
function within({ pid }: Bun.Subprocess): string[] {
  return ["nsenter", `--net=/proc/${pid}/ns/net`];
}

function must(command: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([...command], { stdout: "ignore" });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr.toString()}`);
}

export class Hosts implements AsyncDisposable {
  readonly #switch: Bun.Subprocess;
  readonly #hosts: Bun.Subprocess[] = [];
  readonly #ip = toolPath("ip") ?? "ip";

  private constructor(holder: Bun.Subprocess) {
    this.#switch = holder;
  }

  /** As many hosts, on one switch; the switch is a host too, 10.0.0.1. */
  static async start(count: number): Promise<Hosts> {
    const hosts = new Hosts(await hold());
    hosts.#at(hosts.#switch, "link set lo up");
    hosts.#at(hosts.#switch, "link add lan type bridge");
    hosts.#at(hosts.#switch, "address add 10.0.0.1/24 dev lan");
    hosts.#at(hosts.#switch, "link set lan up");
    for (let index = 0; index < count; index++) {
      const host = await hold();
      hosts.#hosts.push(host);
      hosts.#at(
        hosts.#switch,
        `link add port${index} type veth peer name eth0 netns ${String(host.pid)}`,
      );
      hosts.#at(hosts.#switch, `link set port${index} master lan up`);
      hosts.#at(host, "link set lo up");
      hosts.#at(host, `address add ${hosts.address(index)}/24 dev eth0`);
      hosts.#at(host, "link set eth0 up");
    }
    return hosts;
  }

  address(index: number): string {
    return `10.0.0.${11 + index}`;
  }

  /** Words that run a command on a host. */
  on(index: number): string[] {
    const host = this.#hosts[index];
    if (host === undefined) throw new RangeError(`no host ${index}`);
    return within(host);
  }

  /** Words that run a command beside the hosts. */
  beside(): string[] {
    return within(this.#switch);
  }

  /** From now on, or no longer, a host hears nothing and says nothing, as one without power. */
  silence(index: number, silent: boolean): void {
    this.#at(this.#switch, `link set port${index} ${silent ? "down" : "up"}`);
  }

  #at(holder: Bun.Subprocess, words: string): void {
    must([...within(holder), this.#ip, ...words.split(" ")]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const holder of [...this.#hosts, this.#switch]) {
      holder.kill("SIGKILL");
      await holder.exited;
    }
  }
}
