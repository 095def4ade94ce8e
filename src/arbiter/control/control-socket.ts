/** The control socket: a unix socket that only the server's own user and root may use, whatever its mode. */
import { chmodSync, renameSync } from "node:fs";
import { peerCredentials, type PeerCredentials } from "../../os/sockets/peer-credentials.ts";
import { closeFd } from "../../os/sockets/socket-options.ts";
import {
  createUnixSocket,
  fileAt,
  type FileIdentity,
  unlinkIfSame,
} from "../../os/sockets/listening/unix-socket.ts";
import type { Answer } from "../../control/messages.ts";
import { Conversation } from "./conversation.ts";

export interface ControlSocketHost {
  /** The user that this process runs as. */
  readonly uid: number;
  /** Carries out a command; never throws. */
  answer(words: readonly string[], id: unknown, peer: PeerCredentials): Answer;
  /** Hears of each stranger's user once. */
  warn(message: string): void;
}

type Socket = Bun.Socket<Conversation>;

/** Enough for people and their scripts: whoever has been silent the longest makes room. */
const mostClients = 32;
const backlog = 64;

export class ControlSocket {
  readonly #host: ControlSocketHost;
  readonly #fd: number;
  readonly #file: FileIdentity;
  #path: string;
  #mode: number;
  #listener: Bun.SocketListener<Conversation> | null = null;
  /** In the order of their last words. */
  readonly #clients = new Set<Socket>();
  /** Strangers, until they have read why. */
  readonly #refused = new Set<Socket>();
  readonly #strangers = new Set<number>();

  /** Binds; clients wait until listen(). Throws what the system refuses, with nothing left open. */
  constructor(path: string, mode: number, host: ControlSocketHost) {
    this.#host = host;
    this.#path = path;
    this.#mode = mode;
    // From its first moment nobody else can connect.
    const { fd, file } = createUnixSocket({ path, backlog, umask: 0o777 & ~mode, owner: null });
    this.#fd = fd;
    this.#file = file;
  }

  get path(): string {
    return this.#path;
  }

  /** Whether the file is still this socket's. */
  get inPlace(): boolean {
    return Bun.deepEquals(fileAt(this.#path), this.#file);
  }

  /** Begins to answer. */
  listen(): void {
    if (this.#listener !== null) return;
    const socket = {
      open: (client: Socket) => this.#open(client),
      data: (client: Socket, bytes: Uint8Array) => {
        if (this.#clients.delete(client)) this.#clients.add(client);
        client.data.receive(bytes);
      },
      drain: (client: Socket) => client.data.drain(),
      timeout: (client: Socket) => client.terminate(),
      close: (client: Socket) => {
        this.#clients.delete(client);
        this.#refused.delete(client);
      },
      // A client that goes in the middle: close() follows.
      error() {},
    };
    // `fd` isn't in bun-types; the descriptor is Bun's from here on.
    this.#listener = Bun.listen<Conversation>({ fd: this.#fd, socket } as never);
  }

  setMode(mode: number): void {
    if (mode === this.#mode) return;
    chmodSync(this.#path, mode);
    this.#mode = mode;
  }

  /** The file gets another name; who is connected stays so. */
  rename(path: string): void {
    renameSync(this.#path, path);
    this.#path = path;
  }

  /** Removes the file, if it is still this socket's, and ends all conversations. */
  close(): void {
    try {
      unlinkIfSame(this.#path, this.#file);
    } catch (error) {
      // The folder may be read-only by now: the next start finds the file stale.
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    }
    if (this.#listener === null) closeFd(this.#fd);
    else this.#listener.stop();
    for (const client of [...this.#clients, ...this.#refused]) client.end();
  }

  #open(client: Socket): void {
    const { uid, answer } = this.#host;
    // Accepted sockets have an undocumented `fd`.
    const peer = peerCredentials((client as never as { readonly fd: number }).fd);
    client.data = new Conversation(client, (words, id) => answer(words, id, peer ?? nobody));
    if (peer === null || (peer.uid !== uid && peer.uid !== 0)) return this.#refuse(client, peer);
    this.#clients.add(client);
    makeRoom(this.#clients);
  }

  #refuse(client: Socket, peer: PeerCredentials | null): void {
    const who = peer === null ? "somebody whom the system doesn't name" : `user ${peer.uid}`;
    this.#refused.add(client);
    makeRoom(this.#refused);
    client.data.refuse(`Refused: only user ${this.#host.uid} and root may, not ${who}`);
    const uid = peer?.uid ?? -1;
    if (this.#strangers.has(uid)) return;
    this.#strangers.add(uid);
    this.#host.warn(`Control socket: refused ${who}`);
  }
}

function makeRoom(clients: ReadonlySet<Socket>): void {
  const [first] = clients;
  if (clients.size > mostClients) first?.terminate();
}

const nobody: PeerCredentials = { uid: -1, pid: null };
