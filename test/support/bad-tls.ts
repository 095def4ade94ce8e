/** Configurations of TLS that nobody should serve with, and the one line that each is refused with. */
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { type Certificates, openssl } from "./certificates.ts";

export interface BadTls {
  readonly name: string;
  /** The settings, as gunicorn.conf.json has them. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** More of gunicorn.conf.ts: a hook, which JSON can't hold. */
  readonly hook?: string;
  readonly bind?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What stands behind `Error: `, or behind `gunicorn.conf.ts: `. */
  readonly says: string;
}

/** The configuration file of a row. */
export function configFileOf({ settings, hook = "" }: BadTls): string {
  return `const settings = ${JSON.stringify(settings)};\n${hook}\nexport default settings;\n`;
}

/** @param folder the server's own: relative paths start there */
export function badTls(made: Certificates): BadTls[] {
  const root = made.make({ name: "Root", ca: true });
  const middle = made.make({ name: "Middle", ca: true, by: root });
  const good = made.make({ by: middle, names: ["DNS:*.example.org"] });
  const other = made.make({ name: "other.test" });
  const pair = { certfile: good.chainfile, keyfile: good.keyfile };
  const folder = made.folder;
  const file = (name: string, text: string | Uint8Array) => made.file(name, text);
  const only = (certfile: string, keyfile: string | null = good.keyfile) => ({
    certfile,
    keyfile,
  });
  const fifo = join(folder, "fifo");
  Bun.spawnSync(["mkfifo", fifo]);
  const der = new X509Certificate(good.cert).raw;
  const empty = file("empty.pem", "");
  const text = file("notes.txt", "hello\n");
  const cut = file("cut.pem", good.cert.slice(0, 300));
  const cutChain = file("cut-chain.pem", good.chain.slice(0, -100));
  const junk = file("junk.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
  const junkKey = file("junk-key.pem", good.key.replace(/\n.{20}/, `\n${"A".repeat(20)}`));
  const twoKeys = file("two.pem", good.key + other.key);
  const encrypted = made.encrypt(good, "secret");
  const request = good.certfile.replace("cert.pem", "request.pem");
  const reversed = file("reversed.pem", middle.cert + good.cert);
  const gap = file("gap.pem", good.cert + root.cert);
  const tail = file("tail.pem", good.chain + other.cert);
  const signedByLeaf = made.make({ name: "under.test", by: { ...good, root: false } });
  const expired = made.make({ from: -20, until: -1 });
  const early = made.make({ from: 1, until: 20 });
  const oldMiddle = made.make({ name: "Old", ca: true, by: root, from: -20, until: -1 });
  const underOld = made.make({ by: oldMiddle });
  const client = made.make({ extensions: ["extendedKeyUsage = clientAuth"] });
  const [tiny, p224] = [made.make({ key: "rsa512" }), made.make({ key: "p224" })];
  const [www, api] = [made.make({ name: "www.test" }), made.make({ name: "www.test" })];
  const bare = made.make({ name: "IP", names: ["IP:127.0.0.1"] });
  const entry = ({ certfile, keyfile }: typeof www, servername?: unknown) => ({
    certfile,
    keyfile,
    servername,
  });
  const both = join(folder, "none.pem");

  const files: BadTls[] = [
    {
      name: "certfile that isn't there",
      settings: only(both),
      says: `certfile: ${both}: doesn't exist`,
    },
    {
      name: "keyfile that isn't there",
      settings: only(good.chainfile, both),
      says: `keyfile: ${both}: doesn't exist`,
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

  const derFile = file("cert.der", der);
  const derKey = file("key.der", Uint8Array.from([0x30, 0x82, 1, 0]));
  const keys: BadTls[] = [
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
      says: `certfile: ${good.chainfile}: holds no private key, it has only CERTIFICATE`,
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
      settings: { ...only(good.chainfile, encrypted), keyfilePasswordFile: both },
      says: `keyfilePasswordFile: ${both}: doesn't exist`,
    },
    {
      name: "a passphrase's file that is empty",
      settings: { ...only(good.chainfile, encrypted), keyfilePasswordFile: empty },
      says: `keyfilePasswordFile: ${empty}: must hold a passphrase in a line, it is empty`,
    },
  ];

  const chains: BadTls[] = [
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

  const clients: BadTls[] = [
    {
      name: "cert_reqs without ca_certs",
      settings: { ...pair, certReqs: 2 },
      says: "certReqs: is 2 and needs ca_certs, which isn't set: nobody could get in",
    },
    {
      name: "ca_certs without cert_reqs",
      settings: { ...pair, caCerts: root.certfile },
      says: "caCerts: does nothing without cert_reqs 1 or 2, got 0",
    },
    {
      name: "cert_reqs out of its range",
      settings: { ...pair, certReqs: 3, caCerts: root.certfile },
      says: "certReqs: must be from 0 to 2, got 3",
    },
    {
      name: "ca_certs that isn't there",
      settings: { ...pair, certReqs: 1, caCerts: both },
      says: `caCerts: ${both}: doesn't exist`,
    },
    {
      name: "ca_certs that is empty",
      settings: { ...pair, certReqs: 1, caCerts: empty },
      says: `caCerts: ${empty}: holds no certificate, it is empty`,
    },
    {
      name: "ca_certs cut off",
      settings: { ...pair, certReqs: 1, caCerts: cutChain },
      says: `caCerts: ${cutChain}: is cut off: a block of PEM has no end`,
    },
    {
      name: "ca_certs of no CA",
      settings: { ...pair, certReqs: 2, caCerts: other.certfile },
      says: `caCerts: ${other.certfile}: certificate 1 (CN=other.test) is of no CA`,
    },
    {
      name: "ca_certs that have all expired",
      settings: { ...pair, certReqs: 2, caCerts: oldMiddle.certfile },
      says: `caCerts: ${oldMiddle.certfile}: certificate 1 (CN=Old) has expired at `,
    },
  ];

  const names: BadTls[] = [
    {
      name: "a name that the certificate doesn't have",
      settings: { ...pair, tls: [entry(www, "shop.test")] },
      says: "tls[0].servername: must be a name of its certificate, got 'shop.test', and it has www.test",
    },
    {
      name: "a name below another label",
      settings: { ...pair, tls: [{ ...pair, servername: "a.b.example.org" }] },
      says: "tls[0].servername: must be a name of its certificate, got 'a.b.example.org', and it has localhost, *.example.org",
    },
    {
      name: "an address for a name",
      settings: { ...pair, tls: [entry(bare, "127.0.0.1")] },
      says: "tls[0].servername: must be a hostname such as www.example.org or *.example.org, got '127.0.0.1'",
    },
    {
      name: "a name with a port",
      settings: { ...pair, tls: [entry(www, "www.test:443")] },
      says: "tls[0].servername: must be a hostname such as www.example.org or *.example.org, got 'www.test:443'",
    },
    {
      name: "a name of two entries",
      settings: { ...pair, tls: [entry(www, "www.test"), entry(api, ["WWW.test"])] },
      says: "tls[1].servername: www.test must be the name of one certificate, got it twice: tls[0] has it too",
    },
    {
      name: "a name of two certificates",
      settings: { tls: [entry(www), entry(api)] },
      says: "tls[1].servername: www.test must be the name of one certificate, got it twice: tls[0] has it too",
    },
    {
      name: "an entry without a name",
      settings: { ...pair, tls: [{ ...entry(bare), servername: "ip" }, entry(bare)] },
      says: "tls[1].servername: must be set, no name is left for this certificate: no client could ask for it",
    },
    {
      name: "an entry without certfile",
      settings: { tls: [{ keyfile: good.keyfile }] },
      says: "tls: [0].certfile: must be a text, got undefined",
    },
    {
      name: "an entry with a word that isn't known",
      settings: { tls: [{ ...pair, serverName: "localhost" }] },
      says: "tls: [0]: knows certfile, keyfile and servername, got serverName",
    },
    {
      name: "a wrong pair in an entry",
      settings: { ...pair, tls: [{ certfile: www.certfile, keyfile: api.keyfile }] },
      says: `tls[0].keyfile: ${api.keyfile}: must be the key of certificate 1 (CN=www.test) in tls[0].certfile: ${www.certfile}, got another one`,
    },
  ];

  const rest: BadTls[] = [
    {
      name: "https:// without a certificate",
      settings: {},
      bind: ["https://127.0.0.1:0"],
      says: "https://127.0.0.1:0 needs certfile, which isn't set",
    },
    {
      name: "a certificate that no address uses",
      settings: pair,
      bind: ["http://127.0.0.1:0"],
      says: "certfile: is for no address, bind says http:// for all: http://127.0.0.1:0",
    },
    {
      name: "ciphers without a certificate",
      settings: { ciphers: "ECDHE+AESGCM" },
      says: "ciphers: needs certfile or tls, which aren't set",
    },
    {
      name: "ciphers that nobody knows",
      settings: { ...pair, ciphers: "nonsense" },
      says: "ciphers: must be a list that selects a cipher of Bun's, got 'nonsense'",
    },
    {
      name: "ciphers of TLS 1.3",
      settings: { ...pair, ciphers: "TLS_AES_128_GCM_SHA256" },
      says: "ciphers: must name a cipher of TLS 1.2, got 'TLS_AES_128_GCM_SHA256': those of TLS 1.3 are always on, and alone with ssl_version TLSv1_3",
    },
    {
      name: "ciphers where there is no TLS 1.2",
      settings: { ...pair, ciphers: "ECDHE+AESGCM", sslVersion: "TLSv1_3" },
      says: "ciphers: is for TLS 1.2, and ssl_version is TLSv1_3",
    },
    {
      name: "an old version",
      settings: { ...pair, sslVersion: "TLSv1_1" },
      says: "sslVersion: must be TLS, TLSv1_2 or TLSv1_3, got 'TLSv1_1': Bun has nothing older than TLS 1.2",
    },
    {
      name: "a version that nobody knows",
      settings: { ...pair, sslVersion: "TLSv2" },
      says: "sslVersion: must be TLS, TLSv1_2 or TLSv1_3, got 'TLSv2'",
    },
    {
      name: "ragged ends that count",
      settings: { ...pair, suppressRaggedEofs: false },
      says: "suppressRaggedEofs: can't be off: Bun takes an end without TLS's close message for an end",
    },
    {
      name: "a hook that throws",
      settings: pair,
      hook: "settings.sslContext = () => { throw new Error('the vault is closed\\nand more') };",
      says: "sslContext: the vault is closed",
    },
    {
      name: "a hook that takes its time",
      settings: pair,
      hook: "settings.sslContext = async (config, factory) => factory();",
      says: "sslContext: must give its answer at once, got a promise",
    },
    {
      name: "a hook with a word that isn't known",
      settings: pair,
      hook: "settings.sslContext = (config, factory) => ({ ...factory(), minimumVersion: 'TLSv1.3' });",
      says: "sslContext: must have only certificates, clientCertificates, ca, ciphers, minVersion, maxVersion, got minimumVersion",
    },
    {
      name: "a hook with a wrong pair",
      settings: pair,
      hook: `settings.sslContext = (config, factory) => { const given = factory(); return { ...given, certificates: [{ ...given.certificates[0], key: ${JSON.stringify(other.key)} }] }; };`,
      says: "sslContext: certificates[0].key: must be the key of certificate 1 (CN=localhost) in sslContext: certificates[0].chain, got another one",
    },
    {
      name: "a hook without a certificate",
      settings: {},
      hook: "settings.sslContext = (config, factory) => factory();",
      says: "sslContext: needs certfile or tls, which aren't set",
    },
  ];
  openssl(["version"]);
  return [...files, ...keys, ...chains, ...clients, ...names, ...rest];
}
