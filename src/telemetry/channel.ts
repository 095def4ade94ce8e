/** Ways to a collector of logs or metrics. No method throws for what the other side does, and none waits. */
import { DatagramSocket } from "../os/sockets/datagram-socket.ts";
import { SystemError } from "../os/libc.ts";
import { encodeName, type TcpName, type UnixName } from "../os/sockets/socket-address.ts";
import { StreamSocket } from "../os/sockets/stream-socket.ts";
import type { InternetAddress, UnixAddress } from "../net/telemetry-address.ts";
import { CollectorAddress } from "./collector-address.ts";

/**
 * `sent`: the packet is the channel's now. Otherwise nothing of it has left, for lack of room or of a receiver, because
 * the address isn't known yet, because of its length, or because the path is a socket of the other kind.
 */
export type Sent = "sent" | "not now" | "no address" | "too long" | "other kind";

export interface Channel {
  /** Packets are parts of a stream, and need ends. */
  readonly isStream: boolean;
  send(packet: Uint8Array): Sent;
  /** Goes on with a packet that was sent in part; answers whether nothing of it is left. */
  flush(): boolean;
  close(): void;
}

/** Says where the other side is at the moment, and is told when it doesn't answer there. */
export interface Target {
  get(nowMs: number): TcpName | UnixName | null;
  skip(): void;
}

export function targetOf(
  address: InternetAddress | UnixAddress,
  onProblem: (message: string) => void,
): Target {
  if (address.type !== "unix") return new CollectorAddress(address, onProblem);
  const name: UnixName = { type: "unix", path: address.path };
  return { get: () => name, skip() {} };
}

export class DatagramChannel implements Channel {
  readonly isStream = false;
  readonly #target: Target;
  #name: TcpName | UnixName | null = null;
  #socket: DatagramSocket | null = null;

  constructor(target: Target) {
    this.#target = target;
  }

  send(packet: Uint8Array): Sent {
    const name = this.#target.get(performance.now());
    if (name === null) return "no address";
    const failure = this.#open(name) ?? this.#socket?.send(packet) ?? null;
    if (failure === null) return "sent";
    if (failure.code === "EMSGSIZE") return "too long";
    return failure.code === "EPROTOTYPE" ? "other kind" : "not now";
  }

  flush(): boolean {
    return true;
  }

  close(): void {
    this.#socket?.[Symbol.dispose]();
    this.#socket = null;
    this.#name = null;
  }

  /** The host may have another address by now. */
  #open(name: TcpName | UnixName): SystemError | null {
    if (name === this.#name) return null;
    this.close();
    const socket = openOrFail(() => new DatagramSocket(encodeName(name)));
    if (socket instanceof SystemError) return socket;
    this.#socket = socket;
    this.#name = name;
    return null;
  }
}

/** At most one attempt to connect in that time. */
const reconnectMs = 1000;

/**
 * Holds one packet at most, until the kernel has taken all of it. On another connection it is sent anew as a whole:
 * what the old one has got of it ends with that connection.
 */
export class StreamChannel implements Channel {
  readonly isStream = true;
  readonly #target: Target;
  #socket: StreamSocket | null = null;
  #connectAtMs = 0;
  /** The connection has taken something: the address is right. */
  #worked = false;
  #packet: Uint8Array | null = null;
  #taken = 0;

  constructor(target: Target) {
    this.#target = target;
  }

  send(packet: Uint8Array): Sent {
    if (!this.flush()) return "not now";
    const refusal = this.#connect();
    if (refusal !== null) return refusal;
    this.#packet = packet;
    this.#taken = 0;
    this.flush();
    return "sent";
  }

  flush(): boolean {
    if (this.#packet === null) return true;
    if (this.#connect() !== null || this.#socket === null) return false;
    const sent = this.#socket.send(this.#packet.subarray(this.#taken));
    if (sent instanceof SystemError) {
      this.#disconnect();
      return false;
    }
    if (sent > 0) this.#worked = true;
    this.#taken += sent;
    if (this.#taken < this.#packet.byteLength) return false;
    this.#packet = null;
    return true;
  }

  close(): void {
    this.flush();
    this.#disconnect();
  }

  /** Null: there is a connection, or one that begins. */
  #connect(): Sent | null {
    if (this.#socket !== null) {
      if (!this.#socket.over) return null;
      this.#disconnect();
    }
    const nowMs = performance.now();
    if (nowMs < this.#connectAtMs) return "not now";
    const name = this.#target.get(nowMs);
    if (name === null) return "no address";
    this.#connectAtMs = nowMs + reconnectMs;
    const socket = openOrFail(() => new StreamSocket(encodeName(name)));
    if (socket instanceof SystemError) {
      this.#target.skip();
      return socket.code === "EPROTOTYPE" ? "other kind" : "not now";
    }
    this.#socket = socket;
    return null;
  }

  #disconnect(): void {
    this.#socket?.[Symbol.dispose]();
    if (this.#socket !== null && !this.#worked) this.#target.skip();
    this.#socket = null;
    this.#worked = false;
    this.#taken = 0;
  }
}

function openOrFail<Socket>(open: () => Socket): Socket | SystemError {
  try {
    return open();
  } catch (error) {
    if (error instanceof SystemError) return error;
    throw error;
  }
}
