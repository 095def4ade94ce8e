/** The admin server's socket: takes clients, so many at a time, and gives each so much time. */
import { duplicateFd } from "../../os/sockets/socket-options.ts";
import { AdminClient, type AdminClientParts, type AdminWire } from "./admin-client.ts";

/** Who comes beyond that takes the place of the oldest that doesn't watch: silent clients keep no health check out. */
const maxClients = 128;
const maxWatching = 16;
const tickMs = 1000;

type Socket = Bun.Socket<AdminClient | null> & AdminWire;

export class AdminServer {
  readonly #parts: AdminClientParts;
  readonly #clients = new Map<AdminClient, Socket>();
  readonly #listener: Bun.TCPSocketListener<AdminClient | null>;
  #timer: ReturnType<typeof setInterval> | null = null;

  /** @param fd a listening socket, which stays the caller's */
  constructor(fd: number, { answer, log }: Pick<AdminClientParts, "answer" | "log">) {
    this.#parts = { answer, log, mayWatch: () => this.#watching().length < maxWatching };
    // `fd` and `allowHalfOpen` are not in bun-types; Bun.listen takes both.
    const options = {
      // Bun closes what it listens on.
      fd: duplicateFd(fd),
      allowHalfOpen: true,
      socket: this.#handlers(),
    };
    this.#listener = Bun.listen<AdminClient | null>(options as never);
  }

  /** Ends with all its clients. */
  close(): void {
    this.#listener.stop(true);
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Who may see the server has changed: those that watch have to ask again. */
  dismissWatching(): void {
    for (const client of this.#watching()) this.#clients.get(client)?.end();
  }

  #watching(): readonly AdminClient[] {
    return [...this.#clients.keys()].filter(({ watches }) => watches);
  }

  #handlers(): Bun.SocketHandler<AdminClient | null> {
    return {
      open: (socket) => this.#accept(socket as Socket),
      data: ({ data }, bytes) => data?.receive(bytes),
      drain: ({ data }) => data?.drained(),
      end: ({ data }) => data?.ended(),
      close: ({ data }) => this.#remove(data),
      // Followed by close().
      error: () => {},
    };
  }

  #accept(socket: Socket): void {
    const client = new AdminClient(socket, this.#parts);
    socket.data = client;
    if (this.#clients.size >= maxClients) this.#oldest()?.terminate();
    this.#clients.set(client, socket);
    this.#timer ??= setInterval(() => this.#tick(), tickMs);
  }

  #oldest(): Socket | null {
    for (const [{ watches }, socket] of this.#clients) if (!watches) return socket;
    return null;
  }

  #remove(client: AdminClient | null): void {
    if (client !== null) this.#clients.delete(client);
    if (this.#clients.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #tick(): void {
    for (const client of this.#clients.keys()) client.tick();
  }
}
