/** One request on a connection of its own, and what comes back within a bounded time. */
import { ByteClient, type ServerAddress } from "../../../bench/byte-client.ts";
import type { Echo } from "./app.ts";

export type Reply =
  | { readonly type: "answer"; readonly status: number; readonly echo: Echo | null }
  /** Without an answer. */
  | { readonly type: "closed" }
  | { readonly type: "silent" };

export interface Talk {
  readonly reply: Reply;
  /** What came behind the first final answer before the server closed; null when it didn't close in time. */
  readonly rest: string | null;
}

interface Options {
  readonly boundMs: number;
  /** Whether to wait, behind the answer, for the server to close. */
  readonly untilClosed: boolean;
  /** Whether each byte has a write of its own. */
  readonly bytewise?: boolean;
}

export async function talk(to: ServerAddress, bytes: Uint8Array, options: Options): Promise<Talk> {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  let received = "";
  let closed = false;
  const look = () => {
    if (closed || (!options.untilClosed && readAnswer(received) !== null)) resolve();
  };
  const timer = setTimeout(resolve, options.boundMs);
  const client = await ByteClient.connect(to, {
    data: (_client, chunk) => {
      received += chunk.toString("latin1");
      look();
    },
    ended: () => {
      closed = true;
      look();
    },
  });
  if (options.bytewise === true) for (const byte of bytes) client.send(Uint8Array.of(byte));
  else client.send(bytes);
  await over;
  clearTimeout(timer);
  client.reset();
  const answer = readAnswer(received);
  if (answer === null) return { reply: { type: closed ? "closed" : "silent" }, rest: null };
  const { status, echo, rest } = answer;
  return { reply: { type: "answer", status, echo }, rest: closed ? rest : null };
}

/** The first final answer, once it is complete. The servers have no reason to send one without a length. */
function readAnswer(text: string): { status: number; echo: Echo | null; rest: string } | null {
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) return null;
  const head = text.slice(0, end);
  const behind = text.slice(end + 4);
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
  if (status < 200) return readAnswer(behind);
  const inHead = /^x-echo: (\S+)/im.exec(head)?.[1];
  if (inHead !== undefined)
    return { status, echo: parse(Buffer.from(inHead, "base64").toString()), rest: behind };
  const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
  if (behind.length < length) return null;
  const body = Buffer.from(behind.slice(0, length), "latin1").toString();
  return { status, echo: body.startsWith("{") ? parse(body) : null, rest: behind.slice(length) };
}

function parse(json: string): Echo {
  return JSON.parse(json) as Echo;
}
