/** TLS beside the arbiter: the certificates in use are looked after, and workers hear of those that are renewed. */
import type { LogLevel } from "../../log/error-log.ts";
import type { Children } from "./children.ts";
import type { Certificates } from "./configuration/certificates.ts";
import type { Configurations } from "./configuration/configurations.ts";
import { LatePart } from "./configuration/late-part.ts";
import type { Environment } from "./master/environment.ts";
import { sendToWorker } from "./birth/spawn.ts";

/** What of the arbiter it needs. */
export interface CertificateParts {
  /** What the program was started with. */
  readonly env: Environment;
  readonly configurations: Configurations;
  readonly children: Children;
  log(level: LogLevel, message: string): void;
  /** A generation has other certificates than before. */
  renewed(generation: number): void;
}

export class CertificateCare {
  readonly #parts: CertificateParts;
  /** From the first configuration with TLS on: what isn't used isn't imported. */
  readonly #certificates: LatePart<Certificates>;

  constructor(parts: CertificateParts) {
    this.#parts = parts;
    this.#certificates = new LatePart("certfile", () => this.#open(), parts);
  }

  /** Looks after those of the configuration in use. */
  use(generation: number): void {
    const release = this.#parts.configurations.get(generation);
    if (release.secure !== null) this.#certificates.want();
    this.#certificates.tell((certificates) => certificates.use(generation, release));
  }

  /** Gives a worker the newest ones of its generation. */
  send(age: number): void {
    const { children, configurations } = this.#parts;
    const child = children.get(age);
    if (child === undefined) return;
    const { secure } = configurations.get(child.generation);
    if (secure === null) return;
    const { credentials } = secure;
    sendToWorker(child.process, { type: "tls credentials", credentials });
  }

  async #open(): Promise<Certificates> {
    const { Certificates } = await import("./configuration/certificates.ts");
    const { env, log, configurations, renewed } = this.#parts;
    return new Certificates({
      env,
      log,
      renewed: (generation, secure) => {
        if (configurations.renew(generation, secure)) renewed(generation);
      },
    });
  }
}
