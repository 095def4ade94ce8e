/** A service manager's ear: socat, which receives real datagrams and writes them one after another. */
import { readFileSync } from "node:fs";
import { until } from "./server.ts";

export class NotifyReceiver implements AsyncDisposable {
  readonly #process: Bun.Subprocess<"ignore", "pipe", "inherit">;
  #text = "";

  constructor(address: string) {
    const kind = address.startsWith("@")
      ? `ABSTRACT-RECV:${address.slice(1)}`
      : `UNIX-RECV:${address}`;
    this.#process = Bun.spawn(["socat", "-u", kind, "-"], { stdio: ["ignore", "pipe", "inherit"] });
    void this.#collect();
  }

  async #collect(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#process.stdout) {
      this.#text += decoder.decode(chunk, { stream: true });
    }
  }

  get text(): string {
    return this.#text;
  }

  /** The lines so far, without those that repeat by time, and with the time itself left out. */
  get lines(): string[] {
    return this.#text
      .split("\n")
      .filter((line) => line !== "" && line !== "WATCHDOG=1")
      .map((line) => line.replace(/^(MONOTONIC_USEC=)\d+$/, "$1N"));
  }

  /** Waits for a line or pattern from `after` on, and answers with where it ends. */
  async heard(pattern: RegExp, after = 0): Promise<number> {
    return until(`datagrams to match ${pattern}`, () => {
      const found = pattern.exec(this.#text.slice(after));
      return found === null ? null : after + found.index + found[0].length;
    }).catch((error: Error) => {
      throw new Error(`${error.message}\n--- datagrams:\n${this.#text}`);
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }
}

/** Listens at a path or an abstract `@name`; resolves when datagrams can be sent. */
export async function receiver(address: string): Promise<NotifyReceiver> {
  const socat = new NotifyReceiver(address);
  await until(`a socket at ${address}`, () =>
    readFileSync("/proc/net/unix", "utf8").includes(` ${address}\n`),
  );
  return socat;
}
