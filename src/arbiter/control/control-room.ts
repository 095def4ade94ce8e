/**
 * The control socket over the master's life: opened, moved, closed as the configuration has it, and its commands carried out.
 * It is imported when a configuration asks for it.
 */
import { ConfigError } from "../../api/errors.ts";
import type { Config } from "../../config/types.ts";
import { CommandError, readCommand } from "../../control/commands.ts";
import { type Answer, failure, ok } from "../../control/messages.ts";
import { describeError, type LogLevel } from "../../log/error-log.ts";
import { SystemError } from "../../os/libc.ts";
import type { PeerCredentials } from "../../os/sockets/peer-credentials.ts";
import { fileAt, inspectPath, unlinkIfSame } from "../../os/sockets/listening/unix-socket.ts";
import type { LoadSample } from "../../scaling/load-sample.ts";
import { takeLoad } from "../act/scaling/load.ts";
import type { Event } from "../decide/events.ts";
import { answer, type ControlFacts } from "./answer.ts";
import { checkPath, type Environment, pathOf } from "./check-place.ts";
import { ControlSocket } from "./control-socket.ts";

/** What of the arbiter it needs. */
export interface ControlHost {
  /** The old master of an upgrade is still there. */
  second(): boolean;
  log(level: LogLevel, message: string): void;
  facts(): ControlFacts;
  handle(event: Event): void;
}

export interface ControlRoomParts {
  /** What the master was started with. */
  readonly env: Environment;
  /** This is the new master of an upgrade. */
  readonly second: boolean;
}

export class ControlRoom {
  readonly #env: Environment;
  #second: boolean;
  #socket: ControlSocket | null = null;
  #host: ControlHost | null = null;

  constructor({ env, second }: ControlRoomParts) {
    this.#env = env;
    this.#second = second;
  }

  /**
   * Whether the socket of a configuration can be opened, as far as that can be known without doing it.
   * @throws ConfigError
   */
  check(config: Config): void {
    const path = this.#pathOf(config);
    if (path === null) return;
    checkPath(path);
    if (path !== this.#socket?.path && inspectPath(path) === "in use") throw inUse(path);
  }

  /**
   * Opens the socket of a configuration, at the start.
   * @throws ConfigError
   */
  open(config: Config): void {
    const path = this.#pathOf(config);
    if (path === null) return;
    checkPath(path);
    this.#socket = this.#bind(path, config.controlSocketMode);
  }

  /** Commands are answered from now on. */
  attach(host: ControlHost): void {
    this.#host = host;
    this.#listen();
  }

  /** After a reload: what can't be opened is told, and the socket before stays. */
  use(config: Config): void {
    try {
      const path = this.#pathOf(config);
      if (path === null) return this.close();
      const before = this.#socket;
      if (before !== null && before.path === path && before.inPlace)
        return before.setMode(config.controlSocketMode);
      this.#socket = this.#bind(path, config.controlSocketMode);
      before?.close();
      this.#listen();
    } catch (error) {
      this.#tell(error);
    }
  }

  /** The old master has gone: its path is free. */
  promote(config: Config): void {
    this.#second = false;
    const path = this.#pathOf(config);
    if (path === null || this.#socket === null || this.#socket.path === path) return;
    try {
      checkPath(path);
      if (inspectPath(path) === "in use") throw inUse(path);
      this.#socket.rename(path);
      this.#listening();
    } catch (error) {
      this.#tell(error);
    }
  }

  /** At the end, and when a reload takes the setting away. */
  close(): void {
    this.#socket?.close();
    this.#socket = null;
  }

  #pathOf(config: Config): string | null {
    return pathOf(config, { env: this.#env, second: this.#second });
  }

  #bind(path: string, mode: number): ControlSocket {
    try {
      const left = fileAt(path);
      if (inspectPath(path) === "in use") throw inUse(path);
      if (left !== null) unlinkIfSame(path, left);
      return new ControlSocket(path, mode, {
        uid: process.geteuid?.() ?? -1,
        answer: (words, id, peer) => this.#answer(words, id, peer),
        warn: (message) => this.#host?.log("warning", message),
      });
    } catch (cause) {
      if (cause instanceof ConfigError) throw cause;
      if (!(cause instanceof SystemError) && (cause as NodeJS.ErrnoException).code === undefined)
        throw cause;
      throw new ConfigError(`controlSocket: ${path}: ${(cause as Error).message}`, { cause });
    }
  }

  #listen(): void {
    if (this.#host === null || this.#socket === null) return;
    this.#socket.listen();
    this.#listening();
  }

  #listening(): void {
    this.#host?.log("info", `Control socket listening at ${this.#socket?.path}`);
  }

  #answer(words: readonly string[], id: unknown, { uid, pid }: PeerCredentials): Answer {
    const host = this.#host;
    if (host === null) return failure(id, "The server starts");
    try {
      const command = readCommand(words);
      const { data, event } = answer(command, host.facts(), uid, loadOf);
      if (event !== null) {
        const by = pid === null ? `uid:${uid}` : `uid:${uid} pid:${pid}`;
        // A token is nobody else's to know.
        const shown = "token" in command ? words.slice(0, -1) : words;
        host.log("info", `Handling command: ${shown.join(" ")} (${by})`);
        host.handle(event);
      }
      return ok(id, data);
    } catch (error) {
      if (error instanceof CommandError) return failure(id, error.message);
      // A bug of ours: it is told, and nobody else suffers.
      host.log("error", `Control socket: ${describeError(error)}`);
      return failure(id, "Command failed, see the log");
    }
  }

  #tell(error: unknown): void {
    if (!(error instanceof ConfigError) && (error as NodeJS.ErrnoException).code === undefined)
      throw error;
    this.#host?.log("error", (error as Error).message);
  }
}

function loadOf({ status, config, waiting }: ControlFacts): LoadSample {
  return takeLoad(status, config, { waiting });
}

function inUse(path: string): ConfigError {
  return new ConfigError(`controlSocket: ${path}: another server answers there`);
}
