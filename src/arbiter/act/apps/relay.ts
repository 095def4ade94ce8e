/** Passes on between workers what they publish to websockets: carries out what decide/relay.ts says. */
import type { MasterMessage, RelayMessage } from "../../../ipc/messages.ts";
import { describeError, type LogLevel } from "../../../log/error-log.ts";
import { join, leave, type Members, onTaken, relay, type Relayed } from "../../decide/relay.ts";
import { sendToWorker } from "../birth/spawn.ts";

type Process = Pick<Bun.Subprocess, "pid" | "send">;

/** What of the arbiter it needs. */
export interface RelayHost {
  log(level: LogLevel, message: string): void;
  /** The process of a worker; undefined when it has gone. */
  process(age: number): Process | undefined;
  /** How many others want what the worker publishes. */
  setAudience(age: number, count: number): void;
}

export class Relay {
  readonly #host: RelayHost;
  #members: Members = [];
  /** Bytes by age that are taken, and of which the worker isn't told yet. */
  readonly #taken = new Map<number, number>();

  constructor(host: RelayHost) {
    this.#host = host;
  }

  receive(age: number, message: RelayMessage): void {
    switch (message.type) {
      case "websocket join": {
        const process = this.#host.process(age);
        if (process === undefined) return;
        this.#members = join(this.#members, age, process.pid);
        // Before it is told: it accepts no client until then, so that no subscriber misses what follows.
        this.#count();
        return this.#send(age, { type: "websocket joined" });
      }
      case "websocket publish": {
        const { bytes, publications } = message;
        const relayed = relay(this.#members, age, bytes, publications.length);
        this.#keep(relayed);
        for (const to of relayed.to) this.#send(to, message);
        return this.#take(age, bytes);
      }
      case "websocket taken":
        return this.#keep(onTaken(this.#members, age, message.bytes));
      default:
        return message satisfies never;
    }
  }

  /** A worker has gone. */
  remove(age: number): void {
    this.#keep(leave(this.#members, age));
    this.#count();
  }

  #count(): void {
    for (const { age } of this.#members) this.#host.setAudience(age, this.#members.length - 1);
  }

  #keep({ members, lines }: Relayed): void {
    this.#members = members;
    for (const { level, message } of lines) this.#host.log(level, message);
  }

  /** One answer for all that has come at a time. */
  #take(age: number, bytes: number): void {
    const { size } = this.#taken;
    this.#taken.set(age, (this.#taken.get(age) ?? 0) + bytes);
    if (size === 0) setImmediate(() => this.#tell());
  }

  #tell(): void {
    for (const [age, bytes] of this.#taken) {
      this.#send(age, { type: "websocket taken", bytes });
    }
    this.#taken.clear();
  }

  #send(age: number, message: MasterMessage): void {
    trySend(this.#host, age, message, "Can't pass on what websockets publish");
  }
}

/** Says something to a worker. What the system refuses never ends the master: the log has it behind `failure`. */
export function trySend(
  { log, process }: Pick<RelayHost, "log" | "process">,
  age: number,
  message: MasterMessage,
  failure: string,
): void {
  try {
    sendToWorker(process(age), message);
  } catch (error) {
    log("error", `${failure}: ${describeError(error)}`);
  }
}
