/** What a server answers to one request, as a value that can be compared. */
import { RawClient } from "../support/raw-client.ts";

export interface Asked {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** The body goes out in chunks of this many bytes, without a Content-Length. */
  readonly chunkBytes?: number;
}

export interface Observation {
  /** `200 OK` */
  readonly status: string;
  /** By name in lower case; fields of one name in the order in which they came. */
  readonly fields: Readonly<Record<string, readonly string[]>>;
  /** Long ones by their length and hash. */
  readonly body: string;
}

/** One request on a connection of its own. Throws when there is no answer. */
export async function observe(port: number, asked: Asked): Promise<Observation> {
  const { method = "GET" } = asked;
  using client = await RawClient.connect(port);
  client.send(bytesOf(asked));
  const { status, reason, fields, body, complete } = await client.answer(method);
  const byName: Record<string, string[]> = {};
  for (const [name, value] of fields) (byName[name.toLowerCase()] ??= []).push(value);
  return {
    status: `${status} ${reason}`,
    fields: byName,
    body: shown(body, byName["content-encoding"]?.[0]) + (complete ? "" : " (cut)"),
  };
}

/** The request as it goes out. The host has a name, so that absolute URLs are the same wherever the server listens. */
export function bytesOf({ method = "GET", path, headers = {}, body, chunkBytes }: Asked): Buffer {
  const lines = [`${method} ${path} HTTP/1.1`, "Host: app.example"];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  const bytes = Buffer.from(body ?? "");
  if (body === undefined) return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
  if (chunkBytes === undefined) {
    lines.push(`Content-Length: ${bytes.length}`);
    return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), bytes]);
  }
  const pieces = [Buffer.from(`${lines.join("\r\n")}\r\nTransfer-Encoding: chunked\r\n\r\n`)];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const chunk = bytes.subarray(at, at + chunkBytes);
    pieces.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n"));
  }
  return Buffer.concat([...pieces, Buffer.from("0\r\n\r\n")]);
}

function shown(body: Buffer, coding: string | undefined): string {
  const plain = coding === "gzip" ? Buffer.from(Bun.gunzipSync(new Uint8Array(body))) : body;
  if (plain.length <= 2000) return plain.toString("latin1");
  return `${plain.length} bytes, sha256 ${Bun.SHA256.hash(plain, "hex")}`;
}
