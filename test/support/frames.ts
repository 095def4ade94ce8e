/** Websocket frames by the letter of RFC 6455 §5.2: a client's are masked, a server's must not be. */
import type { RawClient } from "./raw-client.ts";
import { requestText } from "./wire.ts";

export const opcodes = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface Frame {
  readonly final: boolean;
  /** The first reserved bit: the message is compressed (RFC 7692 §6). */
  readonly compressed: boolean;
  readonly opcode: number;
  readonly payload: Buffer;
}

const mask = Buffer.from([0x12, 0x34, 0x56, 0x78]);

export const key = "dGhlIHNhbXBsZSBub25jZQ==";
/** RFC 6455 §1.3: what a server makes of it. */
export const accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

export const handshakeLines = [
  "Upgrade: websocket",
  "Connection: Upgrade",
  `Sec-WebSocket-Key: ${key}`,
  "Sec-WebSocket-Version: 13",
];

export function handshake(path: string, ...lines: readonly string[]): string {
  return requestText("GET", path, [...handshakeLines, ...lines]);
}

/** A frame as a client sends it. */
export function frame(
  opcode: keyof typeof opcodes,
  payload: string | Uint8Array = "",
  final = true,
): Buffer {
  const bytes = Buffer.from(payload as string);
  const head = [(final ? 0x80 : 0) | opcodes[opcode]];
  if (bytes.length < 126) head.push(0x80 | bytes.length);
  else if (bytes.length < 65_536) head.push(0x80 | 126, bytes.length >> 8, bytes.length & 255);
  else {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(bytes.length));
    head.push(0x80 | 127, ...length);
  }
  const masked = bytes.map((byte, index) => byte ^ (mask[index & 3] as number));
  return Buffer.concat([Buffer.from(head), mask, masked]);
}

/** The next frame that the server sends. */
export async function readFrame(client: RawClient): Promise<Frame> {
  const [first, second] = (await client.take(2)) as unknown as [number, number];
  if ((second & 0x80) !== 0) throw new Error("a server's frame is masked (RFC 6455 §5.1)");
  let length = second & 127;
  if (length === 126) length = (await client.take(2)).readUInt16BE();
  else if (length === 127) length = Number((await client.take(8)).readBigUInt64BE());
  return {
    final: (first & 0x80) !== 0,
    compressed: (first & 0x40) !== 0,
    opcode: first & 15,
    payload: await client.take(length),
  };
}

/** The code of a close frame, and its reason. */
export function closing({ opcode, payload }: Frame): readonly [code: number, reason: string] {
  if (opcode !== opcodes.close) throw new Error(`no close frame, but opcode ${opcode}`);
  return [payload.length < 2 ? 1005 : payload.readUInt16BE(), payload.subarray(2).toString()];
}
