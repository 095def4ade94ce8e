/** TLS as clients choose it: versions, names, certificates and sessions of their own, by openssl and node:tls. */
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { patienceMs } from "./server.ts";

/** What has become of a handshake, and of one request behind it. */
export interface Outcome {
  /** The answer's first line; null: there was none. */
  readonly answer: string | null;
  readonly body: string;
  /** The name of the server's certificate; null: it hasn't come so far. */
  readonly server: string | null;
  readonly alpn: string | false | null;
  readonly version: string | null;
  /** The alert, or another code of what went wrong. */
  readonly error: string | null;
}

/** Asks for `/` on a connection of its own, and never rejects. */
export function ask(
  port: number,
  options: ConnectionOptions = {},
  request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  let text = "";
  let error: string | null = null;
  let known: Pick<Outcome, "server" | "alpn" | "version"> = {
    server: null,
    alpn: null,
    version: null,
  };
  const socket: TLSSocket = connect({
    host: "127.0.0.1",
    port,
    rejectUnauthorized: false,
    ...options,
  });
  socket.setTimeout(patienceMs, () => socket.destroy(new Error("timeout")));
  socket.on("secureConnect", () => {
    const { subject } = socket.getPeerCertificate() as { subject?: { CN?: string } };
    known = {
      server: subject?.CN ?? null,
      alpn: socket.alpnProtocol,
      version: socket.getProtocol(),
    };
    socket.write(request);
  });
  socket.on("data", (bytes: Buffer) => (text += bytes.toString("latin1")));
  socket.on("error", (failed: NodeJS.ErrnoException) => (error = failed.code ?? failed.message));
  socket.on("close", () => {
    const end = text.indexOf("\r\n\r\n");
    const answer = text === "" ? null : text.slice(0, text.indexOf("\r\n"));
    resolve({ answer, body: end === -1 ? "" : text.slice(end + 4), ...known, error });
  });
  return promise;
}

/** `openssl s_client` with one request; answers all that it prints. */
export async function sClient(port: number, ...args: readonly string[]): Promise<string> {
  const client = Bun.spawn(["openssl", "s_client", "-connect", `127.0.0.1:${port}`, ...args], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  client.stdin.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  // Its input stays open: behind the end of it, it would leave without the answer.
  await client.stdin.flush();
  const [out, err] = await Promise.all([
    new Response(client.stdout).text(),
    new Response(client.stderr).text(),
  ]);
  return out + err;
}
