/** Files that TLS can't be served with. */
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import type { BadTls, Stock } from "./bad-tls.ts";

export function badFiles({ made, good, absent, empty, text, cutChain }: Stock): BadTls[] {
  const { folder } = made;
  const only = (certfile: string, keyfile = good.keyfile) => ({ certfile, keyfile });
  const fifo = join(folder, "fifo");
  Bun.spawnSync(["mkfifo", fifo]);
  const cut = made.file("cut.pem", good.cert.slice(0, 300));
  const nothing = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
  const junk = made.file("junk.pem", nothing);
  return [
    {
      name: "certfile that isn't there",
      settings: only(absent),
      says: `certfile: ${absent}: doesn't exist`,
    },
    {
      name: "keyfile that isn't there",
      settings: only(good.chainfile, absent),
      says: `keyfile: ${absent}: doesn't exist`,
    },
    {
      name: "path through a file",
      settings: only(`${text}/a.pem`),
      says: `certfile: ${text}/a.pem: doesn't exist`,
    },
    { name: "a folder", settings: only(folder), says: `certfile: ${folder}: is a directory` },
    { name: "a FIFO", settings: only(fifo), says: `certfile: ${fifo}: is not a file` },
    {
      name: "a FIFO for the key",
      settings: only(good.chainfile, fifo),
      says: `keyfile: ${fifo}: is not a file`,
    },
    {
      name: "an empty path",
      settings: only(""),
      says: "certfile: must be the path of a file, got ''",
    },
    {
      name: "an empty certfile",
      settings: only(empty),
      says: `certfile: ${empty}: holds no certificate, it is empty`,
    },
    {
      name: "an empty keyfile",
      settings: only(good.chainfile, empty),
      says: `keyfile: ${empty}: holds no private key, it is empty`,
    },
    {
      name: "text that is no PEM",
      settings: only(text),
      says: `certfile: ${text}: holds no certificate, it is not PEM`,
    },
    {
      name: "a certificate cut off",
      settings: only(cut),
      says: `certfile: ${cut}: holds no certificate, it is cut off: a block of PEM has no end`,
    },
    {
      name: "a chain cut off",
      settings: only(cutChain),
      says: `certfile: ${cutChain}: is cut off: a block of PEM has no end`,
    },
    {
      name: "PEM around nothing",
      settings: only(junk),
      says: `certfile: ${junk}: certificate 1 can't be read: decode error`,
    },
  ];
}

export function badKeys({ made, good, other, absent, empty, text }: Stock): BadTls[] {
  const only = (certfile: string, keyfile = good.keyfile) => ({ certfile, keyfile });
  const junk = good.key.replace(/\n.{20}/, `\n${"A".repeat(20)}`);
  const junkKey = made.file("junk-key.pem", junk);
  const twoKeys = made.file("two.pem", good.key + other.key);
  const encrypted = made.encrypt(good, "secret");
  const request = good.certfile.replace("cert.pem", "request.pem");
  const [tiny, p224] = [made.make({ key: "rsa512" }), made.make({ key: "p224" })];
  const derFile = made.file("cert.der", new X509Certificate(good.cert).raw);
  const derKey = made.file("key.der", Uint8Array.from([0x30, 0x82, 1, 0]));
  return [
    {
      name: "DER",
      settings: only(derFile),
      says: `certfile: ${derFile}: holds no certificate, it is DER or PKCS#12, and PEM is needed`,
    },
    {
      name: "a key in DER",
      settings: only(good.chainfile, derKey),
      says: `keyfile: ${derKey}: holds no private key, it is DER or PKCS#12, and PEM is needed`,
    },
    {
      name: "certificate and key swapped",
      settings: only(good.keyfile, good.certfile),
      says: `certfile: ${good.keyfile}: holds no certificate, it has only PRIVATE KEY: keyfile: ${good.certfile} has one, are the two swapped?`,
    },
    {
      name: "a request for a certificate",
      settings: only(request),
      says: `certfile: ${request}: holds no certificate, it has only CERTIFICATE REQUEST`,
    },
    {
      name: "certfile without a key, and no keyfile",
      settings: { certfile: good.chainfile },
      says: `certfile: ${good.chainfile}: holds no private key, it has only CERTIFICATE, and keyfile isn't set`,
    },
    {
      name: "keyfile without certfile",
      settings: { keyfile: good.keyfile },
      says: "keyfile: needs certfile, which isn't set",
    },
    {
      name: "another certificate's key",
      settings: only(good.chainfile, other.keyfile),
      says: `keyfile: ${other.keyfile}: must be the key of certificate 1 (CN=localhost) in certfile: ${good.chainfile}, got another one`,
    },
    {
      name: "two keys in a file",
      settings: only(good.chainfile, twoKeys),
      says: `keyfile: ${twoKeys}: must hold one private key, got 2`,
    },
    {
      name: "a key with wrong bytes",
      settings: only(good.chainfile, junkKey),
      says: `keyfile: ${junkKey}: holds no private key that Bun can read: decode error`,
    },
    {
      name: "a kind of key that Bun doesn't serve",
      settings: only(p224.certfile, p224.keyfile),
      says: `certfile: ${p224.certfile}: Bun refuses it: unsupported algorithm`,
    },
    {
      name: "an RSA key of 512 bits",
      settings: only(tiny.certfile, tiny.keyfile),
      says: `certfile: ${tiny.certfile}: certificate 1 (CN=localhost): an RSA key must have 2048 bits or more, got 512`,
    },
    {
      name: "an encrypted key without a passphrase",
      settings: only(good.chainfile, encrypted),
      says: `keyfile: ${encrypted}: is encrypted, and neither keyfile_password_file nor GUNICORN_KEYFILE_PASSWORD is set`,
    },
    {
      name: "an encrypted key, and the file of another passphrase",
      settings: { ...only(good.chainfile, encrypted), keyfilePasswordFile: text },
      says: `keyfile: ${encrypted}: can't be decrypted by the passphrase that is set: `,
    },
    {
      name: "an encrypted key, and another passphrase in the environment",
      settings: only(good.chainfile, encrypted),
      env: { GUNICORN_KEYFILE_PASSWORD: "wrong" },
      says: `keyfile: ${encrypted}: can't be decrypted by the passphrase that is set: `,
    },
    {
      name: "two passphrases",
      settings: { ...only(good.chainfile, encrypted), keyfilePasswordFile: text },
      env: { GUNICORN_KEYFILE_PASSWORD: "secret" },
      says: "keyfilePasswordFile: can't be set beside GUNICORN_KEYFILE_PASSWORD",
    },
    {
      name: "a passphrase's file that isn't there",
      settings: { ...only(good.chainfile, encrypted), keyfilePasswordFile: absent },
      says: `keyfilePasswordFile: ${absent}: doesn't exist`,
    },
    {
      name: "a passphrase's file that is empty",
      settings: { ...only(good.chainfile, encrypted), keyfilePasswordFile: empty },
      says: `keyfilePasswordFile: ${empty}: must hold a passphrase in a line, it is empty`,
    },
  ];
}

export function badChains({ made, root, middle, good, other, oldMiddle }: Stock): BadTls[] {
  const only = (certfile: string, keyfile = good.keyfile) => ({ certfile, keyfile });
  const reversed = made.file("reversed.pem", middle.cert + good.cert);
  const gap = made.file("gap.pem", good.cert + root.cert);
  const tail = made.file("tail.pem", good.chain + other.cert);
  const signedByLeaf = made.make({ name: "under.test", by: good });
  const expired = made.make({ from: -20, until: -1 });
  const early = made.make({ from: 1, until: 20 });
  const underOld = made.make({ by: oldMiddle });
  const client = made.make({ extensions: ["extendedKeyUsage = clientAuth"] });
  return [
    {
      name: "the signer first",
      settings: only(reversed),
      says: `certfile: ${reversed}: the server's own certificate must be the first, got it as number 2`,
    },
    {
      name: "a gap in the chain",
      settings: only(gap),
      says: `certfile: ${gap}: certificate 1 (CN=localhost) must be followed by the certificate of CN=Middle, who signed it, got certificate 2 (CN=Root)`,
    },
    {
      name: "a stranger behind the chain",
      settings: only(tail),
      says: `certfile: ${tail}: certificate 2 (CN=Middle) must be followed by the certificate of CN=Root, who signed it, got certificate 3 (CN=other.test)`,
    },
    {
      name: "a signer that is no CA",
      settings: only(signedByLeaf.chainfile, signedByLeaf.keyfile),
      says: `certfile: ${signedByLeaf.chainfile}: certificate 2 (CN=localhost) is of no CA, and can't sign certificate 1 (CN=under.test)`,
    },
    {
      name: "a certificate for clients",
      settings: only(client.certfile, client.keyfile),
      says: `certfile: ${client.certfile}: certificate 1 (CN=localhost) must be for servers (serverAuth), got extendedKeyUsage 1.3.6.1.5.5.7.3.2`,
    },
    {
      name: "a certificate that has expired",
      settings: only(expired.certfile, expired.keyfile),
      says: `certfile: ${expired.certfile}: certificate 1 (CN=localhost) has expired at `,
    },
    {
      name: "a certificate that isn't valid yet",
      settings: only(early.certfile, early.keyfile),
      says: `certfile: ${early.certfile}: certificate 1 (CN=localhost) is not valid before `,
    },
    {
      name: "a signer that has expired",
      settings: only(underOld.chainfile, underOld.keyfile),
      says: `certfile: ${underOld.chainfile}: certificate 2 (CN=Old) has expired at `,
    },
  ];
}
