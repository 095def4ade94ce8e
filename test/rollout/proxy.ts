/** What HAProxy says of the servers behind it. */
import { join } from "node:path";
import { until } from "../support/server.ts";

export class ProxyStatus {
  readonly #socket: string;

  constructor(socket: string) {
    this.#socket = socket;
  }

  /** The servers that are asked: their names. */
  async serving(): Promise<string[]> {
    const answer = await fetch("http://haproxy/;csv", { unix: this.#socket });
    const [head = "", ...lines] = (await answer.text()).split("\n");
    const columns = head.replace(/^# /, "").split(",");
    const rows = lines.map((line) => line.split(","));
    const of = (row: readonly string[], name: string) => row[columns.indexOf(name)] ?? "";
    return (
      rows
        .filter((row) => of(row, "pxname") === "app" && of(row, "svname") !== "BACKEND")
        // `UP 1/2` is on its way down, and still asked.
        .filter((row) => of(row, "status") === "UP")
        .map((row) => of(row, "svname"))
    );
  }

  /** Waits until these and no others are up. */
  async up(names: readonly string[]): Promise<void> {
    let last: readonly string[] = [];
    await until(
      `HAProxy to have ${names.join(" and ")}`,
      async () => {
        last = await this.serving().catch(() => []);
        return last.join() === names.join();
      },
      120_000,
    ).catch((error: Error) => {
      throw new Error(`${error.message}; it has ${last.join(" and ")}`);
    });
  }
}

/** What takes the place of times that a machine with other work doesn't keep: who is slow there is neither dead nor idle. */
export const patient = {
  "timeout connect 1s": "timeout connect 10s",
  "timeout check 5s": "timeout check 60s",
  "timeout http-keep-alive 5s": "timeout http-keep-alive 60s",
} as const;

/** A configuration that tells its status too, by a socket in a folder. */
export function withStatus(
  config: string,
  folder: string,
  inside = folder,
): { text: string; status: ProxyStatus } {
  const own = `frontend status\n  bind unix@${join(inside, "status")} mode 666\n  stats enable\n  stats uri /\n`;
  return { text: `${config}\n${own}`, status: new ProxyStatus(join(folder, "status")) };
}
