/**
 * A real rsyslogd for a test: its own configuration, ports, socket and files in a folder of its own; the system's
 * syslog isn't touched.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toolPath } from "./peers.ts";
import { until } from "./server.ts";

export type SyslogInput = "imudp" | "imtcp" | "imuxsock";

export class Rsyslogd implements AsyncDisposable {
  readonly #folder: string;
  readonly #process: Bun.Subprocess<"ignore", "ignore", "pipe">;
  readonly #udpPort: number;

  constructor(folder: string, udpPort: number) {
    this.#folder = folder;
    this.#udpPort = udpPort;
    writeFileSync(join(folder, "rsyslog.conf"), configuration(folder, udpPort));
    const path = toolPath("rsyslogd") ?? "rsyslogd";
    // -n: no daemon. -i NONE: no pid file. -C: its folder stays where it is.
    const words = ["-n", "-C", "-i", "NONE", "-f", join(folder, "rsyslog.conf")];
    this.#process = Bun.spawn([path, ...words], { stdio: ["ignore", "ignore", "pipe"] });
  }

  /** Waits until all its inputs are open. */
  async ready(): Promise<void> {
    await until("rsyslogd's sockets", async () => {
      if (this.#process.exitCode !== null) {
        throw new Error(`rsyslogd: ${await new Response(this.#process.stderr).text()}`);
      }
      const port = this.#udpPort.toString(16).toUpperCase().padStart(4, "0");
      const bound = readFileSync("/proc/net/udp", "latin1").includes(`0100007F:${port} `);
      return bound && this.#tcpPort !== "" && existsSync(join(this.#folder, "log"));
    });
  }

  /** What `syslog_addr` says to reach it. */
  address(input: SyslogInput): string {
    if (input === "imudp") return `udp://127.0.0.1:${this.#udpPort}`;
    return input === "imtcp" ? `tcp://127.0.0.1:${this.#tcpPort}` : `unix://${this.#folder}/log`;
  }

  /** The messages that came in by that way and were filed under that name, as `local3.warning`: one a line. */
  filed(input: SyslogInput, name: string): string[] {
    const path = join(this.#folder, `${input}.${name}`);
    return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
  }

  /** The port that the kernel chose; empty until it has. */
  get #tcpPort(): string {
    const path = join(this.#folder, "port");
    return existsSync(path) ? readFileSync(path, "latin1").trim() : "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
    rmSync(this.#folder, { recursive: true });
  }
}

/** Files each message by its way, facility and severity, so that the test sees what rsyslogd has understood. */
function configuration(folder: string, udpPort: number): string {
  return `global(workDirectory="${folder}" net.enableDNS="off")
module(load="imudp")
module(load="imtcp")
module(load="imuxsock" SysSock.Use="off")
template(name="file" type="string" string="${folder}/%inputname%.%syslogfacility-text%.%syslogseverity-text%")
template(name="line" type="string" string="%rawmsg-after-pri%\\n")
action(type="omfile" dynaFile="file" template="line")
input(type="imudp" address="127.0.0.1" port="${udpPort}")
input(type="imtcp" address="127.0.0.1" port="0" listenPortFileName="${folder}/port")
input(type="imuxsock" socket="${folder}/log")
`;
}

export async function rsyslogd(): Promise<Rsyslogd> {
  const daemon = new Rsyslogd(
    mkdtempSync(join(tmpdir(), "gunicorn-ts-rsyslogd-")),
    await freeUdpPort(),
  );
  await daemon.ready();
  return daemon;
}

/** imudp can't say which port the kernel has chosen. */
async function freeUdpPort(): Promise<number> {
  const socket = await Bun.udpSocket({ hostname: "127.0.0.1" });
  const { port } = socket;
  socket.close();
  return port;
}
