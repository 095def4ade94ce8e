/** The ways in which certificates are renewed on a disk, and who is served with what. */
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import type { Made } from "./certificates.ts";

export interface Renewal {
  readonly name: string;
  /** From the server's folder. */
  readonly certfile: string;
  readonly keyfile: string;
  /** Puts the first pair there. */
  place(folder: string, made: Made): void;
  /** Puts the pair of this version there, from 1 on. */
  renew(folder: string, made: Made, version: number): void;
}

/** Makes a link anew, as `ln -sf` and certbot do. */
function link(path: string, target: string): void {
  rmSync(path, { force: true });
  symlinkSync(target, path);
}

function writePair(folder: string, { chain, key }: Made): void {
  writeFileSync(join(folder, "cert.pem"), chain);
  writeFileSync(join(folder, "key.pem"), key, { mode: 0o600 });
}

/** As `certbot renew`: files of another number in the archive, then one link after the other. */
function writeArchive(folder: string, { chain, key }: Made, version: number): void {
  const files = { fullchain: chain, privkey: key };
  const archive = join(folder, "archive/example.org");
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(archive, `${name}${version}.pem`), text, { mode: 0o600 });
  for (const name of Object.keys(files))
    link(
      join(folder, `live/example.org/${name}.pem`),
      `../../archive/example.org/${name}${version}.pem`,
    );
}

/** As the kubelet does with a secret: a folder of another name, and a link to it that is renamed over the last one. */
function writeSecret(folder: string, { chain, key }: Made, version: number): void {
  const name = `..2026_01_01_00_00_00.${version}`;
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, "tls.crt"), chain);
  writeFileSync(join(folder, name, "tls.key"), key);
  symlinkSync(name, join(folder, "..data_tmp"));
  renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
  rmSync(join(folder, `..2026_01_01_00_00_00.${version - 1}`), { recursive: true, force: true });
}

export const renewals: readonly Renewal[] = [
  {
    name: "cp over them",
    certfile: "cert.pem",
    keyfile: "key.pem",
    place: writePair,
    renew: writePair,
  },
  {
    name: "mv over them",
    certfile: "cert.pem",
    keyfile: "key.pem",
    place: writePair,
    renew(folder, made) {
      mkdirSync(join(folder, "new"), { recursive: true });
      writePair(join(folder, "new"), made);
      for (const name of ["cert.pem", "key.pem"])
        renameSync(join(folder, "new", name), join(folder, name));
    },
  },
  {
    name: "certbot",
    certfile: "live/example.org/fullchain.pem",
    keyfile: "live/example.org/privkey.pem",
    place(folder, made) {
      for (const name of ["live", "archive"])
        mkdirSync(join(folder, name, "example.org"), { recursive: true });
      writeArchive(folder, made, 1);
    },
    renew: (folder, made, version) => writeArchive(folder, made, version + 1),
  },
  {
    name: "Kubernetes",
    certfile: "secret/tls.crt",
    keyfile: "secret/tls.key",
    place(folder, made) {
      const secret = join(folder, "secret");
      mkdirSync(secret);
      writeSecret(secret, made, 0);
      for (const name of ["tls.crt", "tls.key"]) symlinkSync(`..data/${name}`, join(secret, name));
    },
    renew: (folder, made, version) => writeSecret(join(folder, "secret"), made, version),
  },
];

/** The common name of the certificate that a new connection is served with. */
export async function nameServed(port: number, servername = "localhost"): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect({ port, host: "127.0.0.1", servername, rejectUnauthorized: false });
  socket.once("secureConnect", () => resolve(String(socket.getPeerCertificate().subject.CN)));
  socket.once("error", reject);
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

/** Those of several connections, one after the other: of all workers, most likely. */
export async function namesServed(port: number, count = 16): Promise<string[]> {
  const names = new Set<string>();
  for (let sent = 0; sent < count; sent++) names.add(await nameServed(port));
  return [...names];
}
