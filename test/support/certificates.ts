/** Certificates for a test, made by openssl: authorities, chains, expired ones, all kinds of keys. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type KeyKind = "ec" | "rsa" | "rsa1024" | "rsa512" | "ed25519" | "p384" | "p224";

export interface Wish {
  /** The certificate's first name, `localhost` if left out; the common name of an authority. */
  readonly name?: string;
  /** More subject alternative names, as openssl writes them: `DNS:*.example.org`, `IP:127.0.0.1`. */
  readonly names?: readonly string[];
  readonly key?: KeyKind;
  /** Who signs it; itself if left out. */
  readonly by?: Made;
  /** More lines of extensions, as openssl writes them. */
  readonly extensions?: readonly string[];
  readonly digest?: "sha256" | "sha1";
  /** An authority, which may sign. */
  readonly ca?: boolean;
  /** Days from now on which it begins and ends to be valid: -1 and 365 if left out. */
  readonly from?: number;
  readonly until?: number;
}

/** A certificate and its key. */
export interface Made {
  /** Paths. `chainfile` holds those who signed it too, up to the last below a root. */
  readonly certfile: string;
  readonly chainfile: string;
  readonly keyfile: string;
  /** PEM. */
  readonly cert: string;
  readonly chain: string;
  readonly key: string;
  /** It has signed itself. */
  readonly root: boolean;
}

const keyArguments: Readonly<Record<KeyKind, readonly string[]>> = {
  ec: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
  p384: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
  rsa: ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
  p224: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-224"],
  rsa512: ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:512"],
  rsa1024: ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
  ed25519: ["-algorithm", "ED25519"],
};

const dayMs = 86_400_000;

/** What `openssl ca` wants to know: `openssl x509` of 3.0 can't set dates. */
const authority = `[ca]
default_ca = all
[all]
database = $ENV::FOLDER/index
new_certs_dir = $ENV::FOLDER
rand_serial = yes
policy = any
unique_subject = no
[any]
commonName = supplied
`;

/** Makes certificates in a temporary folder: `using certificates = new Certificates()`, once for a test file. */
export class Certificates implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "certificates-"));
  #count = 0;

  make(wish: Wish = {}): Made {
    const { name = "localhost", names = [], key = "ec", by = null, ca = false } = wish;
    const { from = -1, until = 365, digest = "sha256", extensions: more = [] } = wish;
    const number = this.#count++;
    const path = (end: string) => join(this.folder, `${number}-${end}`);
    const [keyfile, certfile, chainfile] = [path("key.pem"), path("cert.pem"), path("chain.pem")];
    const [request, extensions, config] = [path("request.pem"), path("ext.cnf"), path("ca.cnf")];
    writeFileSync(config, authority);
    const lines = [...extensionsOf(ca, [`DNS:${name}`, ...names]), ...more];
    writeFileSync(extensions, `${lines.join("\n")}\n`);
    writeFileSync(join(this.folder, "index"), "");
    this.#openssl("genpkey", ...keyArguments[key], "-out", keyfile);
    this.#openssl("req", "-new", "-key", keyfile, "-subj", `/CN=${name}`, "-out", request);
    const signer =
      by === null
        ? ["-selfsign", "-keyfile", keyfile]
        : ["-cert", by.certfile, "-keyfile", by.keyfile];
    const dates = ["-startdate", asn1Time(from), "-enddate", asn1Time(until)];
    const files = ["-config", config, "-extfile", extensions, "-in", request, "-out", certfile];
    this.#openssl(
      "ca",
      "-batch",
      "-notext",
      "-preserveDN",
      "-md",
      digest,
      ...files,
      ...signer,
      ...dates,
    );
    const cert = readFileSync(certfile, "latin1");
    const chain = cert + (by === null || by.root ? "" : by.chain);
    writeFileSync(chainfile, chain);
    const keyText = readFileSync(keyfile, "latin1");
    return { certfile, chainfile, keyfile, cert, chain, key: keyText, root: by === null };
  }

  /** The key of a certificate, encrypted; answers its path. */
  encrypt({ keyfile }: Made, passphrase: string): string {
    const path = join(this.folder, `${this.#count++}-encrypted.pem`);
    const cipher = ["-aes256", "-passout", `pass:${passphrase}`];
    this.#openssl("pkey", "-in", keyfile, ...cipher, "-out", path);
    return path;
  }

  /** A file with any text; answers its path. */
  file(name: string, text: string | Uint8Array): string {
    const path = join(this.folder, `${this.#count++}-${name}`);
    writeFileSync(path, text);
    return path;
  }

  #openssl(...args: readonly string[]): void {
    openssl(args, { FOLDER: this.folder });
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Runs the command, and answers its standard output. Throws with what it says when it fails. */
export function openssl(args: readonly string[], env: Record<string, string> = {}): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(["openssl", ...args], {
    env: { ...process.env, ...env },
  });
  if (exitCode !== 0) throw new Error(`openssl ${args.join(" ")}: ${stderr.toString()}`);
  return stdout.toString();
}

function extensionsOf(ca: boolean, names: readonly string[]): string[] {
  return ca
    ? ["basicConstraints = critical, CA:TRUE", "keyUsage = critical, keyCertSign, cRLSign"]
    : ["basicConstraints = CA:FALSE", `subjectAltName = ${names.join(",")}`];
}

/** The time so many days from now, as openssl takes it: YYYYMMDDHHMMSSZ. */
function asn1Time(days: number): string {
  const time = new Date(Date.now() + days * dayMs).toISOString();
  return `${time.replace(/\D/g, "").slice(0, 14)}Z`;
}
