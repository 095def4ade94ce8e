/** What --request does: a worker as a server would have it, asked over a connection of its own, and the answers printed. */
import { readFileSync, writeSync } from "node:fs";
import { connect } from "node:net";
import { resolve } from "node:path";
import { ConfigError } from "../api/errors.ts";
import type { Environment } from "../arbiter/act/master/environment.ts";
import type { AppConfig } from "../arbiter/act/configuration/generation.ts";
import { withoutServiceManager } from "../arbiter/act/master/environment.ts";
import type { AskedBody, AskedRequest } from "../config/sources/requests.ts";
import { exitCodes } from "../ipc/exit-codes.ts";
import { writeFully } from "../os/write-fully.ts";
import { version } from "../version.ts";
import { AnswerReader } from "./answer-reader.ts";
import { TrialWorker } from "./trial-worker.ts";

/** An answer that isn't 2xx or 3xx, or none. */
const failed = 1;

const standardOutput = 1;
const fullPipeMs = 1;
const LF = 10;

/**
 * Asks the app, one request after the other, until one isn't answered.
 * @param directory where paths of bodies are seen from
 * @param env the worker's environment, without raw_env
 * @returns the exit code: 0 when all answers are 2xx or 3xx
 * @throws ConfigError for the file of a body that can't be read
 */
export async function ask(
  resolved: AppConfig,
  requests: readonly AskedRequest[],
  { directory, env }: { readonly directory: string; readonly env: Environment },
): Promise<number> {
  const messages = requests.map((request) => encode(request, directory));
  const software = { SERVER_SOFTWARE: `gunicorn-ts/${version}` };
  const worker = new TrialWorker(resolved, { ...withoutServiceManager(env), ...software });
  const bootFailure = await worker.boot();
  if (bootFailure !== null) return bootFailure;
  const output = new Output();
  let exitCode: number = exitCodes.ok;
  for (const [index, { method, target }] of requests.entries()) {
    const reader = new AnswerReader(method);
    const { timeout } = resolved.config;
    const message = messages[index] as Buffer;
    const isLate = await exchange({ path: worker.path, message, timeout, reader, output });
    if (!reader.isComplete) {
      const why = isLate
        ? `no whole answer within ${timeout} s (timeout)`
        : "the connection has ended before a whole answer";
      writeFully(2, `Error: ${method} ${target}: ${why}\n`);
      await worker.quit();
      return failed;
    }
    if (reader.status < 200 || reader.status > 399) exitCode = failed;
  }
  await worker.stop();
  return exitCode;
}

interface Exchange {
  readonly path: string;
  readonly message: Buffer;
  /** In seconds; 0: however long it takes. */
  readonly timeout: number;
  readonly reader: AnswerReader;
  readonly output: Output;
}

/** Sends the request and prints what comes, until the reader has all or nothing more comes; answers whether time was up. */
async function exchange({ path, message, timeout, reader, output }: Exchange): Promise<boolean> {
  const socket = connect({ path });
  let isLate = false;
  const cut = (): void => {
    isLate = true;
    socket.destroy();
  };
  const timer = timeout === 0 ? null : setTimeout(cut, timeout * 1000);
  await output.beginAnswer();
  try {
    socket.write(message);
    for await (const bytes of socket) {
      for (const part of reader.feed(bytes as Buffer)) await output.write(part);
      if (reader.isComplete) break;
    }
    if (!isLate) reader.end();
  } catch (error) {
    // Reset, or refused: the reader knows what is missing. After `cut` it is ERR_STREAM_PREMATURE_CLOSE.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  } finally {
    if (timer !== null) clearTimeout(timer);
    socket.destroy();
  }
  return isLate;
}

/** Standard output, for whoever reads it as long as they do. */
class Output {
  #isGone = false;
  #last = LF;

  /** On a line of its own, whatever the body before it ends with. */
  async beginAnswer(): Promise<void> {
    if (this.#last !== LF) await this.write(Buffer.from("\n"));
  }

  /** Waits for a reader that is slow; after one that has gone, nothing is written. */
  async write(bytes: Buffer): Promise<void> {
    this.#last = bytes.at(-1) ?? this.#last;
    for (let at = 0; at < bytes.length && !this.#isGone;) {
      try {
        at += writeSync(standardOutput, bytes, at);
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code === "EAGAIN") {
          await Bun.sleep(fullPipeMs);
          continue;
        }
        if (code !== "EPIPE") throw new ConfigError(`standard output: ${message}`);
        this.#isGone = true;
      }
    }
  }
}

function encode(request: AskedRequest, directory: string): Buffer {
  const { method, target, fields } = request;
  const body = request.body === null ? null : bodyOf(request.body, directory);
  const given = new Set(fields.map(([name]) => name.toLowerCase()));
  const isFramed = given.has("content-length") || given.has("transfer-encoding");
  const usual: readonly (readonly [string, string])[] = [
    ["Host", "localhost"],
    ["User-Agent", `gunicorn-ts/${version}`],
    ["Accept", "*/*"],
    ["Connection", "close"],
    ...(body === null || isFramed ? [] : [["Content-Length", `${body.length}`] as const]),
  ];
  const all = [...usual.filter(([name]) => !given.has(name.toLowerCase())), ...fields];
  const lines = all.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const head = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines}\r\n`);
  return body === null ? head : Buffer.concat([head, body]);
}

function bodyOf(body: AskedBody, directory: string): Buffer {
  if (body.type === "text") return Buffer.from(body.text);
  try {
    return readFileSync(resolve(directory, body.path));
  } catch (cause) {
    const { message } = cause as NodeJS.ErrnoException;
    throw new ConfigError(`--request-body: ${message}`, { cause });
  }
}
