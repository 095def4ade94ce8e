/** What loads with a feature need around a server: a folder for logs and certificates, receivers of packets and of spans. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cleanUp } from "../clean-up.ts";

export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

/** Words of a server's command line, or why it can't do such a load, in a sentence. */
export type FeatureWords = { readonly words: readonly string[] } | { readonly cannot: string };

export class Facilities implements AsyncDisposable {
  readonly folder: string;
  readonly #remove: () => void;
  readonly #receiver: Bun.udp.Socket<"buffer">;
  #certificate: Certificate | null = null;
  #collector: Bun.Server<undefined> | null = null;

  private constructor(receiver: Bun.udp.Socket<"buffer">) {
    this.folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-bench-"));
    this.#remove = cleanUp(() => rmSync(this.folder, { recursive: true, force: true }));
    this.#receiver = receiver;
  }

  static async open(): Promise<Facilities> {
    // Somebody receives: packets to a port without a receiver cost the sender less.
    const receiver = await Bun.udpSocket({ hostname: "127.0.0.1", socket: { data() {} } });
    return new Facilities(receiver);
  }

  get accessLog(): string {
    return join(this.folder, "access.log");
  }

  /** HOST:PORT. */
  get statsd(): string {
    return `127.0.0.1:${this.#receiver.port}`;
  }

  /** The URL of a collector of traces, which takes whatever comes; opened at the first call. */
  get collector(): string {
    this.#collector ??= Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: async (request) => {
        await request.bytes();
        return Response.json({});
      },
    });
    return this.#collector.url.href;
  }

  /** Made by openssl at the first call; null where that is missing. */
  certificate(): Certificate | null {
    if (this.#certificate !== null) return this.#certificate;
    const openssl = Bun.which("openssl");
    if (openssl === null) return null;
    const made = {
      certificate: join(this.folder, "bench.crt"),
      key: join(this.folder, "bench.key"),
    };
    const { exitCode } = Bun.spawnSync(
      [
        openssl,
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "90",
        "-subj",
        "/CN=127.0.0.1",
        "-keyout",
        made.key,
        "-out",
        made.certificate,
      ],
      { stdio: ["ignore", "ignore", "ignore"] },
    );
    if (exitCode !== 0) return null;
    this.#certificate = made;
    return made;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#receiver.close();
    await this.#collector?.stop(true);
    this.#remove();
  }
}
